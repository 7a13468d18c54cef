package main

import (
	"fmt"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/component-base/cli/flag"

	config "github.com/cert-manager/cert-manager/internal/apis/config/controller"
	"github.com/cert-manager/cert-manager/internal/apis/config/controller/scheme"
	v1alpha1 "github.com/cert-manager/cert-manager/pkg/apis/config/controller/v1alpha1"
	"github.com/cert-manager/cert-manager/pkg/controller"
	"github.com/cert-manager/cert-manager/pkg/controller/configfile"
	logf "github.com/cert-manager/cert-manager/pkg/logs"
)

func controllerConfig(args []string) (*config.ControllerConfiguration, error) {
	types, _, err := scheme.NewSchemeAndCodecs()
	if err != nil {
		return nil, err
	}
	defaults, c := &v1alpha1.ControllerConfiguration{}, &config.ControllerConfiguration{}
	types.Default(defaults)
	if err := types.Convert(defaults, c, nil); err != nil {
		return nil, err
	}
	bind := func(flags *pflag.FlagSet) { bindController(flags, c) }
	load := func(path string) error {
		file := configfile.New()
		err := loadFile(path, file)
		*c = *file.Config
		return err
	}
	return c, parse(args, bind, load)
}

// bindController has the flags that the chart sets; the rest is in the configuration file.
func bindController(flags *pflag.FlagSet, c *config.ControllerConfiguration) {
	flags.StringVar(&c.KubeConfig, "kubeconfig", c.KubeConfig, "kubeconfig; default: that of the pod")
	flags.StringVar(&c.ClusterResourceNamespace, "cluster-resource-namespace", c.ClusterResourceNamespace, "namespace of the Secrets of ClusterIssuers")
	flags.StringSliceVar(&c.Controllers, "controllers", c.Controllers, "controllers that run; * is the default ones, -NAME leaves one out")
	flags.IntVar(&c.MaxConcurrentChallenges, "max-concurrent-challenges", c.MaxConcurrentChallenges, "ACME challenges at a time")
	flags.BoolVar(&c.EnableCertificateOwnerRef, "enable-certificate-owner-ref", c.EnableCertificateOwnerRef, "delete a Secret with its Certificate")
	flags.BoolVar(&c.GatewayAPIConfig.Enabled, "enable-gateway-api", c.GatewayAPIConfig.Enabled, "look at Gateways")
	flags.Var(flag.NewMapStringBool(&c.FeatureGates), "feature-gates", "features, as NAME=true,NAME=false")
	bindLeaderElection(flags, &c.LeaderElectionConfig.LeaderElectionConfig)
	logf.AddFlags(&c.Logging, flags)

	http01 := &c.ACMEHTTP01Config
	flags.StringVar(&http01.SolverImage, "acme-http01-solver-image", http01.SolverImage, "image of a solver's pod")
	flags.StringVar(&http01.SolverRuntimeClassName, "acme-http01-solver-runtime-class-name", http01.SolverRuntimeClassName, "its runtime class")
	flags.StringToStringVar(&http01.SolverExtraLabels, "acme-http01-solver-extra-labels", http01.SolverExtraLabels, "its labels")
	flags.StringSliceVar(&http01.SolverNameservers, "acme-http01-solver-nameservers", http01.SolverNameservers, "name servers of the check before a challenge")

	shim := &c.IngressShimConfig
	flags.StringVar(&shim.DefaultIssuerName, "default-issuer-name", shim.DefaultIssuerName, "issuer of an Ingress that names none")
	flags.StringVar(&shim.DefaultIssuerKind, "default-issuer-kind", shim.DefaultIssuerKind, "its kind")
	flags.StringVar(&shim.DefaultIssuerGroup, "default-issuer-group", shim.DefaultIssuerGroup, "its API group")
}

// solverResources are what a solver's pod requests and is limited to.
func solverResources(http01 config.ACMEHTTP01Config, options *controller.ACMEOptions) error {
	for text, quantity := range map[*string]*resource.Quantity{
		&http01.SolverResourceRequestCPU:    &options.HTTP01SolverResourceRequestCPU,
		&http01.SolverResourceRequestMemory: &options.HTTP01SolverResourceRequestMemory,
		&http01.SolverResourceLimitsCPU:     &options.HTTP01SolverResourceLimitsCPU,
		&http01.SolverResourceLimitsMemory:  &options.HTTP01SolverResourceLimitsMemory,
	} {
		parsed, err := resource.ParseQuantity(*text)
		if err != nil {
			return fmt.Errorf("acmeHTTP01Config: %q: %w", *text, err)
		}
		*quantity = parsed
	}
	return nil
}

func contextOptions(c *config.ControllerConfiguration) (controller.ContextOptions, error) {
	http01, shim := c.ACMEHTTP01Config, c.IngressShimConfig
	options := controller.ContextOptions{
		Kubeconfig:         c.KubeConfig,
		KubernetesAPIQPS:   c.KubernetesAPIQPS,
		KubernetesAPIBurst: c.KubernetesAPIBurst,
		Namespace:          c.Namespace,
		IssuerOptions:      controller.IssuerOptions{ClusterResourceNamespace: c.ClusterResourceNamespace},
		ACMEOptions: controller.ACMEOptions{
			HTTP01SolverImage:            http01.SolverImage,
			ACMEHTTP01SolverRunAsNonRoot: http01.SolverRunAsNonRoot,
			HTTP01SolverRuntimeClassName: http01.SolverRuntimeClassName,
			HTTP01SolverNameservers:      http01.SolverNameservers,
			HTTP01SolverExtraLabels:      http01.SolverExtraLabels,
			DNS01CheckRetryPeriod:        c.ACMEDNS01Config.CheckRetryPeriod,
		},
		IngressShimOptions: controller.IngressShimOptions{
			DefaultIssuerName:                 shim.DefaultIssuerName,
			DefaultIssuerKind:                 shim.DefaultIssuerKind,
			DefaultIssuerGroup:                shim.DefaultIssuerGroup,
			DefaultAutoCertificateAnnotations: shim.DefaultAutoCertificateAnnotations,
			ExtraCertificateAnnotations:       shim.ExtraCertificateAnnotations,
			GatewayAPIExtraProtocols:          sets.New(c.GatewayAPIConfig.ExtraProtocols...),
		},
		CertificateOptions: controller.CertificateOptions{
			EnableOwnerRef:                           c.EnableCertificateOwnerRef,
			CopiedAnnotationPrefixes:                 c.CopiedAnnotationPrefixes,
			CertificateRequestMinimumBackoffDuration: c.CertificateRequestMinimumBackoffDuration,
			CertificateRequestMaximumBackoffDuration: c.CertificateRequestMaximumBackoffDuration,
		},
		SchedulerOptions: controller.SchedulerOptions{MaxConcurrentChallenges: c.MaxConcurrentChallenges},
		ConfigOptions:    controller.ConfigOptions{EnableGatewayAPI: c.GatewayAPIConfig.Enabled},
	}
	return options, solverResources(http01, &options.ACMEOptions)
}
