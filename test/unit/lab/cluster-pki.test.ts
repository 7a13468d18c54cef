import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { renderKubeconfig } from "../../../lab/cluster/kubeconfig";
import { certificates, ensurePki, identityOf, isUsable } from "../../../lab/cluster/pki";

const NODE = "lab-unit";
let pki: string;
const read = (name: string) => readFileSync(join(pki, name), "utf8");
const certificate = (name: string) => new X509Certificate(read(`${name}.crt`));

beforeAll(async () => {
  pki = mkdtempSync(join(tmpdir(), "lab-pki-"));
  await ensurePki(pki, NODE, "10.231.7.2");
});
afterAll(() => rmSync(pki, { recursive: true }));

describe("the keys of a lab", () => {
  it("are valid for their CA and no other", () => {
    for (const { name, authority } of certificates(NODE, "10.231.7.2")) {
      const made = certificate(name);
      for (const other of ["ca", "etcd-ca", "front-proxy-ca"]) {
        expect(made.verify(certificate(other).publicKey)).toBe(other === authority);
      }
    }
  });

  it("have the server names that clients use", () => {
    const server = certificate("apiserver");
    for (const host of ["localhost", "kubernetes.default.svc", NODE]) {
      expect(server.checkHost(host)).toBe(host);
    }
    for (const ip of ["127.0.0.1", "10.231.7.2", "10.96.0.1"]) {
      expect(server.checkIP(ip)).toBe(ip);
    }
    expect(server.checkIP("10.231.7.3")).toBeUndefined();
  });

  it("have the user names of RBAC", () => {
    expect(certificate("kubelet").subject).toBe(`O=system:nodes\nCN=system:node:${NODE}`);
    expect(certificate("scheduler").subject).toBe("CN=system:kube-scheduler");
  });

  it("have the group system:masters only for the administrator", () => {
    const masters = certificates(NODE, "10.231.7.2").filter(({ name }) =>
      certificate(name).subject.includes("system:masters"),
    );
    expect(masters.map(({ name }) => name)).toEqual(["admin"]);
  });

  it("are readable only by their owner", () => {
    expect(statSync(join(pki, "admin.key")).mode & 0o077).toBe(0);
  });
});

describe("ensurePki", () => {
  it("keeps valid keys, and renews those for another address", async () => {
    const [admin, server] = [read("admin.crt"), read("apiserver.crt")];
    await ensurePki(pki, NODE, "10.231.7.2");
    expect(read("apiserver.crt")).toBe(server);
    await ensurePki(pki, NODE, "10.231.7.6");
    expect(certificate("apiserver").checkIP("10.231.7.6")).toBe("10.231.7.6");
    expect(read("admin.crt")).toBe(admin);
  });

  it("renews an invalid certificate, with its key", async () => {
    const { ca, cert, key } = identityOf(pki, "scheduler");
    writeFileSync(cert, "cut short");
    expect(isUsable(cert, ca, [])).toBe(false);
    await ensurePki(pki, NODE, "10.231.7.6");
    expect(isUsable(cert, ca, [])).toBe(true);
    rmSync(key);
    expect(isUsable(cert, ca, [])).toBe(false);
    await ensurePki(pki, NODE, "10.231.7.6");
  });

  it("renews all with a new CA", async () => {
    rmSync(join(pki, "ca.crt"));
    await ensurePki(pki, NODE, "10.231.7.6");
    const { ca, cert } = identityOf(pki, "admin");
    expect(isUsable(cert, ca, [])).toBe(true);
  });
});

describe("renderKubeconfig", () => {
  it("embeds the certificates and uses the name of the lab", () => {
    const config = parse(renderKubeconfig(NODE, "10.231.7.2", identityOf(pki, "admin")));
    expect(config["current-context"]).toBe(NODE);
    expect(config.clusters[0].cluster.server).toBe("https://10.231.7.2:6443");
    const embedded = config.users[0].user["client-certificate-data"];
    expect(Buffer.from(embedded, "base64").toString()).toBe(read("admin.crt"));
    expect(JSON.stringify(config)).not.toContain(pki);
  });
});
