import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { version as certManagerVersion } from "@pulumi/kubernetes-cert-manager/package.json";
import type { GoModule, Pin, ScriptPin } from "./pin";

const pulumiVersion = "3.274.1";
const kubernetesVersion = "4.24.0";

const pulumiPackages = "github.com/pulumi/pulumi/pkg/v3";

/**
 * Packages that are shared with the lab's tools have the same versions, so that Go compiles them once. Two features are left
 * out, as they are a third of the other packages: states in Google Cloud Storage, and the cloud providers of `pulumi env setup`.
 */
const engine: GoModule = {
  folder: join(__dirname, "engine"),
  patches: [
    {
      module: pulumiPackages,
      path: "authhelpers/gcpauth.go",
      with: [
        ['\t"cloud.google.com/go/storage"\n', ""],
        ['\t"gocloud.dev/blob/gcsblob"\n', ""],
        ["storage.ScopeReadWrite", '"https://www.googleapis.com/auth/devstorage.read_write"'],
        ["gcsblob.Options{}", "struct { GoogleAccessID string; PrivateKey []byte }{}"],
        [
          "blobmux.RegisterBucket(gcsblob.Scheme, &gcsblob.URLOpener{\n\t\tClient:  client,\n\t\tOptions: options,\n\t})",
          "_, _ = client, options",
        ],
      ],
    },
    {
      module: pulumiPackages,
      path: "backend/diy/backend.go",
      with: [
        ['\t"gocloud.dev/blob/gcsblob"    // driver for gs://\n', ""],
        ["gcsblob.Scheme", '"gs"'],
      ],
    },
    {
      module: pulumiPackages,
      path: "cmd/esc/cli/setup.go",
      with: [
        ["\tcmd.AddCommand(newSetupAWSCmd(setup))\n", ""],
        ["\tcmd.AddCommand(newSetupAzureCmd(setup))\n", ""],
        ["\tcmd.AddCommand(newSetupGCPCmd(setup))\n", "\t_ = setup\n"],
      ],
    },
    ...["aws", "azure", "gcp"].map((cloud) => ({
      module: pulumiPackages,
      path: `cmd/esc/cli/setup_${cloud}.go`,
      with: "patches/nothing.go.txt",
    })),
  ],
};

/** Separate from the engine, as they need an older version of its packages. */
const providers: GoModule = {
  folder: join(__dirname, "providers"),
  patches: [
    {
      module: "github.com/pulumi/pulumi-kubernetes/sdk/v4",
      path: "go/kubernetes/yaml/v2/kinds.go",
      with: "patches/kubernetes-kinds.go.txt",
    },
  ],
  embeds: [
    {
      module: "github.com/pulumi/pulumi-kubernetes/provider/v4",
      path: "cmd/pulumi-resource-kubernetes/schema.json",
      file: "pulumi-resource-kubernetes/schema.json",
    },
  ],
};

/** A plugin that runs a script of the npm package, in the working directory that the engine sets. */
function nodePlugin(script: string): ScriptPin {
  return {
    kind: "script",
    version: pulumiVersion,
    text: `#!/bin/sh\nexec node "$(node -p 'require.resolve("@pulumi/pulumi/cmd/${script}")')" "$@"\n`,
  };
}

/** A plugin that runs a TypeScript file of this checkout. */
function ownPlugin(version: string, file: string): ScriptPin {
  const loader = pathToFileURL(require.resolve("tsx"));
  return {
    kind: "script",
    version,
    text: `#!/bin/sh\nexec node --import '${loader}' '${join(__dirname, file)}' "$@"\n`,
  };
}

/** Pulumi's CLI and its plugins. */
export const pins = {
  pulumi: {
    kind: "go",
    version: pulumiVersion,
    module: engine,
    package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    // The Automation API refuses a CLI without a version.
    values: [`github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${pulumiVersion}`],
    onPath: { versionArgs: ["version"], range: ["3.250.0", "4.0.0"] },
  },
  "pulumi-resource-kubernetes": {
    kind: "go",
    version: kubernetesVersion,
    module: providers,
    package: "./pulumi-resource-kubernetes",
    values: [
      `github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/version.Version=${kubernetesVersion}`,
    ],
  },
  "pulumi-resource-docker-build": {
    kind: "go",
    version: "0.0.22",
    module: providers,
    package: "github.com/pulumi/pulumi-docker-build/provider/cmd/pulumi-resource-docker-build",
    values: ["github.com/pulumi/pulumi-docker-build/provider.Version=0.0.22"],
  },
  "pulumi-resource-pulumi-nodejs": nodePlugin("dynamic-provider"),
  "pulumi-resource-kubernetes-cert-manager": ownPlugin(
    certManagerVersion,
    "cert-manager/plugin.ts",
  ),
} as const satisfies Record<string, Pin>;

/** Name of a tool and of its executable. */
export type PulumiTool = keyof typeof pins;
