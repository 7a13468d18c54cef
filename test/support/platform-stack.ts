import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseDocument } from "yaml";
import { type OpenStack, openStack, ROOT } from "../../cli/stack";
import type { LabInfo } from "../../lab/cluster/lab";

/** Changes to a stack's configuration: values by path below the project's name. */
export type Changes = readonly (readonly [path: readonly (string | number)[], value: unknown])[];

/** A stack of the program on a lab of the tests, in its own folder; the user's stacks and state are not changed. */
export class PlatformStack {
  private constructor(
    private readonly folder: string,
    private readonly base: Changes,
    readonly open: OpenStack,
  ) {}

  static async create(folder: string, lab: LabInfo, changes: Changes): Promise<PlatformStack> {
    mkdirSync(join(folder, "state"), { recursive: true });
    writeFileSync(join(folder, "Pulumi.yaml"), projectFile());
    const base: Changes = [
      [["cluster"], { kubeconfig: lab.kubeconfig, context: lab.context }],
      [["images", "mirror"], lab.registry],
      [["images", "lock"], lab.imagesLock],
      [["images", "registry"], `${lab.registry}/ml-platform`],
      [["images", "builder"], lab.builder],
      [["images", "caFile"], lab.ca],
      [["images", "context"], join(ROOT, "app")],
      [["platform", "ingress", "port"], lab.httpsPort],
      [["platform", "ingress", "httpPort"], Number(new URL(lab.ingress).port)],
      [["platform", "certManager", "chart"], join(lab.charts, "cert-manager")],
      ...changes,
    ];
    writeStackFile(folder, base);
    process.env.PULUMI_CONFIG_PASSPHRASE = "test";
    const open = await openStack(
      { name: "e2e", workDir: folder, backend: `file://${join(folder, "state")}` },
      console.log,
    );
    return new PlatformStack(folder, base, open);
  }

  /** Configures the stack with its initial changes and these. */
  configure(...changes: Changes): void {
    writeStackFile(this.folder, [...this.base, ...changes]);
  }
}

/** The project file of the program, with another state backend. */
function projectFile(): string {
  const project = parseDocument(readFileSync(join(ROOT, "Pulumi.yaml"), "utf8"));
  project.delete("backend");
  project.set("main", join(ROOT, "index.ts"));
  return project.toString();
}

function writeStackFile(folder: string, changes: Changes): void {
  const file = parseDocument(readFileSync(join(ROOT, "Pulumi.dev.yaml"), "utf8"));
  file.delete("encryptionsalt");
  for (const [[block, ...rest], value] of changes) {
    file.setIn(["config", `ml-platform:${block}`, ...rest], value);
  }
  writeFileSync(join(folder, "Pulumi.e2e.yaml"), file.toString());
}
