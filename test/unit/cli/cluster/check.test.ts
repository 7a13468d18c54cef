import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkCluster } from "../../../../cli/cluster/check";
import { ownClusterStack } from "../../../../cli/cluster/own";
import { configOf } from "../../../../cli/stack/file";

const folder = mkdtempSync(join(tmpdir(), "check-cluster-"));
const kubeconfig = join(folder, "kubeconfig");
const before = process.env.KUBECONFIG;

beforeAll(() => {
  // Nothing listens on the last port of the dynamic range.
  const cluster = { server: "https://127.0.0.1:65535" };
  const contexts = ["here", "there"].map((name) => ({
    name,
    context: { cluster: "gone", user: "me" },
  }));
  const config = { clusters: [{ name: "gone", cluster }], users: [{ name: "me" }], contexts };
  writeFileSync(kubeconfig, JSON.stringify(config));
  process.env.KUBECONFIG = kubeconfig;
});

afterAll(() => {
  if (before === undefined) {
    delete process.env.KUBECONFIG;
  } else {
    process.env.KUBECONFIG = before;
  }
  rmSync(folder, { recursive: true });
});

/** The error of the check of a stack file with this context and these options; empty if the check succeeds. */
async function refusal(context: string, others = {}): Promise<string> {
  const reached = { registry: "127.0.0.1:1/a", domain: "ml.example.com", ingressNamespace: "web" };
  const text = ownClusterStack({ context, ...reached, ...others });
  const check = async () => checkCluster(configOf(text, "Pulumi.a.yaml"));
  return check().then(
    () => "",
    (error: Error) => error.message,
  );
}

describe("a cluster is refused", () => {
  it("if no kubeconfig has the context, with the list of its contexts", async () => {
    expect(await refusal("nowhere")).toBe(
      `${kubeconfig} has no context nowhere; it has: here, there`,
    );
  });

  it("if there is no kubeconfig", async () => {
    const home = process.env.HOME;
    delete process.env.KUBECONFIG;
    process.env.HOME = folder;
    try {
      expect(await refusal("nowhere")).toBe("~/.kube/config has no context nowhere; it has: none");
    } finally {
      process.env.HOME = home;
      process.env.KUBECONFIG = kubeconfig;
    }
  });

  it("if it does not respond, with its address and the reason", async () => {
    expect(await refusal("here")).toMatch(
      /^the cluster at https:\/\/127\.0\.0\.1:65535 cannot be reached \(connect ECONNREFUSED/,
    );
  });

  it("if an option violates the schema, before any request", async () => {
    expect(await refusal("nowhere", { domain: "No_Host", storageClass: "a b" })).toMatch(
      /^Pulumi\.a\.yaml: the stack's configuration has 4 errors; nothing was changed:(\n {2}ml-platform:\S+: must be .+){4}$/,
    );
  });
});
