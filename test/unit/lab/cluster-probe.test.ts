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
  for (const close of closers.splice(0)) close();
  rmSync(folder, { recursive: true });
});

describe("httpProbe", () => {
  it.each([
    [200, undefined],
    [404, undefined],
    [401, "answers with status 401"],
    [403, "answers with status 403"],
    [500, "answers with status 500"],
  ])("of a server that answers with %s: %s", async (status, complaint) => {
    const server = createServer((_, response) => response.writeHead(status).end());
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    closers.push(() => server.close());
    const probe = httpProbe(`http://127.0.0.1:${(server.address() as AddressInfo).port}/healthz`);
    if (complaint) await expect(probe()).rejects.toThrow(complaint);
    else await probe();
  });

  it("names the address that does not answer", async () => {
    await expect(httpProbe("http://127.0.0.1:1/healthz")()).rejects.toThrow(
      /^http:\/\/127\.0\.0\.1:1\/healthz: .*ECONNREFUSED/,
    );
  });
});

describe("grpcProbe", () => {
  it("believes a server that speaks HTTP/2", async () => {
    const socket = join(folder, "grpc.sock");
    const server = createHttp2();
    await new Promise<void>((done) => server.listen(socket, done));
    closers.push(() => server.close());
    await grpcProbe(socket)();
  });

  it("does not believe a socket that closes, nor one that is not there, and names it", async () => {
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
  it("that has not ended in time is named, with the time", async () => {
    await expect(attempt("sleep", ["60"], 100)).rejects.toThrow(
      '"sleep 60" has not ended in 0.1 s.',
    );
  });

  it("that fails is named, with its last words", async () => {
    await expect(run("sh", ["-c", "echo no space >&2; exit 3"])).rejects.toThrow(
      /^"sh -c .*" failed \(exit 3\):\nno space$/,
    );
  });
});
