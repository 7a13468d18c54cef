// Command cert-manager is cert-manager's five commands in one, as `cert-manager COMMAND [flags]`. Their own main packages are
// modules that no module proxy serves. This one is below cert-manager's module path, so that it may import what is internal
// there. It takes the flags that cert-manager's chart sets, and a configuration file.
//
// Left out: the issuers Vault and Venafi (the Go module of Venafi's client is served by no proxy either), ACME's DNS-01
// challenge with its clients of clouds, profiling, and TLS for metrics.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/pflag"

	utilfeature "github.com/cert-manager/cert-manager/pkg/util/feature"
)

// command runs until its context ends.
type command func(ctx context.Context, args []string) error

var commands = map[string]command{
	"controller":      runController,
	"webhook":         runWebhook,
	"cainjector":      runCAInjector,
	"acmesolver":      runACMESolver,
	"startupapicheck": runStartupAPICheck,
}

func main() {
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: cert-manager controller|webhook|cainjector|acmesolver|startupapicheck [flags]")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	err := commands[os.Args[1]](ctx, os.Args[2:])
	if err != nil && !errors.Is(err, pflag.ErrHelp) && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// parse reads flags into a configuration, which has its defaults before. A file that --config names is loaded into it first,
// so that a flag has the last word.
func parse(args []string, bind func(*pflag.FlagSet), load func(path string) error) error {
	var path string
	read := func() error {
		flags := pflag.NewFlagSet("cert-manager", pflag.ContinueOnError)
		flags.StringVar(&path, "config", "", "file with the configuration")
		bind(flags)
		return flags.Parse(args)
	}
	if err := read(); err != nil || path == "" {
		return err
	}
	if err := load(path); err != nil {
		return err
	}
	return read()
}

// setFeatures switches feature gates on and off.
func setFeatures(gates map[string]bool) error {
	return utilfeature.DefaultMutableFeatureGate.SetFromMap(gates)
}
