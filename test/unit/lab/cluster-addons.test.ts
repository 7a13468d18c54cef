import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import {
  addonFiles,
  missingPods,
  notRolledOut,
  podProblems,
  renderAddon,
  renderAddons,
  toYaml,
} from "../../../lab/cluster/addons";
import { SERVICE_DNS } from "../../../lab/cluster/cidrs";
import { PAUSE_IMAGE } from "../../../lab/cluster/node";
import { forwardDirective } from "../../../lab/cluster/resolvers";
import { recipes } from "../../../lab/images/recipes";

const DIGEST = `sha256:${"a".repeat(64)}`;
const images = Object.fromEntries(recipes.map(({ reference }) => [reference, DIGEST]));
const variables = {
  VOLUMES: "/run/ml-lab/unit/volumes",
  FORWARD: "forward . 10.1.1.1",
  CA_BUNDLE: "Y2E=",
  METRICS_SERVER_CRT: "Y3J0",
  METRICS_SERVER_KEY: "a2V5",
};
const values = { variables, images, registryPort: 5001 };

interface Container {
  readonly name: string;
  readonly image: string;
  readonly args: string[];
  readonly securityContext: object;
  readonly resources: object;
}
interface Deployment {
  readonly metadata: { name: string };
  readonly spec: { template: { spec: { containers: Container[] } } };
}
const manifests = renderAddons(values);
const deployments = manifests.filter(
  ({ kind }) => kind === "Deployment",
) as unknown as Deployment[];

describe("the add-ons", () => {
  it("use only images that the lab provides, by digest, from its registry", () => {
    const used = deployments.flatMap(({ spec }) => spec.template.spec.containers);
    expect(used).toHaveLength(4);
    for (const { image } of used) {
      expect(image).toMatch(/^127\.0\.0\.1:5001\/[^@:]+@sha256:a{64}$/);
    }
    expect(images).toHaveProperty([PAUSE_IMAGE]);
  });

  it("have a security context and a memory limit in every container", () => {
    for (const container of deployments.flatMap(({ spec }) => spec.template.spec.containers)) {
      expect(container).toMatchObject({
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        },
        resources: {
          requests: { cpu: expect.any(String) },
          limits: { memory: expect.any(String) },
        },
      });
    }
  });

  it("bind no account to cluster-admin", () => {
    const text = toYaml(manifests);
    expect(text).not.toContain("cluster-admin");
    expect(text).not.toMatch(/- "?\*"?$/m);
  });

  it("have DNS at the address that the kubelet gives to pods", () => {
    const service = manifests.find(({ metadata }) => metadata.name === "kube-dns");
    expect(service).toMatchObject({ kind: "Service", spec: { clusterIP: SERVICE_DNS } });
  });

  it("forward other names to the machine's name servers, if it has any", () => {
    const corefile = (FORWARD: string) => {
      const objects = renderAddons({ ...values, variables: { ...variables, FORWARD } });
      const found = objects.find(
        ({ kind, metadata }) => kind === "ConfigMap" && metadata.name === "coredns",
      );
      return String((found?.data as Record<string, string> | undefined)?.Corefile);
    };
    expect(corefile(forwardDirective(["10.1.1.1", "10.1.1.2"]))).toMatch(
      /^ {4}forward \. 10\.1\.1\.1 10\.1\.1\.2$/m,
    );
    const offline = corefile(forwardDirective([]));
    expect(offline).not.toContain("forward");
    expect(offline).toMatch(/\}\s+cache 30\n/);
  });

  it("have one default class of each kind", () => {
    const defaults = manifests.filter((it) => JSON.stringify(it).includes("is-default-class"));
    expect(defaults.map(({ kind, metadata }) => [kind, metadata.name])).toEqual([
      ["StorageClass", "standard"],
      ["IngressClass", "traefik"],
    ]);
  });

  it("do not set the variable that Kubernetes sets for Traefik", () => {
    const traefik = deployments.find(({ metadata }) => metadata.name === "traefik");
    expect(traefik?.spec.template.spec.containers[0]?.args.join(" ")).toContain("$(NODE_ADDRESS)");
  });

  it("are sorted by file name", () => {
    const names = addonFiles().map(({ name }) => name);
    expect(names).toEqual([...names].sort());
  });
});

describe("renderAddon", () => {
  const file = (image: string) => `kind: Pod\nspec: { containers: [{ image: ${image} }] }\n`;

  it("keeps the port of a registry and drops the tag", () => {
    const known = { ...values, images: { "r.example:5000/a/b:v1": DIGEST } };
    const [pod] = renderAddon("x.yaml", file('"r.example:5000/a/b:v1"'), known);
    expect(JSON.stringify(pod)).toContain(`127.0.0.1:5001/r.example:5000/a/b@${DIGEST}`);
  });

  it("names the file and the unknown image", () => {
    expect(() => renderAddon("x.yaml", file("busybox"), values)).toThrow(
      "lab/addons/x.yaml: the lab provides no image busybox.",
    );
  });

  it("names the file and the variable without a value", () => {
    expect(() => renderAddon("x.yaml", `kind: \${NOPE}`, values)).toThrow(
      `lab/addons/x.yaml: no value for \${NOPE}.`,
    );
  });
});

describe("toYaml", () => {
  it("writes one document per object", () => {
    const documents = toYaml(manifests).split(/^---$/m);
    expect(documents).toHaveLength(manifests.length);
    expect(parse(documents[0] ?? "").kind).toBe(manifests[0]?.kind);
  });
});

describe("missingPods", () => {
  const pod = (name: string, ready: boolean, id: string) => ({
    metadata: { name },
    status: { containerStatuses: [{ ready, containerID: `containerd://${id}` }] },
  });
  const running = new Set(["c1"]);

  it("accepts a ready pod with a running container", () => {
    expect(missingPods(["coredns"], [pod("coredns-abc-x1", true, "c1")], running)).toEqual([]);
  });

  it.each([
    ["no pod", []],
    ["an old status", [pod("coredns-abc-x1", true, "gone")]],
    ["a pod that is not ready", [pod("coredns-abc-x1", false, "c1")]],
    ["a pod without containers", [{ metadata: { name: "coredns-abc-x1" } }]],
    ["another deployment's pod", [pod("coredns-metrics-abc-x1", true, "c1")]],
  ])("does not accept %s", (_, pods) => {
    expect(missingPods(["coredns"], pods, running)).toEqual(["coredns"]);
  });
});

describe("notRolledOut", () => {
  const pods = [
    {
      metadata: { name: "coredns-abc-x1" },
      status: { containerStatuses: [{ ready: true, containerID: "containerd://c1" }] },
    },
  ];
  const deployment = (generation: number, updatedReplicas: number, availableReplicas: number) => ({
    metadata: { name: "coredns", generation },
    status: { observedGeneration: 2, updatedReplicas, availableReplicas },
  });
  const missing = (...deployments: ReturnType<typeof deployment>[]) =>
    notRolledOut(["coredns"], deployments, pods, new Set(["c1"]));

  it("accepts a Deployment whose current version is available", () => {
    expect(missing(deployment(2, 1, 1))).toEqual([]);
  });

  it.each([
    ["a missing one", []],
    ["one whose change is not observed yet", [deployment(3, 1, 1)]],
    ["one with only an old pod", [deployment(2, 0, 1)]],
    ["one that is not available", [deployment(2, 1, 0)]],
  ])("does not accept %s", (_, deployments) => {
    expect(missing(...deployments)).toEqual(["coredns"]);
  });
});

describe("podProblems", () => {
  it("lists why a container waits, and how often it has restarted", () => {
    const waiting = { reason: "CrashLoopBackOff", message: "back-off 40s" };
    const status = {
      containerStatuses: [
        { ready: true },
        { ready: false },
        { ready: false, restartCount: 3, state: { waiting } },
      ],
    };
    expect(podProblems([{ metadata: { name: "a" }, status }, { metadata: { name: "b" } }])).toEqual(
      ["a: not ready", "a: CrashLoopBackOff: back-off 40s, restarted 3 times"],
    );
  });
});
