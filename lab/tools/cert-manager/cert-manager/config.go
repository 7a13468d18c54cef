package main

import (
	"os"

	"github.com/spf13/pflag"

	"github.com/cert-manager/cert-manager/internal/apis/config/shared"
	"github.com/cert-manager/cert-manager/pkg/util/configfile"
)

// loadFile reads a configuration file of any of the commands.
func loadFile(path string, file configfile.ConfigFile) error {
	loader, err := configfile.NewConfigurationFSLoader(os.ReadFile, path)
	if err != nil {
		return err
	}
	return loader.Load(file)
}

func bindLeaderElection(flags *pflag.FlagSet, c *shared.LeaderElectionConfig) {
	flags.BoolVar(&c.Enabled, "leader-elect", c.Enabled, "run only while no other replica does")
	flags.StringVar(&c.Namespace, "leader-election-namespace", c.Namespace, "namespace of the lease")
	flags.DurationVar(&c.LeaseDuration, "leader-election-lease-duration", c.LeaseDuration, "time until others take a lease")
	flags.DurationVar(&c.RenewDeadline, "leader-election-renew-deadline", c.RenewDeadline, "time within which it is renewed")
	flags.DurationVar(&c.RetryPeriod, "leader-election-retry-period", c.RetryPeriod, "time between tries")
}
