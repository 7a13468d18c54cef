import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import {
  contextStackName,
  type OwnCluster,
  ownClusterPolicy,
  ownClusterStack,
  ownStack,
  requireContext,
} from "../../../../cli/cluster/own";
import { configOf, stackConfig } from "../../../../cli/stack/file";
import type { StackConfig } from "../../../../components/config/schema";
import { CATALOGUE } from "../../../../components/images/catalogue";
import { configSchema } from "../../../../policy/config/schema";

const folder = mkdtempSync(join(tmpdir(), "own-cluster-"));
const policies = join(folder, "policy", "stacks");
beforeAll(() => void mkdirSync(policies, { recursive: true }));
afterAll(() => rmSync(folder, { recursive: true }));

const REACHED = {
  registry: "ghcr.io/acme",
  domain: "ml.example.com",
  ingressNamespace: "ingress-nginx",
};
const EVERYTHING: Required<OwnCluster> = {
  ...REACHED,
  context: "kind",
  mirror: "mirror.example.com",
  builder: "remote",
  caFile: "/etc/ssl/proxy.pem",
  ingressClass: "nginx",
  ingressPort: 8080,
  issuer: "letsencrypt",
  storageClass: "fast",
};

const stackText = (name: string) => readFileSync(join(folder, `Pulumi.${name}.yaml`), "utf8");

/** The missing options that the error of a call lists, one per line. */
function missing(call: () => unknown): string[] {
  try {
    call();
  } catch (error) {
    return [...(error as Error).message.matchAll(/^ {2}(--\S+)/gm)].map(
      ([, option = ""]) => option,
    );
  }
  return [];
}

describe("the stack file of an existing cluster", () => {
  it.each([
    [{}, ["--registry", "--domain", "--ingress-namespace"]],
    [{ registry: "ghcr.io/acme" }, ["--domain", "--ingress-namespace"]],
    [{ registry: "ghcr.io/acme", domain: "ml.example.com" }, ["--ingress-namespace"]],
  ])("lists all missing options in one error: given %j, missing %j", (given, options) => {
    expect(missing(() => ownClusterStack({ context: "kind", ...given }))).toEqual(options);
  });

  it("is the dev stack without the settings of the lab, with the value of every option", () => {
    const text = ownClusterStack(EVERYTHING);
    expect(text).not.toMatch(/\.lab|127\.0\.0\.1|expose|gateway|encryptionsalt/);
    const { cluster, images, platform, team, retainData } = configOf(text, "Pulumi.kind.yaml");
    expect(cluster).toEqual({ context: "kind" });
    expect(parse(text).config["ml-platform:images"]).toEqual({
      lock: "images.kind.lock.json",
      registry: "ghcr.io/acme",
      mirror: "mirror.example.com",
      builder: "remote",
      caFile: "/etc/ssl/proxy.pem",
    });
    expect(images.context).toBe("app");
    expect(platform?.ingress).toEqual({
      className: "nginx",
      namespace: "ingress-nginx",
      domain: "ml.example.com",
      port: 8080,
      issuer: "letsencrypt",
    });
    expect(platform?.prometheus).toMatchObject({ storageClass: "fast" });
    expect(team?.data.storageClass).toBe("fast");
    expect(team?.tracking.storageClass).toBe("fast");
    expect(retainData).toBe(true);
  });

  it("has TLS, and a policy that requires it, if there is an issuer", () => {
    const files = (issuer?: string) => {
      const cluster = { context: "kind", ...REACHED, ...(issuer && { issuer }) };
      const { config } = parse(ownClusterStack(cluster));
      const { network } = JSON.parse(ownClusterPolicy(cluster));
      return [config["ml-platform:platform"].ingress.issuer, network.requireTls];
    };
    expect(files("letsencrypt")).toEqual(["letsencrypt", true]);
    expect(files()).toEqual([undefined, false]);
  });

  it("allows images only from its registry, and from the registries of the catalogue or from the mirror", () => {
    const allowed = (cluster: OwnCluster) =>
      configSchema.parse(JSON.parse(ownClusterPolicy(cluster))).images.registries;
    const upstream = new Set(Object.values(CATALOGUE).map((image) => image.split("/")[0]));
    expect(allowed(REACHED)).toEqual(["ghcr.io/acme", ...upstream].sort());
    expect(allowed({ ...REACHED, mirror: "a.example" })).toEqual(["a.example", "ghcr.io/acme"]);
  });

  it("allows the namespace of its ingress controller in addition to the default namespaces of the policies", () => {
    const peers = (ingressNamespace: string) =>
      configSchema.parse(JSON.parse(ownClusterPolicy({ ...REACHED, ingressNamespace }))).network
        .peers;
    const usual = configSchema.parse({}).network.peers;
    expect(peers("istio-system")).toEqual([...usual, "istio-system"]);
    expect(peers("ingress-nginx")).toEqual(usual);
  });

  it("has a unique id, also for the same context", () => {
    const id = () =>
      configOf(ownClusterStack({ context: "kind", ...REACHED }), "Pulumi.kind.yaml").id;
    expect(id()).toMatch(/^[0-9a-f]{8}$/);
    expect(id()).not.toBe(id());
  });

  it("has a stack name that is made from the context, with the characters that Pulumi allows", () => {
    expect(contextStackName("arn:aws:eks:eu:1:cluster/ml_1")).toBe("arn-aws-eks-eu-1-cluster-ml_1");
  });
});

describe("the stack of an existing cluster", () => {
  const checked: StackConfig[] = [];
  const check = async (config: StackConfig) => void checked.push(config);
  const open = (cluster: OwnCluster & { context: string }) => ownStack(cluster, check, folder);

  it("is written once, and used again with the same options or with only the context", async () => {
    const options = { ...EVERYTHING, context: "kind/a" };
    expect(await open(options)).toBe("kind-a");
    const text = stackText("kind-a");
    expect(stackConfig("kind-a", folder).cluster?.context).toBe("kind/a");
    expect(readFileSync(join(policies, "kind-a.json"), "utf8")).toBe(ownClusterPolicy(options));
    expect(await open(options)).toBe("kind-a");
    expect(await open({ context: "kind/a" })).toBe("kind-a");
    expect(stackText("kind-a")).toBe(text);
  });

  it("has the name of the option --stack", async () => {
    const options = { ...REACHED, context: "dev" };
    expect(await ownStack(options, check, folder, "laptop")).toBe("laptop");
    expect(stackConfig("laptop", folder).cluster?.context).toBe("dev");
  });

  it("is an error if its options are given without a context", () => {
    expect(() => requireContext({ registry: "ghcr.io/acme", ingressPort: 8081 })).toThrow(
      /^--registry, --ingress-port: only with --context/,
    );
    expect(() => requireContext({ context: "kind", registry: "ghcr.io/acme" })).not.toThrow();
    expect(() => requireContext({})).not.toThrow();
  });

  it("is checked by every run", async () => {
    const before = checked.length;
    await open({ context: "kind/a" });
    await open({ context: "kind/b", ...REACHED });
    expect(checked.slice(before).map(({ cluster }) => cluster?.context)).toEqual([
      "kind/a",
      "kind/b",
    ]);
  });

  it("is not written if an option is missing or the check fails", async () => {
    await expect(open({ context: "bare" })).rejects.toThrow("--registry");
    const refuse = () => Promise.reject(new Error("no such cluster"));
    await expect(ownStack({ context: "bare", ...REACHED }, refuse, folder)).rejects.toThrow(
      "no such cluster",
    );
    expect(existsSync(join(folder, "Pulumi.bare.yaml"))).toBe(false);
    expect(existsSync(join(policies, "bare.json"))).toBe(false);
  });

  it("is refused if its file is for another cluster or differs from an option", async () => {
    writeFileSync(
      join(folder, "Pulumi.prod-eu.yaml"),
      "config: {'ml-platform:cluster': {context: prod/eu}, 'ml-platform:platform': {}}",
    );
    await expect(open({ context: "prod:eu" })).rejects.toThrow(
      /Pulumi\.prod-eu\.yaml is for another cluster than the context prod:eu; .+--stack$/,
    );
    await expect(
      open({ context: "prod/eu", domain: "ml.example.com", builder: "remote" }),
    ).rejects.toThrow(
      /Pulumi\.prod-eu\.yaml exists already.+\n {2}platform\.ingress\.domain: localhost, not ml\.example\.com\n {2}images\.builder: not set, not remote$/,
    );
    await expect(open({ ...EVERYTHING, context: "kind/a", registry: "x.io/y" })).rejects.toThrow(
      /images\.registry: ghcr\.io\/acme, not x\.io\/y$/,
    );
  });
});
