import { join } from "node:path";
import type { Pin, ScriptPin } from "./pin";

/** Runs a script of the npm package as a plugin, from the folder that the engine starts it in. */
function nodePlugin(script: string): ScriptPin {
  return {
    kind: "script",
    version: "3.250.0",
    text: `#!/bin/sh\nexec node "$(node -p 'require.resolve("@pulumi/pulumi/cmd/${script}")')" "$@"\n`,
  };
}

/** Pulumi's CLI and its plugins. */
export const pins = {
  pulumi: {
    kind: "go",
    version: "3.250.0",
    module: { folder: join(__dirname, "modules/pulumi") },
    package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    // The Automation API refuses a CLI that has no version.
    values: ["github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v3.250.0"],
    onPath: { versionArgs: ["version"], range: ["3.250.0", "4.0.0"] },
  },
  "pulumi-resource-kubernetes": {
    kind: "go",
    version: "4.18.1",
    module: { folder: join(__dirname, "modules/pulumi-kubernetes") },
    package: "./pulumi-resource-kubernetes",
  },
  "pulumi-resource-docker-build": {
    kind: "go",
    version: "0.0.22",
    module: { folder: join(__dirname, "modules/pulumi-docker-build") },
    package: "github.com/pulumi/pulumi-docker-build/provider/cmd/pulumi-resource-docker-build",
    values: ["github.com/pulumi/pulumi-docker-build/provider.Version=0.0.22"],
  },
  "pulumi-analyzer-policy-nodejs": nodePlugin("run-policy-pack"),
  "pulumi-resource-pulumi-nodejs": nodePlugin("dynamic-provider"),
  // The newest language host that is a package of a served module: it runs programs with the 3.250
  // engine, but no policy packs. With it on PATH the engine passes the analyzer script over.
  "pulumi-language-nodejs": {
    kind: "go",
    version: "3.68.0",
    module: { folder: join(__dirname, "modules/pulumi-language-nodejs") },
    package: "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs",
  },
} as const satisfies Record<string, Pin>;

/** Name of a tool: also the name of its executable. */
export type PulumiTool = keyof typeof pins;
