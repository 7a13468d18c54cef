import { join } from "node:path";
import type { GoModule } from "../../toolchain/pin";
import { certManagerModule, olderKubernetes } from "./older-kubernetes";

/**
 * One module for most tools, so that common packages have one version and are compiled once. The tags and patches leave out
 * features that a lab never uses: service discovery of clouds, and DNS providers for certificates.
 */
export const lab: GoModule = {
  folder: join(__dirname, "module"),
  tags: ["remove_all_sd", "enable_kubernetes_sd"],
  patches: [
    {
      module: "github.com/go-acme/lego/v4",
      path: "providers/dns",
      with: "patches/lego-dns-providers.go.txt",
    },
    {
      module: "github.com/traefik/traefik/v3",
      path: "pkg/provider/ecs",
      with: "patches/traefik-ecs.go.txt",
    },
    {
      module: "github.com/cloudnativelabs/kube-router/v2",
      path: "pkg/controllers/routing/aws.go",
      with: "patches/kube-router-aws.go.txt",
    },
    // These adapt code to the versions of OpenTelemetry, Prometheus and Kubernetes that the other tools need.
    {
      module: "github.com/traefik/traefik/v3",
      path: "pkg/observability/logs/otel.go",
      with: "patches/traefik-otel-logs.go.txt",
    },
    {
      module: "github.com/traefik/traefik/v3",
      path: "pkg/middlewares/accesslog/logger.go",
      with: [
        ['\t"go.opentelemetry.io/contrib/bridges/otellogrus"\n', ""],
        [
          'logger.Hooks.Add(otellogrus.NewHook("traefik", otellogrus.WithLoggerProvider(otelLoggerProvider)))',
          "_ = otelLoggerProvider",
        ],
      ],
    },
    {
      module: "sigs.k8s.io/metrics-server",
      path: "pkg/scraper/client/resource/decode.go",
      with: [
        ['"text/plain", "", false, false, nil', '"text/plain", nil, textparse.ParserOptions{}'],
      ],
    },
    {
      module: "sigs.k8s.io/prometheus-adapter",
      path: "cmd/adapter/adapter.go",
      with: [
        [
          "stopCh := genericapiserver.SetupSignalHandler()",
          "ctx := genericapiserver.SetupSignalContext()\n\tstopCh := ctx.Done()",
        ],
        ["cmd.Run(stopCh)", "cmd.Run(ctx)"],
      ],
    },
    // The remaining time, not its negative, which the common version writes and Prometheus refuses.
    {
      module: "sigs.k8s.io/prometheus-adapter",
      path: "pkg/client/api.go",
      with: [["time.Since(deadline)", "time.Until(deadline)"]],
    },
  ],
};

/** Import path of the replacement for clients of clouds and vaults in cert-manager. */
const absent = '"github.com/cert-manager/cert-manager/lab/absent"';

/**
 * Separate from the others, as its main package must be below the path of cert-manager's module. Kubernetes' packages have the
 * versions of the other tools, so that they are compiled once. Clients of clouds and vaults, and the storage of an API server,
 * are left out: they are a quarter of the packages.
 */
export const certManager: GoModule = {
  folder: join(__dirname, "cert-manager"),
  patches: [
    {
      module: certManagerModule,
      path: "pkg/issuer/acme/dns",
      with: "patches/dns01.go.txt",
    },
    {
      module: certManagerModule,
      path: "internal/apis/config/controller/v1alpha1/defaults.go",
      with: ["certificaterequests", "certificatesigningrequests"].flatMap((kind) =>
        ["vault", "venafi"].map(
          (issuer) => [`"${certManagerModule}/pkg/controller/${kind}/${issuer}"`, absent] as const,
        ),
      ),
    },
    // Errors of clouds, which it shortens.
    {
      module: certManagerModule,
      path: "pkg/controller/acmechallenges/sync.go",
      with: [
        ['"github.com/Azure/azure-sdk-for-go/sdk/azcore"', `azcore ${absent}`],
        ['"github.com/Azure/azure-sdk-for-go/sdk/azidentity"', `azidentity ${absent}`],
        ['"github.com/aws/aws-sdk-go-v2/aws/transport/http"', absent],
        ['"github.com/digitalocean/godo"', `godo ${absent}`],
      ],
    },
    // One text, which is the only use of the storage of an API server.
    {
      module: certManagerModule,
      path: "pkg/controller/controller.go",
      with: [
        ['\tgenericregistry "k8s.io/apiserver/pkg/registry/generic/registry"\n', ""],
        [
          "genericregistry.OptimisticLockErrorMsg",
          '"the object has been modified; please apply your changes to the latest version and try again"',
        ],
      ],
    },
    ...olderKubernetes,
  ],
};
