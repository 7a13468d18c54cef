import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import type { V1Pod } from "@kubernetes/client-node";
import { ROOT } from "../../cli/common/root";

/** A connection of the WebSocket library, of which there are no types. */
interface Client {
  send(bytes: Buffer): void;
  terminate(): void;
  on(event: "message" | "close", listener: (bytes: Buffer) => void): void;
}

interface Sockets {
  handleUpgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    connected: (client: Client) => void,
  ): void;
}

// The library of the Kubernetes client, which has a server too.
const library = createRequire(require.resolve("@kubernetes/client-node"))("ws");

/** The channels of the Kubernetes protocol for `exec`. */
const [STDOUT, STDERR, STATUS] = [1, 2, 3];

const PODS = "/api/v1/namespaces/demo/pods";

/**
 * An API server with one namespace, whose pods run at once. A process that is started in a pod runs on this machine, with a
 * folder as its volume.
 */
export class ClusterWithVolume {
  readonly folder = mkdtempSync(join(tmpdir(), "cluster-"));
  /** The files of the volume. */
  readonly volume = mkdtempSync(join(tmpdir(), "volume-"));
  readonly kubeconfig = join(this.folder, "kubeconfig");
  readonly pods = new Map<string, V1Pod>();
  /** Names of the pods that were deleted. */
  readonly deleted: string[] = [];
  /** The status of new pods. */
  status: V1Pod["status"] = running();
  /** Ends the connection of the next process when so many bytes came from it or to it. */
  cutAfter = Number.POSITIVE_INFINITY;
  accessMode = "ReadWriteOnce";
  /** Whether the user may start processes in pods. */
  mayExec = true;
  readonly events: object[] = [];
  private created = 0;
  private readonly server = createServer(
    (request, response) => void this.onRequest(request, response),
  );
  private readonly sockets: Sockets = new library.WebSocketServer({
    noServer: true,
    handleProtocols: () => "v5.channel.k8s.io",
  });

  async start(): Promise<void> {
    this.server.on("upgrade", (request, socket, head) => {
      if (this.mayExec) {
        this.sockets.handleUpgrade(request, socket, head, (client) => this.exec(client, request));
      } else {
        socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
      }
    });
    await new Promise<void>((listening) => this.server.listen(0, "127.0.0.1", listening));
    const { port } = this.server.address() as AddressInfo;
    // The client uses no HTTP without it.
    const cluster = { server: `http://127.0.0.1:${port}`, "insecure-skip-tls-verify": true };
    const context = { cluster: "c", user: "u" };
    const config = {
      clusters: [{ name: "c", cluster }],
      users: [{ name: "u", user: {} }],
      contexts: [{ name: "x", context }],
      "current-context": "x",
    };
    writeFileSync(this.kubeconfig, JSON.stringify(config));
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    rmSync(this.folder, { recursive: true });
    rmSync(this.volume, { recursive: true });
  }

  private async onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = "";
    for await (const chunk of request) {
      text += chunk;
    }
    const { pathname } = new URL(request.url ?? "", "http://host");
    const answer = this.answer(request.method ?? "", pathname, text);
    response.writeHead(answer ? 200 : 404, { "content-type": "application/json" });
    response.end(JSON.stringify(answer ?? { message: `${pathname} not found` }));
  }

  private answer(method: string, path: string, text: string): object | undefined {
    const name = path.slice(PODS.length + 1);
    if (path.endsWith("/persistentvolumeclaims/demo-data-1")) {
      return { spec: { accessModes: [this.accessMode] } };
    }
    if (path.endsWith("/events")) {
      return { items: this.events };
    }
    if (path === PODS) {
      return method === "POST" ? this.create(JSON.parse(text)) : { items: [...this.pods.values()] };
    }
    const pod = this.pods.get(name);
    if (method === "DELETE" && pod) {
      this.pods.delete(name);
      this.deleted.push(name);
    }
    return pod;
  }

  private create(pod: V1Pod): V1Pod {
    this.created += 1;
    const name = `${pod.metadata?.generateName}${this.created}`;
    const metadata = { ...pod.metadata, name, creationTimestamp: new Date() };
    const made = { ...pod, metadata, ...(this.status && { status: this.status }) };
    this.pods.set(name, made);
    return made;
  }

  private exec(client: Client, request: IncomingMessage): void {
    const query = new URL(request.url ?? "", "http://host").searchParams;
    const [, ...args] = query.getAll("command");
    const python = join(ROOT, "app/.venv/bin/python");
    const child = spawn(existsSync(python) ? python : "python3", args, {
      cwd: join(ROOT, "app"),
      env: { DATA_DIR: this.volume, PATH: process.env.PATH ?? "" },
    });
    let left = this.cutAfter;
    this.cutAfter = Number.POSITIVE_INFINITY;
    const pass = (length: number) => {
      left -= length;
      if (left < 0) {
        client.terminate();
      }
    };
    const send = (channel: number, bytes: Buffer) => {
      pass(bytes.length);
      client.send(Buffer.concat([Buffer.from([channel]), bytes]));
    };
    child.stdout.on("data", (bytes: Buffer) => send(STDOUT, bytes));
    child.stderr.on("data", (bytes: Buffer) => send(STDERR, bytes));
    client.on("message", (bytes: Buffer) => {
      pass(bytes.length);
      child.stdin.write(bytes.subarray(1));
    });
    child.stdin.on("error", () => {});
    client.on("close", () => child.stdin.end());
    child.on("close", (code) => send(STATUS, Buffer.from(JSON.stringify(statusOf(code)))));
  }
}

/** The status of a pod that runs. */
export function running(): NonNullable<V1Pod["status"]> {
  const state = { running: { startedAt: new Date() } };
  return { phase: "Running", containerStatuses: [{ name: "data", state } as never] };
}

function statusOf(code: number | null): object {
  return code === 0
    ? { status: "Success" }
    : { status: "Failure", message: `command terminated with exit code ${code}` };
}
