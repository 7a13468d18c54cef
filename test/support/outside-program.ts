import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const ROOT = resolve(__dirname, "../..");

/** The program in components/README.md. */
function program(): string {
  const readme = readFileSync(join(ROOT, "components/README.md"), "utf8");
  const [, code] = /```ts\n([\s\S]+?)```/.exec(readme) ?? [];
  if (!code) {
    throw new Error("components/README.md has no program");
  }
  return code;
}

/** Runs a command of the program with the Automation API, as the CLI would with Pulumi's language host. */
const RUNNER = `import { LocalWorkspace } from "@pulumi/pulumi/automation";
const { command, config, state } = JSON.parse(process.argv[2]);
const stack = await LocalWorkspace.createOrSelectStack(
  { stackName: "outside", projectName: "outside", program: () => import("./index.ts") },
  { workDir: state, envVars: { PULUMI_BACKEND_URL: "file://" + state, PULUMI_CONFIG_PASSPHRASE: "outside" } },
);
for (const [key, value] of Object.entries(config)) await stack.setConfig(key, { value });
const { changeSummary, outputs, summary } = await stack[command]().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
console.log(JSON.stringify({ changes: changeSummary ?? summary.resourceChanges, url: outputs?.url?.value }));
`;

/** The result of a command of the program. */
export interface Outcome {
  /** Number of resources by operation: create, same, delete. */
  readonly changes: Record<string, number>;
  readonly url?: string;
}

/** A program outside of the checkout with the installed package of the components. */
export class OutsideProgram {
  /**
   * @param folder an empty folder
   * @param config keys of the program's configuration
   * @param path PATH with Pulumi's CLI
   */
  constructor(
    private readonly folder: string,
    private readonly config: Record<string, string>,
    private readonly path: string,
  ) {}

  /** Packs the components and installs the package, as users do. */
  install(): void {
    const { folder } = this;
    mkdirSync(join(folder, "state"), { recursive: true });
    const run = (command: string, args: string[], cwd: string) =>
      execFileSync(command, args, { cwd, encoding: "utf8" });
    const packed = run("npm", ["pack", "--silent", "--pack-destination", folder], ROOT).trim();
    const { devDependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    const own = ["@pulumi/kubernetes", "@pulumi/pulumi"];
    const versions = Object.fromEntries(own.map((name) => [name, devDependencies[name]]));
    const description = { name: "outside", private: true, dependencies: versions };
    writeFileSync(join(folder, "package.json"), JSON.stringify(description));
    writeFileSync(join(folder, "index.ts"), program());
    writeFileSync(join(folder, "run.mts"), RUNNER);
    run("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", `./${packed}`], folder);
  }

  /** Previews, updates or destroys its stack. */
  run(command: "preview" | "up" | "destroy"): Outcome {
    const { config, folder } = this;
    const argument = JSON.stringify({ command, config, state: join(folder, "state") });
    const tsx = join(ROOT, "node_modules/.bin/tsx");
    const output = execFileSync(tsx, ["run.mts", argument], {
      cwd: folder,
      encoding: "utf8",
      env: { ...process.env, PATH: this.path },
    });
    return JSON.parse(output.trim().split("\n").at(-1) ?? "");
  }
}
