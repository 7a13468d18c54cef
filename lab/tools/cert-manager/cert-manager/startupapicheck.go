package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/cert-manager/cert-manager/pkg/util/cmapichecker"
)

// checkPause is the time between two checks.
const checkPause = 5 * time.Second

// runStartupAPICheck waits until cert-manager's API takes a CertificateRequest: `startupapicheck check api --wait=1m`. It asks in
// the namespace of its pod, where the chart lets it.
func runStartupAPICheck(ctx context.Context, args []string) error {
	flags := pflag.NewFlagSet("startupapicheck", pflag.ContinueOnError)
	limit := flags.Duration("wait", 0, "time until it gives up; 0: one check")
	kubeconfig := flags.String("kubeconfig", "", "kubeconfig; default: that of the pod")
	flags.CountP("verbose", "v", "ignored: it says why each check fails anyway")
	if err := flags.Parse(args); err != nil {
		return err
	}
	rules := &clientcmd.ClientConfigLoadingRules{ExplicitPath: *kubeconfig}
	config := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{})
	rest, err := config.ClientConfig()
	if err != nil {
		return err
	}
	namespace, _, err := config.Namespace()
	if err != nil {
		return err
	}
	checker, err := cmapichecker.New(rest, namespace)
	if err != nil {
		return err
	}
	return checkUntil(ctx, checker, *limit)
}

func checkUntil(ctx context.Context, checker cmapichecker.Interface, limit time.Duration) error {
	var last error
	check := func(ctx context.Context) (bool, error) {
		if last = checker.Check(ctx); last != nil {
			fmt.Println("not ready:", last)
		}
		return last == nil, nil
	}
	if ready, _ := check(ctx); ready || limit == 0 {
		return last
	}
	if err := wait.PollUntilContextTimeout(ctx, checkPause, limit, false, check); err != nil {
		return fmt.Errorf("%w: %w", err, last)
	}
	fmt.Println("The cert-manager API is ready")
	return nil
}
