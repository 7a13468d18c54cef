import { join } from "node:path";
import type { GoModule } from "../../toolchain/pin";

/**
 * One module for most tools, so that what they share is one version and compiled once. The tags and patches leave out what
 * a lab never uses: discovery of clouds, and providers of certificates by DNS.
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
    // The rest are made to fit the versions of OpenTelemetry, Prometheus and Kubernetes that the others need.
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
    // The time that is left, and not its negative, which the shared version writes out and Prometheus refuses.
    {
      module: "sigs.k8s.io/prometheus-adapter",
      path: "pkg/client/api.go",
      with: [["time.Since(deadline)", "time.Until(deadline)"]],
    },
  ],
};

/** Import path of what stands in cert-manager for clients of clouds and vaults. */
const absent = '"github.com/cert-manager/cert-manager/lab/absent"';

const certManagerModule = "github.com/cert-manager/cert-manager";

/**
 * Apart from the others, as it needs Kubernetes' client packages of 1.36. Left out are clients of clouds and vaults, and an API
 * server's storage: a quarter of what there would be to compile.
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
    // The errors of clouds, which it makes shorter.
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
    // One text, for which it would compile the storage of an API server.
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
  ],
};
