import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { credentials } from "@grpc/grpc-js";
import { AnalyzerClient } from "@pulumi/pulumi/proto/analyzer_grpc_pb";
import * as messages from "@pulumi/pulumi/proto/analyzer_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import type { Resource } from "../../../policy/model/resource";

const PACK = join(__dirname, "../../../policy");

/** The process of the pack, called as by the engine. */
export class Analyzer {
  private constructor(
    private readonly process: ChildProcessByStdio<null, Readable, null>,
    private readonly client: AnalyzerClient,
  ) {}

  static async start(): Promise<Analyzer> {
    const script = require.resolve("@pulumi/pulumi/cmd/run-policy-pack");
    const process = spawn("node", [script, "127.0.0.1:0", "."], {
      cwd: PACK,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [port] = await once(createInterface(process.stdout), "line");
    const address = `127.0.0.1:${port}`;
    return new Analyzer(process, new AnalyzerClient(address, credentials.createInsecure()));
  }

  analyze(request: messages.AnalyzeRequest): Promise<messages.AnalyzeResponse> {
    return new Promise((resolve, reject) => {
      this.client.analyze(request, (error, response) =>
        error ? reject(error) : resolve(response),
      );
    });
  }

  analyzeStack(request: messages.AnalyzeStackRequest): Promise<messages.AnalyzeResponse> {
    return new Promise((resolve, reject) => {
      this.client.analyzeStack(request, (error, response) =>
        error ? reject(error) : resolve(response),
      );
    });
  }

  stop(): void {
    this.client.close();
    this.process.kill();
  }
}

/** The request of the engine for one resource. */
export function resourceRequest(resource: Resource): messages.AnalyzeRequest {
  return fill(new messages.AnalyzeRequest(), resource);
}

/** The request of the engine for a stack. */
export function stackRequest(resources: readonly Resource[]): messages.AnalyzeStackRequest {
  const request = new messages.AnalyzeStackRequest();
  request.setResourcesList(
    resources.map((resource) => fill(new messages.AnalyzerResource(), resource)),
  );
  return request;
}

function fill<T extends messages.AnalyzeRequest | messages.AnalyzerResource>(
  message: T,
  { urn, type, name, props, protect }: Resource,
): T {
  const options = new messages.AnalyzerResourceOptions();
  options.setProtect(protect);
  message.setUrn(urn);
  message.setType(type);
  message.setName(name);
  message.setProperties(Struct.fromJavaScript(props as never));
  message.setOptions(options);
  return message;
}
