import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

/** The response handler of a path. */
export type Answer = (response: ServerResponse, request: IncomingMessage) => void;

/** A local release site. */
export interface ReleaseSite {
  readonly origin: string;
  /** Path -> response handler; other paths return 404. */
  readonly answers: Map<string, Answer>;
  /** The requested paths, in order, with the requested range. */
  readonly asked: string[];
  close(): Promise<void>;
}

export async function releaseSite(): Promise<ReleaseSite> {
  const answers = new Map<string, Answer>();
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    asked.push([path, request.headers.range].filter(Boolean).join(" "));
    const answer = answers.get(path);
    if (answer) {
      answer(response, request);
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
  return { origin: `http://127.0.0.1:${port}`, answers, asked, close };
}

/** Sends the whole content. */
export const whole =
  (content: Buffer | string): Answer =>
  (response) =>
    void response.writeHead(200, { "content-length": Buffer.byteLength(content) }).end(content);

/** Interrupts the transfer after half of the content, this many times; then it sends the requested range. */
export function breaking(content: Buffer, times: number): Answer {
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
