package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"

	config "github.com/cert-manager/cert-manager/internal/apis/config/controller"
	defaults "github.com/cert-manager/cert-manager/internal/apis/config/controller/v1alpha1"
	"github.com/cert-manager/cert-manager/internal/apis/config/controller/validation"
	"github.com/cert-manager/cert-manager/lab/absent"
	"github.com/cert-manager/cert-manager/pkg/controller"
	gateways "github.com/cert-manager/cert-manager/pkg/controller/certificate-shim/gateways"
	"github.com/cert-manager/cert-manager/pkg/controller/clusterissuers"
	"github.com/cert-manager/cert-manager/pkg/healthz"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/acme"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/ca"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/selfsigned"
	logf "github.com/cert-manager/cert-manager/pkg/logs"
	"github.com/cert-manager/cert-manager/pkg/server"
)

// leaseName is what the chart's Role lets the controller hold.
const leaseName = "cert-manager-controller"

// process is what the parts of the controller's process share.
type process struct {
	config  *config.ControllerConfiguration
	factory *controller.ContextFactory
	base    *controller.Context
	health  *healthz.Server
}

func runController(ctx context.Context, args []string) error {
	c, err := controllerConfig(args)
	if err != nil {
		return err
	}
	if err := validation.ValidateControllerConfiguration(c, nil).ToAggregate(); err != nil {
		return err
	}
	if err := logf.ValidateAndApply(&c.Logging); err != nil {
		return err
	}
	if err := setFeatures(c.FeatureGates); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(logf.NewContext(ctx, logf.Log.WithName("controller")))
	p, err := newProcess(ctx, c)
	if err != nil {
		return err
	}
	if err := p.serve(ctx, group); err != nil {
		return err
	}
	group.Go(func() error { return p.lead(ctx) })
	return group.Wait()
}

func newProcess(ctx context.Context, c *config.ControllerConfiguration) (*process, error) {
	options, err := contextOptions(c)
	if err != nil {
		return nil, err
	}
	factory, err := controller.NewContextFactory(ctx, options)
	if err != nil {
		return nil, err
	}
	base, err := factory.Build()
	if err != nil {
		return nil, err
	}
	return &process{c, factory, base, healthz.NewServer(c.LeaderElectionConfig.HealthzTimeout)}, nil
}

// serve answers at the addresses of health and metrics.
func (p *process) serve(ctx context.Context, group *errgroup.Group) error {
	livez, err := server.Listen(ctx, "tcp", p.config.HealthzListenAddress)
	if err != nil {
		return err
	}
	group.Go(func() error { return p.health.Start(ctx, livez) })
	listener, err := server.Listen(ctx, "tcp", p.config.MetricsListenAddress)
	if err != nil {
		return err
	}
	metrics := p.base.Metrics.NewServer(listener)
	group.Go(func() error {
		if err := metrics.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		return metrics.Close()
	})
	return nil
}

// lead runs the controllers while this replica holds the lease; losing it is an error.
func (p *process) lead(ctx context.Context) error {
	election := p.config.LeaderElectionConfig
	if !election.Enabled {
		return p.control(ctx)
	}
	lock, err := p.lease()
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan error, 1)
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Name: leaseName, Lock: lock, ReleaseOnCancel: true, WatchDog: p.health.LeaderHealthzAdaptor,
		LeaseDuration: election.LeaseDuration, RenewDeadline: election.RenewDeadline, RetryPeriod: election.RetryPeriod,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(ctx context.Context) {
				done <- p.control(ctx)
				stop()
			},
			OnStoppedLeading: func() {},
		},
	})
	if err != nil {
		return err
	}
	elector.Run(ctx)
	select {
	case err := <-done:
		return err
	default:
		return errors.New("the lease was lost")
	}
}

func (p *process) lease() (resourcelock.Interface, error) {
	client, err := kubernetes.NewForConfig(p.base.RESTConfig)
	if err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	holder := resourcelock.ResourceLockConfig{Identity: host + "-controller", EventRecorder: p.base.Recorder}
	namespace := p.config.LeaderElectionConfig.Namespace
	return resourcelock.New(resourcelock.LeasesResourceLock, namespace, leaseName, client.CoreV1(), client.CoordinationV1(), holder)
}

// control runs all controllers that are enabled.
func (p *process) control(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for name := range enabledControllers(p.config) {
		loop, err := controller.Known()[name](p.factory)
		if err != nil {
			return fmt.Errorf("controller %s: %w", name, err)
		}
		group.Go(func() error { return loop.Run(p.config.NumberOfConcurrentWorkers, ctx) })
	}
	p.base.SharedInformerFactory.Start(ctx.Done())
	p.base.KubeSharedInformerFactory.Start(ctx.Done())
	p.base.HTTP01ResourceMetadataInformersFactory.Start(ctx.Done())
	if p.base.GatewaySolverEnabled {
		p.base.GWShared.Start(ctx.Done())
	}
	return group.Wait()
}

// enabledControllers gives the names of the controllers that run, without those that this build lacks.
func enabledControllers(c *config.ControllerConfiguration) sets.Set[string] {
	enabled, disabled := sets.New[string](), sets.New(absent.CRControllerName, absent.CSRControllerName)
	for _, name := range c.Controllers {
		if left, found := strings.CutPrefix(name, "-"); found {
			disabled.Insert(left)
		} else {
			enabled.Insert(name)
		}
	}
	if enabled.Len() == 0 || enabled.Has("*") {
		enabled.Delete("*").Insert(defaults.DefaultEnabledControllers...)
	}
	if c.GatewayAPIConfig.Enabled {
		enabled.Insert(gateways.ControllerName)
	}
	if c.Namespace != "" {
		disabled.Insert(clusterissuers.ControllerName)
	}
	return enabled.Difference(disabled)
}
