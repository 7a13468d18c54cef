import type { Patch } from "../../toolchain/pin";

export const certManagerModule = "github.com/cert-manager/cert-manager";
const gatewayModule = "sigs.k8s.io/gateway-api";

/** Client-go's package with the names of newer versions. */
const ownCache = [
  '"k8s.io/client-go/tools/cache"',
  '"github.com/cert-manager/cert-manager/lab/cache"',
] as const;

/** A folder of generated informers, and its files that name informers for metrics. */
const informers: readonly (readonly [module: string, folder: string, files: readonly string[]])[] =
  [
    [certManagerModule, "internalinterfaces", ["factory_interfaces"]],
    [certManagerModule, "acme/v1", ["challenge", "order"]],
    [
      certManagerModule,
      "certmanager/v1",
      ["certificate", "certificaterequest", "clusterissuer", "issuer"],
    ],
    [gatewayModule, "internalinterfaces", ["factory_interfaces"]],
    [
      gatewayModule,
      "apis/v1",
      [
        ...["backendtlspolicy", "gateway", "gatewayclass", "grpcroute", "httproute", "listenerset"],
        ...["referencegrant", "tcproute", "tlsroute", "udproute"],
      ],
    ],
    [
      gatewayModule,
      "apis/v1alpha2",
      ["grpcroute", "referencegrant", "tcproute", "tlsroute", "udproute"],
    ],
    [gatewayModule, "apis/v1alpha3", ["backendtlspolicy", "tlsroute"]],
    [gatewayModule, "apis/v1beta1", ["gateway", "gatewayclass", "httproute", "referencegrant"]],
    [gatewayModule, "apisx/v1alpha1", ["xbackend", "xbackendtrafficpolicy", "xmesh"]],
  ];

const informerFolder = "pkg/client/informers/externalversions";

/** Informers that were generated for Kubernetes 1.36, with the client packages of 1.34. */
const informerPatches: readonly Patch[] = [
  ...informers.flatMap(([module, folder, files]) =>
    files.map((file) => ({
      module,
      path: `${informerFolder}/${folder}/${file}.go`,
      with: [ownCache],
    })),
  ),
  ...[certManagerModule, gatewayModule].map((module) => ({
    module,
    path: `${informerFolder}/factory.go`,
    with: [
      ownCache,
      ["informer.HasSyncedChecker()", "cache.DoneChecker(informer.HasSynced)"] as const,
    ],
  })),
];

const parseError =
  "); err != nil {\n\t\t\t\treturn ManagedFieldsParseError," +
  ' fmt.Sprintf("failed to decode managed fields on Secret: %s", err), true\n\t\t\t}';

/** The owners of fields of a Secret, as Kubernetes' packages of 1.34 give them. */
const fieldsReader = "bytes.NewReader(managedField.FieldsV1.Raw)";

/** Patches that adapt cert-manager, which needs Kubernetes' packages of 1.36, to those of 1.34, which the other tools have. */
export const olderKubernetes: readonly Patch[] = [
  ...informerPatches,
  {
    module: certManagerModule,
    path: "internal/controller/certificates/policies/checks.go",
    with: [
      [
        "managedField.FieldsV1.GetRawReader()); err != nil {\n\t\t\treturn nil",
        `${fieldsReader}); err != nil {\n\t\t\treturn nil`,
      ],
      [`managedField.FieldsV1.GetRawReader()${parseError}\n\n`, `${fieldsReader}${parseError}\n\n`],
      ["managedField.FieldsV1.GetRawReader()", fieldsReader],
    ],
  },
];
