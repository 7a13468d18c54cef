import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

/** Handles the requests for a path. */
export type Handler = (response: ServerResponse, request: IncomingMessage) => void;

/** A local release site. */
export interface ReleaseSite {
  readonly origin: string;
  /** The handler of each path; other paths return 404. */
  readonly handlers: Map<string, Handler>;
  /** The requested paths, in order, with the requested range. */
  readonly requests: string[];
  close(): Promise<void>;
}

export async function releaseSite(): Promise<ReleaseSite> {
  const handlers = new Map<string, Handler>();
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    requests.push([path, request.headers.range].filter(Boolean).join(" "));
    const handler = handlers.get(path);
    if (handler) {
      handler(response, request);
    } else {
      response.writeHead(404).end("none");
    }
  });
  server.on("connection", (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    for (const socket of sockets) {
      socket.destroy();
    }
    await new Promise((resolve) => server.close(resolve));
  };
  return { origin: `http://127.0.0.1:${port}`, handlers, requests, close };
}

/** Sends the whole content. */
export const whole =
  (content: Buffer | string): Handler =>
  (response) =>
    void response.writeHead(200, { "content-length": Buffer.byteLength(content) }).end(content);

/** Interrupts the transfer after half of the content, this many times; then it sends the requested range. */
export function breaking(content: Buffer, times: number): Handler {
  let left = times;
  return (response, request) => {
    const start = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    const rest = content.subarray(start);
    response.writeHead(start > 0 ? 206 : 200, {
      "content-length": rest.length,
      ...(start > 0 && {
        "content-range": `bytes ${start}-${content.length - 1}/${content.length}`,
      }),
    });
    if (left-- <= 0) {
      return void response.end(rest);
    }
    response.write(rest.subarray(0, Math.ceil(rest.length / 2)), () => {
      setTimeout(() => response.destroy(), 50);
    });
  };
}
