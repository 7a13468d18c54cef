import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createHttp2 } from "node:http2";
import { type AddressInfo, createServer as createNet } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { grpcProbe, httpProbe } from "../../../lab/cluster/probe";
import { attempt, run } from "../../../lab/cluster/shell";

let folder: string;
const closers: (() => void)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "probe-"));
});

afterEach(() => {
  for (const close of closers.splice(0)) {
    close();
  }
  rmSync(folder, { recursive: true });
});

describe("httpProbe", () => {
  it.each([
    [200, undefined],
    [404, undefined],
    [401, "returned status 401"],
    [403, "returned status 403"],
    [500, "returned status 500"],
  ])("of a server that returns %s: %s", async (status, problem) => {
    const server = createServer((_, response) => response.writeHead(status).end());
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    closers.push(() => server.close());
    const probe = httpProbe(`http://127.0.0.1:${(server.address() as AddressInfo).port}/healthz`);
    if (problem) {
      await expect(probe()).rejects.toThrow(problem);
    } else {
      await probe();
    }
  });

  it("names the URL without a response", async () => {
    await expect(httpProbe("http://127.0.0.1:1/healthz")()).rejects.toThrow(
      /^http:\/\/127\.0\.0\.1:1\/healthz: .*ECONNREFUSED/,
    );
  });
});

describe("grpcProbe", () => {
  it("succeeds with an HTTP/2 server", async () => {
    const socket = join(folder, "grpc.sock");
    const server = createHttp2();
    await new Promise<void>((done) => server.listen(socket, done));
    closers.push(() => server.close());
    await grpcProbe(socket)();
  });

  it("fails with a socket that closes and with a missing one, and names it", async () => {
    const socket = join(folder, "mute.sock");
    const server = createNet((connection) => connection.destroy());
    await new Promise<void>((done) => server.listen(socket, done));
    closers.push(() => server.close());
    await expect(grpcProbe(socket)()).rejects.toThrow(`${socket}: `);
    const nothing = join(folder, "nothing.sock");
    await expect(grpcProbe(nothing)()).rejects.toThrow(/nothing\.sock: .*ENOENT/);
  });
});

describe("a command", () => {
  it("that times out is named, with the time", async () => {
    await expect(attempt("sleep", ["60"], 100)).rejects.toThrow(
      '"sleep 60" did not exit within 0.1 s.',
    );
  });

  it("that fails is named, with its error output", async () => {
    await expect(run("sh", ["-c", "echo no space >&2; exit 3"])).rejects.toThrow(
      /^"sh -c .*" failed \(exit 3\):\nno space$/,
    );
  });
});
