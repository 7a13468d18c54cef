package main

import (
	"context"

	"github.com/spf13/pflag"
	admissionregistration "k8s.io/api/admissionregistration/v1"
	core "k8s.io/api/core/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/component-base/cli/flag"
	apiregistration "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	metrics "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	config "github.com/cert-manager/cert-manager/internal/apis/config/cainjector"
	"github.com/cert-manager/cert-manager/internal/apis/config/cainjector/scheme"
	certmanager "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	v1alpha1 "github.com/cert-manager/cert-manager/pkg/apis/config/cainjector/v1alpha1"
	"github.com/cert-manager/cert-manager/pkg/cainjector/configfile"
	"github.com/cert-manager/cert-manager/pkg/controller/cainjector"
	logf "github.com/cert-manager/cert-manager/pkg/logs"
	"github.com/cert-manager/cert-manager/pkg/util"
)

func runCAInjector(ctx context.Context, args []string) error {
	c, err := cainjectorConfig(args)
	if err != nil {
		return err
	}
	if err := logf.ValidateAndApply(&c.Logging); err != nil {
		return err
	}
	if err := setFeatures(c.FeatureGates); err != nil {
		return err
	}
	ctrl.SetLogger(logf.Log.WithName("cainjector"))
	rest, err := clientcmd.BuildConfigFromFlags("", c.KubeConfig)
	if err != nil {
		return err
	}
	options, err := managerOptions(c)
	if err != nil {
		return err
	}
	manager, err := ctrl.NewManager(util.RestConfigWithUserAgent(rest, "cainjector"), options)
	if err != nil {
		return err
	}
	if err := cainjector.RegisterAllInjectors(ctx, manager, injectors(c)); err != nil {
		return err
	}
	return manager.Start(ctx)
}

func cainjectorConfig(args []string) (*config.CAInjectorConfiguration, error) {
	types, _, err := scheme.NewSchemeAndCodecs()
	if err != nil {
		return nil, err
	}
	defaults, c := &v1alpha1.CAInjectorConfiguration{}, &config.CAInjectorConfiguration{}
	types.Default(defaults)
	if err := types.Convert(defaults, c, nil); err != nil {
		return nil, err
	}
	bind := func(flags *pflag.FlagSet) {
		flags.StringVar(&c.KubeConfig, "kubeconfig", c.KubeConfig, "kubeconfig; default: that of the pod")
		flags.StringVar(&c.Namespace, "namespace", c.Namespace, "the only namespace that is looked at; default: all")
		flags.StringVar(&c.MetricsListenAddress, "metrics-listen-address", c.MetricsListenAddress, "address of the metrics; 0: none")
		flags.Var(flag.NewMapStringBool(&c.FeatureGates), "feature-gates", "features, as NAME=true,NAME=false")
		bindLeaderElection(flags, &c.LeaderElectionConfig)
		logf.AddFlags(&c.Logging, flags)
	}
	load := func(path string) error {
		file := configfile.New()
		err := loadFile(path, file)
		*c = *file.Config
		return err
	}
	return c, parse(args, bind, load)
}

func managerOptions(c *config.CAInjectorConfiguration) (ctrl.Options, error) {
	types := runtime.NewScheme()
	groups := runtime.NewSchemeBuilder(core.AddToScheme, admissionregistration.AddToScheme, apiextensions.AddToScheme,
		apiregistration.AddToScheme, certmanager.AddToScheme)
	options := ctrl.Options{
		Scheme:  types,
		Metrics: metrics.Options{BindAddress: c.MetricsListenAddress},
		// Secrets are read one by one: only their metadata is watched.
		Client:                        client.Options{Cache: &client.CacheOptions{DisableFor: []client.Object{&core.Secret{}}}},
		LeaderElection:                c.LeaderElectionConfig.Enabled,
		LeaderElectionNamespace:       c.LeaderElectionConfig.Namespace,
		LeaderElectionID:              "cert-manager-cainjector-leader-election",
		LeaderElectionReleaseOnCancel: true,
		LeaseDuration:                 &c.LeaderElectionConfig.LeaseDuration,
		RenewDeadline:                 &c.LeaderElectionConfig.RenewDeadline,
		RetryPeriod:                   &c.LeaderElectionConfig.RetryPeriod,
	}
	if c.Namespace != "" {
		options.Cache.DefaultNamespaces = map[string]cache.Config{c.Namespace: {}}
	}
	return options, groups.AddToScheme(types)
}

func injectors(c *config.CAInjectorConfiguration) cainjector.SetupOptions {
	return cainjector.SetupOptions{
		Namespace:                    c.Namespace,
		IgnoreNamespaces:             c.IgnoreNamespaces,
		EnableCertificatesDataSource: c.EnableDataSourceConfig.Certificates,
		EnabledReconcilersFor: map[string]bool{
			cainjector.MutatingWebhookConfigurationName:   c.EnableInjectableConfig.MutatingWebhookConfigurations,
			cainjector.ValidatingWebhookConfigurationName: c.EnableInjectableConfig.ValidatingWebhookConfigurations,
			cainjector.APIServiceName:                     c.EnableInjectableConfig.APIServices,
			cainjector.CustomResourceDefinitionName:       c.EnableInjectableConfig.CustomResourceDefinitions,
		},
	}
}
