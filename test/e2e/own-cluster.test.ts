import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { type LabInfo, resetLab, startLab } from "../../lab/cluster/lab";
import { labTools } from "../../lab/tools";
import { ensurePulumi, pulumiTools } from "../../toolchain/pulumi";
import { createInOtherStack } from "../support/existing-object";
import { Kubectl } from "../support/kubectl";
import { type CommandResult, PlainUser } from "../support/plain-user";

const MINUTE = 60_000;
const PLUGINS = [
  "pulumi",
  "pulumi-resource-kubernetes",
  "pulumi-resource-docker-build",
  "pulumi-resource-pulumi-nodejs",
] as const;
const ANNOTATION = "{.metadata.annotations.ml-platform/stack}";

/** The lab's kubeconfig with another cluster, which is the current one and does not respond. */
function mergedKubeconfig(lab: LabInfo): string {
  const { contexts, clusters, users, ...rest } = parse(readFileSync(lab.kubeconfig, "utf8"));
  const gone = { name: "gone", cluster: { server: "https://127.0.0.1:64999" } };
  return stringify({
    ...rest,
    clusters: [gone, ...clusters],
    users,
    contexts: [{ name: "gone", context: { cluster: "gone", user: users[0].name } }, ...contexts],
    "current-context": "gone",
  });
}

// The tests run in order: one user corrects wrong options, and another one uses the same cluster later.
describe("a stack on an existing cluster, for a user without root", () => {
  const root = mkdtempSync(join(tmpdir(), "own-cluster-"));
  const where = { name: `own-${process.pid.toString(36)}`, folder: join(root, "lab") };
  let lab: LabInfo;
  let kubectl: Kubectl;
  let user: PlainUser;
  let checkout: string;
  let otherCheckout: string;
  let deniedRegistry: Server;

  /** The options for the lab, with changes. */
  const options = (changes: Record<string, string> = {}): string[] => {
    const defaults = {
      context: lab.context,
      registry: `${lab.registry}/acme`,
      mirror: lab.registry,
      "ca-file": lab.ca,
      domain: "localhost",
      "ingress-class": "traefik",
      "ingress-namespace": "kube-system",
      "ingress-port": new URL(lab.ingress).port,
      "storage-class": "standard",
    };
    return Object.entries({ ...defaults, ...changes }).flatMap(([name, value]) => [
      `--${name}`,
      value,
    ]);
  };
  const start = (folder: string, changes?: Record<string, string>): Promise<CommandResult> =>
    user.npm(folder, ["start", "--", ...options(changes)]);
  const annotationOf = (name: string) =>
    kubectl.run("get", "namespace", name, "-o", `jsonpath=${ANNOTATION}`);

  beforeAll(async () => {
    lab = await startLab(where, console.log);
    kubectl = await Kubectl.of(lab.kubeconfig);
    // The folder of the lab belongs to root, so files for the user are copies.
    chmodSync(root, 0o755);
    const { command } = await ensurePulumi(console.log);
    const plugins = await pulumiTools.ensure(PLUGINS, console.log);
    user = PlainUser.create(join(root, "user"), [...new Set([command, ...plugins.values()])]);
    user.write(".kube/config", mergedKubeconfig(lab));
    const buildx = (await labTools.ensure(["buildx"], console.log)).get("buildx") ?? "";
    await user.useBuilder(buildx, `/run/ml-lab/${where.name}/buildkit/buildkitd.sock`);
    checkout = await user.checkout("checkout");
    otherCheckout = await user.checkout("other-checkout");
    deniedRegistry = createServer((_request, response) => response.writeHead(403).end());
    await new Promise<void>((resolve) => deniedRegistry.listen(0, "127.0.0.1", resolve));
  }, 60 * MINUTE);

  afterAll(async () => {
    deniedRegistry?.close();
    user?.close();
    await resetLab(where, console.log);
    rmSync(root, { recursive: true });
  }, 5 * MINUTE);

  it(
    "is refused before anything is written if the options do not match the cluster, with the reasons",
    async () => {
      const files = readdirSync(checkout).sort();
      const registry = `127.0.0.1:${(deniedRegistry.address() as AddressInfo).port}`;
      const wrong: [Record<string, string>, RegExp[]][] = [
        [
          { context: "gone" },
          [/cluster at https:\/\/127\.0\.0\.1:64999 cannot be reached \(connect ECONNREFUSED/],
        ],
        [
          {
            registry: `${registry}/acme`,
            "ingress-class": "nginx",
            "ingress-namespace": "ingress-nginx",
            "storage-class": "fast",
          },
          [
            /images\.registry: \S+ 127\S+ refuses a push with status 403; log in with `docker login/,
            /className: the cluster has no IngressClass nginx; there are: traefik/,
            /ingress\.namespace: the cluster has no Namespace ingress-nginx; there are: .*kube-system/,
            /team\.data\.storageClass: the cluster has no StorageClass fast; there are: standard/,
          ],
        ],
      ];
      for (const [changes, reasons] of wrong) {
        const { code, output } = await start(checkout, changes);
        expect(code).toBe(1);
        for (const reason of reasons) {
          expect(output).toMatch(reason);
        }
        expect(output).not.toMatch(/^\s+at /m);
      }
      expect(readdirSync(checkout).sort()).toEqual(files);
      expect(
        await kubectl.list("namespaces", "-l", "app.kubernetes.io/part-of=ml-platform"),
      ).toEqual([]);
    },
    2 * MINUTE,
  );

  it(
    "does not take over an existing namespace: the update fails at its preview",
    async () => {
      await kubectl.run("create", "namespace", "demo");
      const before = await kubectl.run("get", "namespace", "demo", "-o", "yaml");
      const { code, output } = await start(checkout);
      expect(code).toBe(1);
      expect(output).toMatch(/✗ error: .*namespace demo exists already and belongs to no stack/);
      expect(output).not.toContain(": updating");
      expect(await kubectl.run("get", "namespace", "demo", "-o", "yaml")).toBe(before);
      await kubectl.run("delete", "namespace", "demo");
    },
    2 * MINUTE,
  );

  it(
    "is created by the same command once the namespace is deleted, and predicts through the Ingress",
    async () => {
      const { code, output } = await start(checkout);
      expect(code).toBe(0);
      expect(output).toMatch(/\{"features":\[32\.1,101\]\} → \{"prediction":\[[\d.]+\]\}/);
      expect(output).toContain(`npm run destroy -- --stack ${lab.context}`);
      expect(existsSync(join(checkout, ".lab"))).toBe(false);
      expect(await annotationOf("demo")).toMatch(
        new RegExp(`^organization/ml-platform/${lab.context}/[0-9a-f]{8}$`),
      );
    },
    10 * MINUTE,
  );

  it(
    "is not changed if the same command runs again",
    async () => {
      const { code, output } = await start(checkout);
      expect(code).toBe(0);
      expect(output).toMatch(/Resources:\s+\d+ unchanged/);
    },
    5 * MINUTE,
  );

  it(
    "is neither taken over nor deleted by a stack of the same name in another checkout",
    async () => {
      const stack = await annotationOf("demo");
      const { code, output } = await start(otherCheckout);
      expect(code).toBe(1);
      // The namespace of the platform comes first, as the team depends on the platform.
      expect(output).toContain(
        `namespace ml-platform exists already and belongs to the stack ${stack}`,
      );
      expect(output).not.toContain(": updating");
      const args = ["run", "destroy", "--", "--stack", lab.context, "--yes"];
      expect((await user.npm(otherCheckout, args)).code).toBe(0);
      expect(await annotationOf("demo")).toBe(stack);
      expect(await annotationOf("ml-platform")).toBe(stack);
    },
    2 * MINUTE,
  );

  it(
    "needs its own check before provider 4.29, which takes over an existing namespace; later ones refuse it",
    async () => {
      await kubectl.run("create", "namespace", "somebodys");
      const { version, failure } = await createInOtherStack(lab, "somebodys");
      const refuses = version.localeCompare("4.29.0", "en", { numeric: true }) >= 0;
      if (refuses) {
        expect(failure).toMatch(/already exists/);
      } else {
        expect(failure).toBeUndefined();
      }
      // A namespace that was taken over is deleted with the stack.
      const left = await kubectl.list("namespaces", "--field-selector=metadata.name=somebodys");
      expect(left).toHaveLength(refuses ? 1 : 0);
    },
    2 * MINUTE,
  );
});
