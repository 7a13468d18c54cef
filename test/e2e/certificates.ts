import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { connect } from "node:tls";
import { x } from "tinyexec";
import { expect, it } from "vitest";
import { send } from "../../cli/common/http";
import { SAMPLE } from "../../cli/stack/summary";
import type { LabInfo } from "../../lab/cluster/lab";
import { startAcmeServer } from "../support/acme-server";
import type { Kubectl } from "../support/kubectl";
import type { PlatformStack } from "../support/platform-stack";
import { freshRequest } from "../support/tls";
import { waitFor } from "../support/wait";

const MINUTE = 60_000;
/** cert-manager issues certificates for at least an hour; it renews these 40 seconds after it has issued them. */
const SHORT = { "cert-manager.io/duration": "1h", "cert-manager.io/renew-before": "59m20s" };

/** The condition with which `cmctl renew` has a certificate issued again. */
const ISSUE_NOW = {
  ...{ type: "Issuing", status: "True", reason: "ManuallyTriggered", message: "by a test" },
  lastTransitionTime: new Date().toISOString().replace(/\.\d+/, ""),
};

export interface Given {
  readonly platform: PlatformStack;
  readonly kubectl: Kubectl;
  readonly lab: LabInfo;
  /** Folder of the stack's files. */
  readonly folder: string;
  /** With the scheme https. */
  readonly modelUrl: string;
  /** Of the platform's own CA, PEM. */
  readonly certificateAuthority: string;
  readonly team: string;
}

/** Tests of TLS, on a stack that serves a model with its own CA. */
export function certificates(given: () => Given): void {
  const withoutTls = () => {
    const { lab, modelUrl } = given();
    return `http://${new URL(modelUrl).hostname}:${new URL(lab.ingress).port}`;
  };

  it(
    "are accepted by curl with the platform's CA, and HTTP is served too",
    async () => {
      const { certificateAuthority, folder, modelUrl } = given();
      const file = join(folder, "ca.crt");
      writeFileSync(file, certificateAuthority);
      const predict = [`${modelUrl}/predict`, "-sS", "-d", JSON.stringify(SAMPLE)];
      const trusting = await waitFor(
        "the certificate",
        60,
        async () => x("curl", ["--cacert", file, ...predict]),
        ({ exitCode }) => exitCode === 0,
      );
      expect(JSON.parse(trusting.stdout)).toHaveProperty("prediction");
      expect((await x("curl", predict)).stderr).toContain("certificate");
      const { status, body } = await send(`${withoutTls()}/predict`, SAMPLE);
      expect({ status, body }).toEqual({ status: 200, body: trusting.stdout });
    },
    MINUTE,
  );

  it("are issued to the metrics adapter, and the API server has their CA", async () => {
    const { certificateAuthority, kubectl } = given();
    const path = "jsonpath={.spec.caBundle}";
    const api = await kubectl.run("get", "apiservice", "v1beta1.custom.metrics.k8s.io", "-o", path);
    expect(Buffer.from(api, "base64").toString().trim()).toBe(certificateAuthority.trim());
  });

  it(
    "are renewed without a failed request, and HTTP is redirected",
    async () => {
      const { kubectl, lab, modelUrl, platform, team } = given();
      const { stack, options } = platform.open;
      platform.configure(
        [["platform", "ingress", "redirect"], true],
        [["platform", "ingress", "annotations"], SHORT],
      );
      await stack.up(options);
      const redirected = await waitFor(
        "the redirect",
        30,
        () => send(`${withoutTls()}/docs`),
        ({ status }) => status !== 200,
      );
      expect(redirected.status).toBe(301);
      expect(redirected.headers.location).toBe(`${modelUrl}/docs`);
      expect(modelUrl).toContain(`:${lab.httpsPort}`);

      // The present one is valid for 90 days: the next one has the new duration, and is renewed by itself.
      const issuing = JSON.stringify({ status: { conditions: [ISSUE_NOW] } });
      const patch = ["patch", "certificate", "diabetes-tls", "-n", team, "--subresource=status"];
      const serials = new Set([(await freshRequest(`${modelUrl}/docs`)).serial]);
      await kubectl.run(...patch, "--type=merge", "-p", issuing);
      const failures: string[] = [];
      const deadline = Date.now() + 3 * MINUTE;
      while (serials.size < 3 && Date.now() < deadline) {
        const answers = Array.from({ length: 4 }, () => freshRequest(`${modelUrl}/docs`));
        for (const answer of await Promise.allSettled(answers)) {
          if (answer.status === "rejected" || answer.value.status !== 200) {
            failures.push(`${answer.status === "rejected" ? answer.reason : answer.value.status}`);
          } else {
            serials.add(answer.value.serial);
          }
        }
        await setTimeout(50);
      }
      expect({ renewals: serials.size - 1, failures }).toEqual({ renewals: 2, failures: [] });
    },
    8 * MINUTE,
  );

  it(
    "are created if cert-manager's webhook is not ready at first",
    async () => {
      const { kubectl, platform } = given();
      const { stack, options } = platform.open;
      const webhook = ["deployment/cert-manager-webhook", "-n", "cert-manager"];
      platform.configure();
      await kubectl.run("scale", ...webhook, "--replicas=0");
      await kubectl.run("wait", "pods", "--for=delete", "-n", "cert-manager", ...WEBHOOK_PODS);
      await kubectl.run(
        "delete",
        "certificate",
        "metrics-adapter-certificate",
        "-n",
        "ml-platform",
      );
      const back = setTimeout(15_000).then(() => kubectl.run("scale", ...webhook, "--replicas=1"));
      const { summary } = await stack.up({ ...options, refresh: true });
      await back;
      expect(summary.result).toBe("succeeded");
      const ready = ["--for=condition=Ready", "certificate/metrics-adapter-certificate"];
      await kubectl.run("wait", ...ready, "-n", "ml-platform", "--timeout=30s");
    },
    8 * MINUTE,
  );

  it(
    "are issued by an ACME server, which verifies the host through the ingress class",
    async () => {
      const { folder, kubectl, lab, platform, team } = given();
      const { stack, options } = platform.open;
      const { root, ...acme } = await startAcmeServer(kubectl, lab, folder);
      platform.configure([["platform", "ingress", "issuer"], { acme }]);
      await stack.up(options);
      const host = `${lab.nodeAddress.replaceAll(".", "-")}.${team}.pod.cluster.local`;
      const file = join(folder, "acme-ingress.json");
      writeFileSync(file, JSON.stringify(acmeIngress(team, host)));
      await kubectl.run("apply", "-f", file);
      const certificate = ["certificate/acme-tls", "-n", team];
      await waitFor(
        "the certificate",
        30,
        () => kubectl.run("get", ...certificate),
        () => true,
      );
      await kubectl.run("wait", "--for=condition=Ready", ...certificate, "--timeout=180s");
      const ca = await root();
      await waitFor("the Ingress", 30, () => trusts(lab, host, ca), Boolean);
      await kubectl.run("delete", "-f", file);
      platform.configure();
      await stack.up(options);
    },
    10 * MINUTE,
  );
}

/**
 * An Ingress of a team with a certificate of the ACME server. The cluster's DNS resolves its host to the node's address, so that
 * cert-manager and the server reach the ingress controller.
 */
function acmeIngress(team: string, host: string) {
  const backend = { service: { name: "diabetes", port: { name: "http" } } };
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: {
      name: "acme",
      namespace: team,
      annotations: { "cert-manager.io/cluster-issuer": "ml-platform-acme" },
    },
    spec: {
      ingressClassName: "traefik",
      tls: [{ hosts: [host], secretName: "acme-tls" }],
      rules: [{ host, http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }],
    },
  };
}

/** Whether the ingress serves a host with a certificate of a CA. */
async function trusts(lab: LabInfo, servername: string, ca: string): Promise<boolean> {
  const socket = connect({ host: "127.0.0.1", port: lab.httpsPort, servername, ca });
  try {
    await once(socket, "secureConnect");
    return socket.authorized;
  } finally {
    socket.destroy();
  }
}

const WEBHOOK_PODS = ["-l", "app.kubernetes.io/component=webhook", "--timeout=60s"];
