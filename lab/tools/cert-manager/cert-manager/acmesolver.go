package main

import (
	"context"

	"github.com/spf13/pflag"

	"github.com/cert-manager/cert-manager/pkg/issuer/acme/http/solver"
	logf "github.com/cert-manager/cert-manager/pkg/logs"
)

// runACMESolver answers one HTTP-01 challenge, in a pod that the controller makes for it.
func runACMESolver(ctx context.Context, args []string) error {
	s := &solver.HTTP01Solver{}
	flags := pflag.NewFlagSet("acmesolver", pflag.ContinueOnError)
	flags.IntVar(&s.ListenPort, "listen-port", 8089, "port of the answer")
	flags.StringVar(&s.Domain, "domain", "", "domain that is proven")
	flags.StringVar(&s.Token, "token", "", "token of the challenge")
	flags.StringVar(&s.Key, "key", "", "answer")
	if err := flags.Parse(args); err != nil {
		return err
	}
	go func() {
		<-ctx.Done()
		_ = s.Shutdown(context.Background())
	}()
	return s.Listen(logf.Log.WithName("acmesolver"))
}
