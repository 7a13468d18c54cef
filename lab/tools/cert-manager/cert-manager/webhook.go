package main

import (
	"context"

	"github.com/spf13/pflag"

	"github.com/cert-manager/cert-manager/internal/webhook"
	logf "github.com/cert-manager/cert-manager/pkg/logs"
	"github.com/cert-manager/cert-manager/pkg/webhook/configfile"
	"github.com/cert-manager/cert-manager/pkg/webhook/options"
)

func runWebhook(ctx context.Context, args []string) error {
	c, err := options.NewWebhookConfiguration()
	if err != nil {
		return err
	}
	bind := func(flags *pflag.FlagSet) { options.AddConfigFlags(flags, c) }
	load := func(path string) error {
		file := configfile.New()
		err := loadFile(path, file)
		*c = *file.Config
		return err
	}
	if err := parse(args, bind, load); err != nil {
		return err
	}
	if err := logf.ValidateAndApply(&c.Logging); err != nil {
		return err
	}
	if err := setFeatures(c.FeatureGates); err != nil {
		return err
	}
	log := logf.Log.WithName("webhook")
	server, err := webhook.NewCertManagerWebhookServer(log, *c)
	if err != nil {
		return err
	}
	return server.Run(logf.NewContext(ctx, log))
}
