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

/** The pack's own process, asked as the engine asks it. */
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

  /** Judges one resource. */
  analyze(resource: Resource): Promise<messages.AnalyzeResponse> {
    const request = new messages.AnalyzeRequest();
    request.setUrn(resource.urn);
    request.setType(resource.type);
    request.setName(resource.name);
    request.setProperties(Struct.fromJavaScript(resource.props as never));
    request.setOptions(optionsOf(resource));
    return new Promise((resolve, reject) => {
      this.client.analyze(request, (error, response) =>
        error ? reject(error) : resolve(response),
      );
    });
  }

  /** Judges a whole stack. */
  analyzeStack(resources: readonly Resource[]): Promise<messages.AnalyzeResponse> {
    const request = new messages.AnalyzeStackRequest();
    request.setResourcesList(
      resources.map((resource) => {
        const item = new messages.AnalyzerResource();
        item.setUrn(resource.urn);
        item.setType(resource.type);
        item.setName(resource.name);
        item.setProperties(Struct.fromJavaScript(resource.props as never));
        item.setOptions(optionsOf(resource));
        return item;
      }),
    );
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

function optionsOf({ protect }: Resource): messages.AnalyzerResourceOptions {
  const options = new messages.AnalyzerResourceOptions();
  options.setProtect(protect);
  return options;
}
