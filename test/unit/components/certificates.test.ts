import { X509Certificate } from "node:crypto";
import { describe, expect, test } from "vitest";
import { retryWithoutWebhook } from "../../../components/kubernetes/cert-manager";
import { declare } from "../../support/declare";
import { DIGEST, type Inputs, run } from "../../support/mocks";
import { only } from "../../support/objects";
import { smallStack, stackFile } from "../../support/stacks";

/** The resources of a stack with these settings of its platform. */
function platformWith(platform: Inputs, models?: Inputs[]) {
  const { config } = smallStack();
  config.platform = platform;
  if (models) {
    config.team.models = models;
  }
  return declare({ config });
}

const SELF_SIGNED = { certManager: { mode: "install" }, ingress: { issuer: { selfSigned: {} } } };

describe("an installed cert-manager", () => {
  const installed = async (certManager: Inputs = {}, other: Inputs = {}) => {
    const all = await platformWith({ certManager: { mode: "install", ...certManager }, ...other });
    const [release] = all.filter(({ type }) => type.startsWith("kubernetes-cert-manager"));
    return { all, release: release?.inputs as Inputs };
  };

  test("has the pinned version of the chart, and every image by digest", async () => {
    const { release } = await installed();
    const { image, webhook, cainjector, startupapicheck, helmOptions } = release;
    expect(helmOptions).toMatchObject({
      name: "cert-manager",
      namespace: "cert-manager",
      version: "v1.21.2",
    });
    const images = [image, webhook.image, cainjector.image, helmOptions.values.acmesolver.image];
    expect([...images, startupapicheck.image]).toEqual(
      ["controller", "webhook", "cainjector", "acmesolver", "startupapicheck"].map((name) => ({
        repository: `quay.io/jetstack/cert-manager-${name}`,
        digest: DIGEST,
      })),
    );
  });

  test("takes its chart and images from a mirror", async () => {
    const { config } = smallStack();
    const chart = "oci://mirror.example.com/charts/cert-manager";
    config.platform = { certManager: { mode: "install", chart } };
    config.images.mirror = "mirror.example.com";
    const all = await declare({ config });
    const release = all.find(({ type }) => type.startsWith("kubernetes-cert-manager"))?.inputs;
    expect(release?.helmOptions).toMatchObject({ chart, repositoryOpts: { repo: "" } });
    expect(release?.webhook.image.repository).toBe(
      "mirror.example.com/quay.io/jetstack/cert-manager-webhook",
    );
  });

  test.each([
    [true, "keeps its CRDs, and so all certificates, while data is retained"],
    [false, "leaves no CRD if data is not retained"],
  ])("with retainData: %s it %s", async (retainData) => {
    const { config } = smallStack();
    Object.assign(config, { retainData, platform: { certManager: { mode: "install" } } });
    const all = await declare({ config });
    const release = all.find(({ type }) => type.startsWith("kubernetes-cert-manager"))?.inputs;
    expect(release?.helmOptions.values.crds).toEqual({ enabled: true, keep: retainData });
    const own = all.filter(({ name }) =>
      ["platform-cert-manager-namespace", "platform-issuers-ca"].includes(name),
    );
    expect(own.map(({ options }) => options.protect)).toEqual([retainData, retainData]);
  });

  test("handles Gateways only if the platform has the Gateway API", async () => {
    const config = async (other: Inputs) => (await installed({}, other)).release.extraArgs;
    expect(await config({})).toBeUndefined();
    // As an argument, so that a change restarts the controller.
    expect(await config({ gateway: { mode: "install", className: "traefik" } })).toEqual([
      "--enable-gateway-api",
    ]);
  });

  test("passes the settings of its pods to all of them", async () => {
    const pod = {
      imagePullSecrets: ["pull"],
      priorityClassName: "critical",
      tolerations: [{ key: "infra", operator: "Exists" }],
      labels: { "example.com/cost": "platform" },
      proxy: { https: "http://proxy.example.com:3128" },
    };
    const { release } = await installed({ pod, replicas: 2, memory: "1Gi" });
    for (const one of [release, release.webhook, release.cainjector]) {
      expect(one.tolerations).toEqual(pod.tolerations);
      expect(one.podLabels).toMatchObject(pod.labels);
      expect(one.replicaCount).toBe(2);
      expect(one.resources.limits.memory).toBe("1Gi");
    }
    expect(release.global).toMatchObject({
      imagePullSecrets: [{ name: "pull" }],
      priorityClassName: "critical",
    });
    expect(release.extraEnv).toContainEqual({ name: "https_proxy", value: pod.proxy.https });
  });

  test("cannot be in the namespace of a team", async () => {
    const { config } = smallStack();
    config.platform = { certManager: { mode: "install", namespace: "demo" } };
    await expect(declare({ config })).rejects.toThrow("team.name: is a namespace of the platform");
  });
});

describe("an issuer", () => {
  test("of the platform's own signs with a CA whose certificate is an output", async () => {
    const { config } = smallStack();
    config.platform = SELF_SIGNED;
    const { default: program } = await import("../../../index");
    const { outputs, registrations } = await run(program, { config });
    const ca = new X509Certificate(outputs.certificateAuthority);
    expect(ca.ca).toBe(true);
    expect(ca.subject).toBe("CN=ml-platform CA");
    const secret = registrations.find(({ name }) => name === "platform-issuers-ca");
    expect(secret?.secrets).toEqual(["data"]);
    expect(secret?.options.ignoreChanges).toEqual(["data"]);
    expect(outputs.platform.ingress.issuer).toBe("ml-platform-ca");
    expect(outputs.models.churn).toBe("https://churn.demo.localhost");
    for (const { inputs } of registrations.filter(({ type }) => type.endsWith(":Ingress"))) {
      expect(inputs.metadata.annotations["cert-manager.io/cluster-issuer"]).toBe("ml-platform-ca");
      expect(inputs.spec.tls).toHaveLength(1);
    }
  });

  test("of a platform in another stack is trusted by the clients of a team's stack", async () => {
    const stack = stackFile("team");
    const { default: program } = await import("../../../index");
    const outputsOf = async (other: Inputs) => {
      const [[name, outputs] = ["", {}]] = Object.entries(stack.references ?? {});
      return (await run(program, { ...stack, references: { [name]: { ...outputs, ...other } } }))
        .outputs;
    };
    expect((await outputsOf({ certificateAuthority: "PEM" })).certificateAuthority).toBe("PEM");
    expect(await outputsOf({})).not.toHaveProperty("certificateAuthority");
  });

  const acme = (settings: Inputs, className?: string) =>
    platformWith({
      certManager: { mode: "existing", namespace: "certs" },
      ingress: { issuer: { acme: settings }, ...(className && { className }) },
    });
  const issuerOf = (all: Awaited<ReturnType<typeof acme>>) =>
    all.find(({ name }) => name === "platform-issuers-acme-issuer")?.inputs.spec.acme;

  test("of ACME checks host names through the ingress class, with Services that a quota allows", async () => {
    expect(issuerOf(await acme({ email: "ml@example.com" }, "nginx"))).toEqual({
      server: "https://acme-v02.api.letsencrypt.org/directory",
      email: "ml@example.com",
      privateKeySecretRef: { name: "ml-platform-acme-account" },
      solvers: [{ http01: { ingress: { serviceType: "ClusterIP", ingressClassName: "nginx" } } }],
    });
  });

  test("of ACME checks DNS records with a reference to a Secret", async () => {
    const dns01 = { cloudflare: { apiTokenSecretRef: { name: "dns", key: "token" } } };
    const server = "https://acme.example.com/directory";
    const all = await acme({ server, dns01, caBundle: "LS0t" });
    expect(issuerOf(all)).toMatchObject({ server, caBundle: "LS0t", solvers: [{ dns01 }] });
    const ca = all.find(({ name }) => name === "platform-issuers-ca")?.inputs;
    expect(ca?.metadata.namespace).toBe("certs");
    const own = all.filter(({ type }) => type.startsWith("kubernetes-cert-manager"));
    expect(own).toEqual([]);
  });

  test.each([
    [
      { ingress: { issuer: { selfSigned: {} } } },
      "platform.ingress.issuer: is created in cert-manager",
    ],
    [
      {
        certManager: { mode: "existing" },
        ingress: { issuer: { acme: { dns01: { clouds: {} } } } },
      },
      "must have one provider of acmeDNS",
    ],
    [
      { gateway: { mode: "install", className: "traefik" }, ingress: { issuer: "letsencrypt" } },
      "platform.gateway.httpsPort: is missing",
    ],
    [
      { gateway: { mode: "install", className: "traefik", port: 443, httpsPort: 443 } },
      "platform.gateway.httpsPort: is the port of HTTP",
    ],
    [
      { certManager: { mode: "install", namespace: "ml-platform" } },
      "platform.certManager.namespace: is the namespace of the platform",
    ],
    [
      { certManager: { mode: "install", namespace: "traefik" } },
      "platform.certManager.namespace: is the namespace of the ingress controller",
    ],
  ])("%j is refused", async (platform, message) => {
    await expect(platformWith(platform)).rejects.toThrow(message);
  });
});

describe("HTTP", () => {
  const annotations = async (ingress: Inputs) => {
    const all = await platformWith({ ingress });
    const middlewares = all.filter(({ type }) => type.endsWith(":Middleware"));
    const own = only(all, "Ingress").inputs.metadata.annotations;
    return { own, middlewares: middlewares.map(({ inputs }) => inputs) };
  };
  const issuer = "letsencrypt";
  const signed = { "cert-manager.io/cluster-issuer": issuer };

  test("is redirected by a middleware of Traefik", async () => {
    const { own, middlewares } = await annotations({ issuer, className: "traefik", port: 8443 });
    expect(own).toEqual({
      ...signed,
      "traefik.ingress.kubernetes.io/router.middlewares":
        "ml-platform-redirect-https@kubernetescrd",
    });
    expect(middlewares.map(({ metadata, spec }) => [metadata.name, spec])).toEqual([
      ["redirect-https", { redirectScheme: { scheme: "https", permanent: true, port: "8443" } }],
    ]);
  });

  test("is redirected by an annotation of nginx, whatever its class is called", async () => {
    const settings = { issuer, className: "public", controller: "nginx" };
    expect(await annotations(settings)).toEqual({
      own: { ...signed, "nginx.ingress.kubernetes.io/force-ssl-redirect": "true" },
      middlewares: [],
    });
  });

  test("is left to the annotations of a stack with another controller", async () => {
    const added = { "haproxy.org/ssl-redirect": "true" };
    expect(await annotations({ issuer, className: "haproxy", annotations: added })).toEqual({
      own: { ...signed, ...added },
      middlewares: [],
    });
  });

  test.each([{ className: "traefik" }, { className: "traefik", issuer, redirect: false }])(
    "is not redirected with %j",
    async (ingress) => {
      const { own, middlewares } = await annotations(ingress);
      expect(own).toEqual("issuer" in ingress ? signed : {});
      expect(middlewares).toEqual([]);
    },
  );

  test("of MLflow's UI is one of its origins if both are served", async () => {
    const { config } = smallStack();
    const ingress = { issuer, port: 8443, redirect: false, httpPort: 8080 };
    Object.assign(config, { platform: { ingress } });
    config.team.tracking = { expose: true };
    const all = await declare({ config });
    const pod = all.find(
      ({ name, type }) => name === "demo-tracking" && type.endsWith(":Deployment"),
    )?.inputs.spec.template.spec;
    expect(pod.containers[0].env).toContainEqual({
      name: "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS",
      value: "https://mlflow.demo.localhost:8443,http://mlflow.demo.localhost:8080",
    });
  });
});

describe("a route between variants, with an issuer", () => {
  const variants = [
    { name: "main", weight: 9 },
    { name: "candidate", weight: 1 },
  ];
  const gatewaysOf = async (ingress: Inputs) => {
    const gateway = { mode: "install", className: "traefik", port: 8000, httpsPort: 8443 };
    const platform = { gateway, ingress: { issuer: "letsencrypt", ...ingress } };
    const all = await platformWith(platform, [{ name: "churn", variants }]);
    const specs = (kind: string) =>
      all.filter(({ type }) => type.endsWith(`:${kind}`)).map(({ inputs }) => inputs);
    return { gateways: specs("Gateway"), routes: specs("HTTPRoute") };
  };

  test("has a Gateway of its own, with a certificate for its host", async () => {
    const annotations = { "cert-manager.io/duration": "24h", "example.com/other": "no" };
    const { gateways } = await gatewaysOf({ annotations });
    const host = "churn.demo.localhost";
    expect(gateways).toHaveLength(1);
    expect(gateways[0]?.metadata).toMatchObject({ namespace: "demo", name: "churn" });
    expect(gateways[0]?.metadata.annotations).toEqual({
      "pulumi.com/waitFor": "condition=Programmed",
      "cert-manager.io/cluster-issuer": "letsencrypt",
      "cert-manager.io/duration": "24h",
    });
    const allowedRoutes = { namespaces: { from: "Same" } };
    expect(gateways[0]?.spec.listeners).toEqual([
      { name: "http", protocol: "HTTP", port: 8000, hostname: host, allowedRoutes },
      {
        ...{ name: "https", protocol: "HTTPS", port: 8443, hostname: host, allowedRoutes },
        tls: {
          mode: "Terminate",
          certificateRefs: [{ group: "", kind: "Secret", name: "churn.gateway-tls" }],
        },
      },
    ]);
  });

  test("redirects HTTP to the port of HTTPS in URLs", async () => {
    const { routes } = await gatewaysOf({ port: 9443 });
    const [redirect] = routes.filter(({ spec }) => spec.rules[0].filters);
    expect(redirect?.spec).toMatchObject({
      parentRefs: [{ name: "churn", namespace: "demo", sectionName: "http" }],
      rules: [
        {
          filters: [
            {
              type: "RequestRedirect",
              requestRedirect: { scheme: "https", statusCode: 301, port: 9443 },
            },
          ],
        },
      ],
    });
    const [split] = routes.filter((route) => route !== redirect);
    expect(split?.spec.parentRefs).toMatchObject([{ name: "churn", sectionName: "https" }]);
  });

  test("attaches to both listeners if HTTP is served too", async () => {
    const { routes } = await gatewaysOf({ redirect: false });
    expect(routes).toHaveLength(1);
    expect(routes[0]?.spec.parentRefs).toEqual([
      { group: "gateway.networking.k8s.io", kind: "Gateway", name: "churn", namespace: "demo" },
    ]);
  });
});

describe("the metrics adapter", () => {
  test("gets its certificate from cert-manager, and the API server its CA", async () => {
    const all = await platformWith({ certManager: { mode: "existing" } });
    expect(only(all, "Certificate").inputs.spec).toMatchObject({
      secretName: "metrics-adapter-certificate",
      issuerRef: { kind: "ClusterIssuer", name: "ml-platform-ca" },
      dnsNames: [
        "metrics-adapter.ml-platform.svc",
        "metrics-adapter.ml-platform.svc.cluster.local",
      ],
    });
    const { metadata, spec } = only(all, "APIService").inputs;
    expect(metadata.annotations["cert-manager.io/inject-ca-from"]).toBe(
      "ml-platform/metrics-adapter-certificate",
    );
    expect(spec.caBundle).toBeUndefined();
  });

  test("keeps a certificate of its own without cert-manager", async () => {
    const all = await platformWith({ ingress: { issuer: "letsencrypt" } });
    expect(all.filter(({ type }) => type.endsWith(":Certificate"))).toEqual([]);
    expect(only(all, "APIService").inputs.spec.caBundle).toMatch(/^LS0t/);
  });
});

describe("cert-manager's objects, while its webhook does not answer", () => {
  const refused =
    'Internal error occurred: failed calling webhook "webhook.cert-manager.io": connect: connection refused';

  test("are tried again, for a bounded number of times", async () => {
    expect(await retryWithoutWebhook({ errors: [refused] }, 0)).toBe(true);
    expect(await retryWithoutWebhook({ errors: Array(61).fill(refused) }, 0)).toBe(false);
  });

  test.each([
    'admission webhook "webhook.cert-manager.io" denied the request: spec.secretName: Required value',
    "the server could not find the requested resource",
  ])("are an error at once: %s", async (error) => {
    expect(await retryWithoutWebhook({ errors: [error] }, 0)).toBe(false);
  });
});

test("the dev stack serves HTTPS, and HTTP for browsers that do not trust its CA", async () => {
  const { config } = stackFile("dev");
  expect(config.platform.ingress).toMatchObject({
    issuer: { selfSigned: {} },
    port: 8443,
    redirect: false,
    httpPort: 8080,
  });
});
