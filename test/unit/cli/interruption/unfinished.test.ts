import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { finishInterrupted } from "../../../../cli/interruption/unfinished";
import type { OpenStack } from "../../../../cli/stack";
import type { PendingOperation, State } from "../../../../cli/stack/state";

const PROVIDER = "urn:pulumi:dev::ml-platform::pulumi:providers:kubernetes::cluster";
const LABELS = { team: "demo" };

/** The API server has the kinds of v1, and one namespace. */
const NAMESPACE = {
  apiVersion: "v1",
  kind: "Namespace",
  metadata: {
    name: "demo",
    labels: LABELS,
    managedFields: [{ manager: "pulumi-kubernetes-12345678", operation: "Apply" }],
  },
};
const SECRETS = "/api/v1/namespaces/certs/secrets";
const ANSWERS: Record<string, object> = {
  "/api/v1": {
    kind: "APIResourceList",
    resources: [{ name: "namespaces", kind: "Namespace", namespaced: false, verbs: ["get"] }],
  },
  "/api/v1/namespaces/demo": NAMESPACE,
  [`${SECRETS}?labelSelector=owner%3Dhelm%2Cname%3Dcert-manager`]: {
    kind: "SecretList",
    items: [
      { metadata: { name: "v1", labels: { status: "deployed" } } },
      { metadata: { name: "v2", labels: { status: "pending-upgrade" } } },
    ],
  },
  [`${SECRETS}/v1`]: { kind: "Status", status: "Success" },
  [`${SECRETS}/v2`]: { kind: "Status", status: "Success" },
};

let folder: string;
let server: Server;
let said: string[];
let written: State | undefined;
let refreshed: boolean;
let deleted: string[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "unfinished-"));
  [said, written, refreshed] = [[], undefined, false];
  deleted = [];
  server = createServer((request, response) => {
    const answer = ANSWERS[request.url ?? ""];
    if (request.method === "DELETE") {
      deleted.push(request.url?.split("/").at(-1) ?? "");
    }
    response.writeHead(answer ? 200 : 404, { "content-type": "application/json" });
    response.end(JSON.stringify(answer ?? { kind: "Status", code: 404 }));
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  const cluster = {
    name: "c",
    cluster: { server: `http://127.0.0.1:${port}`, "insecure-skip-tls-verify": true },
  };
  const context = { name: "c", context: { cluster: "c", user: "u" } };
  const kubeconfig = { clusters: [cluster], contexts: [context], users: [{ name: "u", user: {} }] };
  writeFileSync(join(folder, "kubeconfig"), JSON.stringify(kubeconfig));
});

afterEach(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

/** An interrupted creation of an object of v1. */
function creation(kind: string, name: string, labels: object = LABELS): PendingOperation {
  const type = `kubernetes:core/v1:${kind}`;
  return {
    type: "creating",
    resource: {
      urn: `urn:pulumi:dev::ml-platform::${type}::of-${name}`,
      type,
      custom: true,
      provider: `${PROVIDER}::1`,
      inputs: { apiVersion: "v1", kind, metadata: { name, labels } },
    },
  };
}

/** Finishes the interrupted operations of a state, with an engine that only stores states. */
function finish(...operations: PendingOperation[]): Promise<void> {
  const provider = { urn: PROVIDER, type: "pulumi:providers:kubernetes", id: "1" };
  const resources = [{ ...provider, inputs: { kubeconfig: "kubeconfig", context: "c" } }];
  const state = { version: 3, deployment: { resources, pending_operations: operations } };
  const open = {
    workDir: folder,
    options: {},
    stack: {
      name: "dev",
      workspace: { whoAmI: async () => ({ url: `file://${folder}` }) },
      refresh: async () => {
        refreshed = true;
      },
    },
    pulumi: async ([, what]: string[], input = "") => {
      if (what === "import") {
        written = JSON.parse(input);
      }
      return JSON.stringify(state);
    },
  } as unknown as OpenStack;
  return finishInterrupted(open, new AbortController().signal, (line) => void said.push(line));
}

describe("an interrupted operation", () => {
  test("may not exist: then nothing is changed", async () => {
    await finish();
    expect([said, written, refreshed]).toEqual([[], undefined, false]);
  });

  test("is completed if the object exists, which the state adopts, and removed from the state otherwise", async () => {
    await finish(creation("Namespace", "demo"), creation("Namespace", "other"));
    expect(written?.deployment.resources?.slice(1).map(({ id }) => id)).toEqual(["demo"]);
    expect(written?.deployment.pending_operations).toEqual([]);
    expect(said).toEqual([
      "stack dev: 2 interrupted operation(s); looking them up",
      "  Namespace of-demo: Namespace demo is adopted",
      "  Namespace of-other: was not created",
    ]);
    expect(refreshed).toBe(true);
  });

  test("is removed from the state if the cluster does not have the kind", async () => {
    await finish(creation("Gone", "demo"));
    expect(said.at(-1)).toBe("  Gone of-demo: was not created");
  });

  test("is removed from the state and refreshed if it is not a creation", async () => {
    await finish({ ...creation("Namespace", "demo"), type: "updating" });
    expect(written?.deployment).toMatchObject({ resources: [{}], pending_operations: [] });
    expect(refreshed).toBe(true);
  });

  test.each([
    ["creating", ["v1", "v2"]],
    ["updating", ["v2"]],
  ] as const)(
    "of a Helm release (%s) is repeated, after the records of the release that block it are deleted",
    async (type, records) => {
      await finish({
        type,
        resource: {
          urn: "urn:pulumi:dev::ml-platform::kubernetes:helm.sh/v3:Release::certs",
          type: "kubernetes:helm.sh/v3:Release",
          custom: true,
          provider: `${PROVIDER}::1`,
          inputs: { name: "cert-manager", namespace: "certs" },
        },
      });
      expect(deleted).toEqual(records);
      expect(written?.deployment).toMatchObject({ resources: [{}], pending_operations: [] });
      expect(refreshed).toBe(true);
    },
  );

  test.each([
    [
      "finds an object with other labels",
      creation("Namespace", "demo", { team: "else" }),
      /looks like somebody/,
    ],
    [
      "has a provider that the state does not contain",
      {
        ...creation("Namespace", "demo"),
        resource: { ...creation("Namespace", "demo").resource, provider: "urn::other::1" },
      },
      /the state does not contain its provider/,
    ],
    [
      "has a type that cannot be looked up",
      {
        type: "creating" as const,
        resource: { urn: "a::b::aws:s3:Bucket::store", type: "aws:s3:Bucket", custom: true },
      },
      /creation of store .* npm run pulumi -- refresh .*--clear-pending-creates --stack dev/,
    ],
  ])("stops the command without changes if it %s", async (_what, operation, message) => {
    await expect(finish(operation)).rejects.toThrow(message);
    expect([written, refreshed]).toEqual([undefined, false]);
  });

  test("stops the command if the cluster does not respond", async () => {
    await new Promise((closed) => server.close(closed));
    await expect(finish(creation("Namespace", "demo"))).rejects.toThrow(
      /Namespace demo was interrupted, and the cluster does not tell .*ECONNREFUSED.*try again/,
    );
    expect(written).toBeUndefined();
  });
});
