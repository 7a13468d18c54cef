import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { connectTo } from "../../../cli/http";
import { contextStackName, ownClusterPolicy, ownClusterStack } from "../../../cli/own-cluster";
import { SCHEMA_FILE, stackFileSchema, withTable } from "../../../cli/schema";
import { environment, labOf, ROOT, stackConfig } from "../../../cli/stack";
import { chooseStack } from "../../../cli/start";
import { rate } from "../../../cli/summary";
import { CATALOGUE } from "../../../components/images";
import { stackSchema } from "../../../components/schema";
import { recipes } from "../../../lab/images/recipes";

const folder = mkdtempSync(join(tmpdir(), "stacks-"));
afterAll(() => rmSync(folder, { recursive: true }));

function stackFile(name: string, text: string): void {
  writeFileSync(join(folder, `Pulumi.${name}.yaml`), text);
}

describe("a stack file", () => {
  it("names a lab by the place of its kubeconfig", () => {
    stackFile("a", "config: {'ml-platform:cluster': {kubeconfig: .lab/dev/kubeconfig}}");
    stackFile("b", "config: {'ml-platform:cluster': {kubeconfig: ./.lab/x-1/kubeconfig}}");
    stackFile("c", "config: {'ml-platform:cluster': {kubeconfig: /home/me/.kube/config}}");
    stackFile("d", "config: {}");
    expect(["a", "b", "c", "d"].map((name) => labOf(name, folder))).toEqual([
      "dev",
      "x-1",
      undefined,
      undefined,
    ]);
  });

  it("is read for the program's own keys alone", () => {
    stackFile("e", "config: {'aws:team': {name: x}, 'ml-platform:team': {name: demo}}");
    expect(stackConfig("e", folder)).toEqual({ team: { name: "demo" } });
  });

  it("is asked for by name where it is missing", () => {
    expect(() => stackConfig("nope", folder)).toThrow(/Pulumi\.nope\.yaml.*--stack/);
  });

  it.each(["dev", "platform", "team"])("that the repository has, %s, passes the schema", (name) => {
    const { config } = parse(readFileSync(join(ROOT, `Pulumi.${name}.yaml`), "utf8"));
    const ours = Object.entries(config)
      .filter(([key]) => key.startsWith("ml-platform:"))
      .map(([key, value]) => [key.slice("ml-platform:".length), value]);
    expect(stackSchema.safeParse(Object.fromEntries(ours)).error?.issues).toBeUndefined();
  });
});

const REACHED = {
  registry: "ghcr.io/acme",
  domain: "ml.example.com",
  ingressNamespace: "ingress-nginx",
};

/** The options that an error asks for, one a line. */
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

describe("a cluster of one's own", () => {
  it.each([
    [{}, ["--registry", "--domain", "--ingress-namespace"]],
    [{ registry: "ghcr.io/acme" }, ["--domain", "--ingress-namespace"]],
    [{ registry: "ghcr.io/acme", domain: "ml.example.com" }, ["--ingress-namespace"]],
  ])("given %j, asks for all that is missing at once: %j", (given, options) => {
    expect(missing(() => ownClusterStack({ context: "kind", ...given }))).toEqual(options);
  });

  it("gets the dev stack without what is the lab's", () => {
    const text = ownClusterStack({
      context: "kind",
      ...REACHED,
      ingressClass: "nginx",
      storageClass: "fast",
    });
    const { config } = parse(text);
    expect(text).not.toMatch(/\.lab|127\.0\.0\.1|8080|expose/);
    expect(config["ml-platform:cluster"]).toEqual({ context: "kind" });
    expect(config["ml-platform:platform"].ingress).toEqual({
      className: "nginx",
      namespace: "ingress-nginx",
      domain: "ml.example.com",
    });
    expect(config["ml-platform:team"].data).toEqual({ storageClass: "fast" });
    expect(config["ml-platform:retainData"]).toBeUndefined();
  });

  it("has TLS, and a policy that asks for it, where there is an issuer", () => {
    const files = (issuer?: string) => {
      const cluster = { context: "kind", ...REACHED, ...(issuer && { issuer }) };
      const { config } = parse(ownClusterStack(cluster));
      const { network } = JSON.parse(ownClusterPolicy(cluster));
      return [config["ml-platform:platform"].ingress.issuer, network.requireTls];
    };
    expect(files("letsencrypt")).toEqual(["letsencrypt", true]);
    expect(files()).toEqual([undefined, false]);
  });

  it("takes images from its registry and from those of the catalogue", () => {
    const { images } = JSON.parse(ownClusterPolicy(REACHED));
    const upstream = Object.values(CATALOGUE).map((image) => image.split("/")[0]);
    expect(images.registries).toEqual(expect.arrayContaining(["ghcr.io/acme", ...upstream]));
    expect(images.registries).toHaveLength(1 + new Set(upstream).size);
  });

  it("names its stack after the context, in letters that Pulumi allows", () => {
    expect(contextStackName("arn:aws:eks:eu:1:cluster/ml_1")).toBe("arn-aws-eks-eu-1-cluster-ml_1");
  });
});

describe("the stack that is brought up", () => {
  const contextOf = (name: string) => stackConfig(name, folder).cluster?.context;
  const policies = join(folder, "policy", "stacks");
  beforeAll(() => void mkdirSync(policies, { recursive: true }));

  it("is the named one, where no context is given", () => {
    expect(chooseStack({ stack: "prod" }, folder)).toBe("prod");
    expect(existsSync(join(folder, "Pulumi.prod.yaml"))).toBe(false);
  });

  it("is written for a new context, once; then it is its owner's", () => {
    expect(chooseStack({ stack: "dev", context: "kind/a", ...REACHED }, folder)).toBe("kind-a");
    expect(contextOf("kind-a")).toBe("kind/a");
    expect(readFileSync(join(policies, "kind-a.json"), "utf8")).toBe(ownClusterPolicy(REACHED));
    stackFile("kind-a", "config: {'ml-platform:cluster': {context: kind/a}} # changed");
    expect(chooseStack({ stack: "dev", context: "kind/a" }, folder)).toBe("kind-a");
    expect(readFileSync(join(folder, "Pulumi.kind-a.yaml"), "utf8")).toContain("# changed");
  });

  it("is not written where an option is missing", () => {
    expect(() => chooseStack({ stack: "dev", context: "bare" }, folder)).toThrow("--registry");
    expect(existsSync(join(folder, "Pulumi.bare.yaml"))).toBe(false);
    expect(existsSync(join(policies, "bare.json"))).toBe(false);
  });

  it("is refused where its file is another cluster's, or would not heed an option", () => {
    stackFile("prod-eu", "config: {'ml-platform:cluster': {context: prod/eu}}");
    expect(() => chooseStack({ stack: "dev", context: "prod:eu" }, folder)).toThrow(
      /Pulumi\.prod-eu\.yaml is for another cluster than the context prod:eu; .+--stack/,
    );
    expect(() =>
      chooseStack({ stack: "dev", context: "prod/eu", domain: "ml.example.com" }, folder),
    ).toThrow(/Pulumi\.prod-eu\.yaml is there already: change it there/);
    expect(contextOf("prod-eu")).toBe("prod/eu");
  });
});

describe("Pulumi's environment", () => {
  const tools = { command: "/t/pulumi", binDirs: ["/t", "/p"] };

  it("has the tools first on PATH", () => {
    expect(environment(tools, false, { PATH: "/bin" }).PATH?.split(delimiter)).toEqual([
      "/t",
      "/p",
      join(ROOT, "node_modules", ".bin"),
      "/bin",
    ]);
  });

  it.each([
    [true, {}, ""],
    [true, { PULUMI_CONFIG_PASSPHRASE: "mine" }, undefined],
    [true, { PULUMI_CONFIG_PASSPHRASE_FILE: "/f" }, undefined],
    [false, {}, undefined],
  ])("gives the empty passphrase to local stacks alone (%s, %j)", (local, base, expected) => {
    expect(environment(tools, local, base).PULUMI_CONFIG_PASSPHRASE).toBe(expected);
  });
});

describe("names below localhost", () => {
  it("are this machine, others are looked up", () => {
    expect(connectTo(new URL("http://m.demo.localhost:8080/x"))).toEqual({
      host: "127.0.0.1",
      port: 8080,
    });
    expect(connectTo(new URL("https://m.localhost.example.com"))).toEqual({
      host: "m.localhost.example.com",
      port: 443,
    });
  });
});

it.each([
  ["1500m", "1.5"],
  ["50", "50"],
  [12, "12"],
  [undefined, "no"],
])("shows the metric %s as %s", (quantity, text) => {
  expect(rate(quantity)).toBe(text);
});

describe("what is generated from the schema", () => {
  it("is up to date: the editors' schema", () => {
    expect(JSON.parse(readFileSync(SCHEMA_FILE, "utf8"))).toEqual(stackFileSchema());
  });

  it("is up to date: the README's table", () => {
    const readme = readFileSync(join(ROOT, "README.md"), "utf8");
    expect(withTable(readme)).toBe(readme);
  });
});

it("finds every image that the dev stack needs among those that a lab provides", () => {
  const provided = recipes.map(({ reference }) => reference);
  const { devicePlugin: _gpu, ...needed } = CATALOGUE;
  expect(provided).toEqual(expect.arrayContaining(Object.values(needed)));
});
