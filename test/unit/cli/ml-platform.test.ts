import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { x } from "tinyexec";
import { afterAll, describe, expect, test } from "vitest";
import { ROOT } from "../../../cli/common/root";
import { program } from "../../../cli/main";
import { stackIn } from "../../../cli/stack/pulumi";

const folder = mkdtempSync(join(tmpdir(), "command-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a program with these folders first on PATH. */
const run = (command: string, args: string[], ...folders: string[]) => {
  const PATH = [...folders, process.env.PATH].join(delimiter);
  return x(command, args, { nodeOptions: { cwd: folder, env: { ...process.env, PATH } } });
};

const subcommands = program.commands.filter((command) => !/^complet/.test(command.name()));
/** The help of a subcommand, including added text. */
function helpOf(command: (typeof subcommands)[number]): string {
  const parts: string[] = [];
  command.configureOutput({ writeOut: (part) => void parts.push(part) });
  command.outputHelp();
  return parts.join("");
}

describe("the command ml-platform", () => {
  test("has one subcommand for each task", () => {
    expect(subcommands.map((command) => command.name())).toEqual([
      ...["start", "preview", "load", "promote", "data", "destroy", "lock"],
      ...["lab", "pulumi", "tools", "schema"],
    ]);
  });

  test.each(subcommands.map((command) => [command.name(), command] as const))(
    "has help for %s: usage, options with defaults, and an example",
    (name, command) => {
      const help = helpOf(command);
      expect(help).toMatch(new RegExp(`^Usage: ml-platform ${name}\\b`));
      expect(help).toMatch(new RegExp(`\\nExample:\\n {2}\\$ ml-platform ${name}\\b`));
      for (const { long = "", required, defaultValue, description } of command.options) {
        expect(help).toContain(long);
        // A default that depends on other settings is in the description.
        if (required && defaultValue === undefined) {
          expect(description).toMatch(/default: |\(required\)$/);
        }
      }
    },
  );

  test("exits with code 1 after an unknown subcommand", async () => {
    const { exitCode, stderr } = await run(join(ROOT, "cli/ml-platform"), ["strat"]);
    expect([exitCode, stderr]).toEqual([
      1,
      expect.stringMatching(/^error: unknown command 'strat'\n\(Did you mean start\?\)\n$/m),
    ]);
  });

  test("can be run through a symbolic link and from another folder", async () => {
    symlinkSync(join(ROOT, "cli/ml-platform"), join(folder, "ml-platform"));
    const { exitCode, stderr } = await run("ml-platform", ["lock", "--stack", "no"], folder);
    expect([exitCode, stderr]).toEqual([
      1,
      expect.stringMatching(/\n✗ \S+\/Pulumi\.no\.yaml does not exist; write it .+ --stack/),
    ]);
  });
});

describe("the command on a machine without npm packages", () => {
  const place = join(folder, "checkout");
  const bin = join(place, "bin");
  mkdirSync(join(place, "cli"), { recursive: true });
  mkdirSync(bin);
  for (const file of ["ml-platform", "install-packages.cjs", "own-session.cjs"]) {
    copyFileSync(join(ROOT, "cli", file), join(place, "cli", file));
  }
  writeFileSync(join(place, "package-lock.json"), "{}");
  // A fake npm, which installs a fake Node that prints its arguments.
  const node = "node_modules/.bin/node";
  const install = `mkdir -p node_modules/.bin; printf '#!/bin/sh\\necho "node $@"\\n' >${node}; chmod +x ${node}`;
  writeFileSync(join(bin, "npm"), `#!/bin/sh\necho "npm $1"; ${install}\n`);
  chmodSync(join(bin, "npm"), 0o755);
  const command = (...args: string[]) => run(join(place, "cli/ml-platform"), args, bin);

  test("installs the packages once, and runs a command that signals must not interrupt in its own session", async () => {
    const { stdout, stderr } = await command("start", "--stack", "a b");
    expect(stdout).toBe("node cli/own-session.cjs cli/main.ts start --stack a b\n");
    expect(stderr).toMatch(
      /^npm packages: installing \.\.\.\nnpm install\nnpm packages: installed/,
    );
    // The fake Node only prints; the real one takes its place, so that no package is missing.
    rmSync(join(place, node));
    symlinkSync(process.execPath, join(place, node));
    expect((await command("pulumi", "version")).stderr).not.toContain("npm");
  });

  test("fails if npm fails", async () => {
    rmSync(join(place, "node_modules"), { recursive: true });
    writeFileSync(join(bin, "npm"), "#!/bin/sh\nexit 7\n");
    const { exitCode, stderr } = await command("start");
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining("npm install failed in")]);
  });
});

describe("npm run", () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  test.each([
    ["start", "start"],
    ["stop", "lab down"],
    ["preview", "preview"],
    ["load", "load"],
    ["promote", "promote"],
    ["destroy", "destroy"],
    ["lab", "lab"],
    ["images:lock", "lock"],
    ["pulumi", "pulumi"],
    ["tools", "tools"],
    ["schema", "schema"],
  ])("%s runs the subcommand %s", (script, subcommand) => {
    expect(scripts[script]).toBe(`exec sh cli/ml-platform ${subcommand}`);
  });
});

describe("completion", () => {
  /** The suggestions of bash for a line with an incomplete last word. */
  async function suggested(...words: string[]): Promise<string[]> {
    // The script needs only this function of the package bash-completion.
    const script = `_get_comp_words_by_ref() { cur=\${COMP_WORDS[COMP_CWORD]}; words=("\${COMP_WORDS[@]}"); }
source <(ml-platform completion bash)
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); __ml_platform_complete; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout } = await run("bash", ["-c", script, "bash", ...words], join(ROOT, "cli"));
    return stdout.trim().split("\n").sort();
  }

  test.each([
    [["pr"], ["preview", "promote"]],
    [
      ["preview", "--"],
      ["--expect-no-changes", "--help", "--stack"],
    ],
    [["preview", "--stack", "t"], ["team"]],
    [["lab", "up", "--reg"], ["--registry-port"]],
  ])("of %j suggests %j", async (words, expected) => {
    expect(await suggested("ml-platform", ...words)).toEqual(expected);
  });
});

test.each([
  [["up", "--stack", "prod"], "prod"],
  [["-s", "prod", "up"], "prod"],
  [["up", "--stack=prod"], "prod"],
  [["whoami"], undefined],
])("the stack in Pulumi's arguments %j is %s", (args, stack) => {
  expect(stackIn(args)).toBe(stack);
});
