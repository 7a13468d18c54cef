import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chownSync,
  cpSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { delimiter, dirname, join } from "node:path";
import { x } from "tinyexec";
import { ROOT } from "../../cli/stack";
import { which } from "../../toolchain";

/** Programs of a Node installation, and a shell: no programs of Linux administration, Go or the lab. */
const PROGRAMS = ["node", "npm", "sh"];
/** A user id above those of users of a machine and below those of containers. */
const UID = 61_000 + (process.pid % 1000);

/** Makes a user the owner of a folder and its content. */
function changeOwner(path: string): void {
  lchownSync(path, UID, UID);
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const below = join(path, entry.name);
    if (entry.isDirectory()) {
      changeOwner(below);
    } else {
      lchownSync(below, UID, UID);
    }
  }
}

/** Exit code and output of a command. */
export interface CommandResult {
  readonly code: number | null;
  readonly output: string;
}

/**
 * A user without root on this machine, with a home folder, a kubeconfig, a buildx builder, Node, Pulumi's CLI and plugins on
 * PATH, and a checkout.
 */
export class PlainUser {
  private readonly servers: Server[] = [];

  private constructor(
    private readonly folder: string,
    private readonly bin: string,
  ) {}

  private get home(): string {
    return join(this.folder, "home");
  }

  /**
   * @param folder an empty folder that all users can read
   * @param programs files to add to PATH in addition to Node
   */
  static create(folder: string, programs: readonly string[]): PlainUser {
    const bin = join(folder, "bin");
    for (const path of ["home/.kube", "bin"]) {
      mkdirSync(join(folder, path), { recursive: true });
    }
    // The Node of the test is in node_modules of the checkout.
    const path = (process.env.PATH ?? "")
      .split(delimiter)
      .filter((entry) => !entry.includes("node_modules"))
      .join(delimiter);
    for (const name of PROGRAMS) {
      symlinkSync(which(name, path) ?? "", join(bin, name));
    }
    // Copies, as only root can read the cache.
    for (const file of programs) {
      cpSync(file, join(bin, file.slice(dirname(file).length + 1)));
    }
    changeOwner(join(folder, "home"));
    return new PlainUser(folder, bin);
  }

  /** A file in the user's home. */
  write(name: string, text: string): void {
    const file = join(this.home, name);
    writeFileSync(file, text);
    chownSync(file, UID, UID);
  }

  /** A copy of the tracked and untracked files of this checkout, with its npm packages. */
  async checkout(name: string): Promise<string> {
    const folder = join(this.folder, name);
    const list = ["ls-files", "--cached", "--others", "--exclude-standard"];
    const { stdout } = await x("git", list, { nodeOptions: { cwd: ROOT } });
    for (const file of stdout.split("\n").filter(Boolean)) {
      cpSync(join(ROOT, file), join(folder, file), { recursive: true });
    }
    cpSync(join(ROOT, "node_modules"), join(folder, "node_modules"), {
      recursive: true,
      verbatimSymlinks: true,
    });
    changeOwner(folder);
    return folder;
  }

  /** Registers a BuildKit, whose socket only root can use, as the user's current buildx builder. */
  async useBuilder(buildx: string, socket: string): Promise<void> {
    const own = join(this.home, "buildkit.sock");
    const server = createServer((client) => {
      const daemon = connect(socket);
      client.pipe(daemon).pipe(client);
      for (const end of [client, daemon]) {
        end.on("error", () => end.destroy());
      }
    });
    this.servers.push(server);
    await new Promise<void>((resolve) => server.listen(own, resolve));
    chownSync(own, UID, UID);
    const create = ["create", "--name", "mine", "--driver", "remote", "--use", `unix://${own}`];
    const env = { HOME: this.home, DOCKER_CONFIG: join(this.home, ".docker") };
    const { exitCode, stderr } = await x(buildx, create, { nodeOptions: { env } });
    if (exitCode !== 0) {
      throw new Error(stderr);
    }
    changeOwner(this.home);
  }

  /** Runs a script of package.json in a checkout, without the environment of this process. */
  async npm(checkout: string, args: readonly string[]): Promise<CommandResult> {
    const child = spawn(join(this.bin, "npm"), args, {
      cwd: checkout,
      uid: UID,
      gid: UID,
      env: {
        HOME: this.home,
        USER: "somebody",
        PATH: this.bin,
        PULUMI_CONFIG_PASSPHRASE: "of mine",
        npm_config_update_notifier: "false",
      },
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        process.stdout.write(text);
        output += text;
      });
    }
    const [code] = await once(child, "close");
    return { code, output };
  }

  /** Closes the servers of the user. */
  close(): void {
    for (const server of this.servers) {
      server.close();
    }
  }
}
