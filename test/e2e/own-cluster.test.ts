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
import { createsAnother } from "../support/existing-object";
import { Kubectl } from "../support/kubectl";
import { type Ended, PlainUser } from "../support/plain-user";

const MINUTE = 60_000;
const PLUGINS = [
  "pulumi",
  "pulumi-resource-kubernetes",
  "pulumi-resource-docker-build",
  "pulumi-resource-pulumi-nodejs",
] as const;
const MARK = "{.metadata.annotations.ml-platform/stack}";

/** The lab's kubeconfig, beside another cluster of the user that is the current one and does not answer. */
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

// Sequential: the tests tell one story, of a user who finds the right options, and of another who comes later.
describe("a cluster of one's own, to a user without root", () => {
  const root = mkdtempSync(join(tmpdir(), "own-cluster-"));
  const where = { name: `own-${process.pid.toString(36)}`, folder: join(root, "lab") };
  let lab: LabInfo;
  let kubectl: Kubectl;
  let user: PlainUser;
  let checkout: string;
  let stranger: string;
  let closed: Server;

  /** The options that fit the lab, or others in their place. */
  const options = (others: Record<string, string> = {}): string[] => {
    const fitting = {
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
    return Object.entries({ ...fitting, ...others }).flatMap(([name, value]) => [
      `--${name}`,
      value,
    ]);
  };
  const start = (folder: string, others?: Record<string, string>): Promise<Ended> =>
    user.npm(folder, ["start", "--", ...options(others)]);
  const markOf = (name: string) => kubectl.run("get", "namespace", name, "-o", `jsonpath=${MARK}`);

  beforeAll(async () => {
    lab = await startLab(where, console.log);
    kubectl = await Kubectl.of(lab.kubeconfig);
    // The folder of the lab is root's; what a user gets of it is copied.
    chmodSync(root, 0o755);
    const { command } = await ensurePulumi(console.log);
    const plugins = await pulumiTools.ensure(PLUGINS, console.log);
    user = PlainUser.create(join(root, "user"), [...new Set([command, ...plugins.values()])]);
    user.write(".kube/config", mergedKubeconfig(lab));
    const buildx = (await labTools.ensure(["buildx"], console.log)).get("buildx") ?? "";
    await user.useBuilder(buildx, `/run/ml-lab/${where.name}/buildkit/buildkitd.sock`);
    checkout = await user.checkout("checkout");
    stranger = await user.checkout("stranger");
    closed = createServer((_request, response) => response.writeHead(403).end());
    await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
  }, 60 * MINUTE);

  afterAll(async () => {
    closed?.close();
    user?.leave();
    await resetLab(where, console.log);
    rmSync(root, { recursive: true });
  }, 5 * MINUTE);

  it(
    "is refused, with the reason and before anything is written, where it is not as the options say",
    async () => {
      const files = readdirSync(checkout).sort();
      const registry = `127.0.0.1:${(closed.address() as AddressInfo).port}`;
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
      for (const [others, reasons] of wrong) {
        const { code, output } = await start(checkout, others);
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
    "loses no namespace that is somebody else's: the update is refused at its preview",
    async () => {
      await kubectl.run("create", "namespace", "demo");
      const before = await kubectl.run("get", "namespace", "demo", "-o", "yaml");
      const { code, output } = await start(checkout);
      expect(code).toBe(1);
      expect(output).toMatch(
        /✗ error: .*namespace demo is in the cluster already and belongs to no stack/,
      );
      expect(output).not.toContain(": updating");
      expect(await kubectl.run("get", "namespace", "demo", "-o", "yaml")).toBe(before);
      await kubectl.run("delete", "namespace", "demo");
    },
    2 * MINUTE,
  );

  it(
    "comes up by the call that was refused, and predicts through the ingress",
    async () => {
      const { code, output } = await start(checkout);
      expect(code).toBe(0);
      expect(output).toMatch(/\{"features":\[32\.1,101\]\} → \{"prediction":\[[\d.]+\]\}/);
      expect(output).toContain(`npm run destroy -- --stack ${lab.context}`);
      expect(existsSync(join(checkout, ".lab"))).toBe(false);
      expect(await markOf("demo")).toMatch(
        new RegExp(`^organization/ml-platform/${lab.context}/[0-9a-f]{8}$`),
      );
    },
    10 * MINUTE,
  );

  it(
    "stays as it is by the same call once more",
    async () => {
      const { code, output } = await start(checkout);
      expect(code).toBe(0);
      expect(output).toMatch(/Resources:\s+\d+ unchanged/);
    },
    5 * MINUTE,
  );

  it(
    "is not taken over from another checkout whose stack has the same name, nor deleted by it",
    async () => {
      const mark = await markOf("demo");
      const { code, output } = await start(stranger);
      expect(code).toBe(1);
      // The platform's comes first, and the team waits for it.
      expect(output).toContain(
        `namespace ml-platform is in the cluster already and belongs to the stack ${mark}`,
      );
      expect(output).not.toContain(": updating");
      const args = ["run", "destroy", "--", "--stack", lab.context, "--yes"];
      expect((await user.npm(stranger, args)).code).toBe(0);
      expect(await markOf("demo")).toBe(mark);
      expect(await markOf("ml-platform")).toBe(mark);
    },
    2 * MINUTE,
  );

  it(
    "has what the provider alone would do: since 4.29 it refuses what is there, before it took it over",
    async () => {
      await kubectl.run("create", "namespace", "somebodys");
      const { version, failure } = await createsAnother(lab, "somebodys");
      const refuses = version.localeCompare("4.29.0", "en", { numeric: true }) >= 0;
      if (refuses) {
        expect(failure).toMatch(/already exists/);
      } else {
        expect(failure).toBeUndefined();
      }
      // What it took over went with its stack.
      const left = await kubectl.list("namespaces", "--field-selector=metadata.name=somebodys");
      expect(left).toHaveLength(refuses ? 1 : 0);
    },
    2 * MINUTE,
  );
});
