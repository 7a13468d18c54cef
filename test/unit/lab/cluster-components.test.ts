import { basename } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { renderAddons } from "../../../lab/cluster/addons";
import { linkAddresses } from "../../../lab/cluster/addresses";
import {
  type ClusterConfig,
  type Component,
  configFile,
  keysOf,
} from "../../../lab/cluster/component";
import { controlPlane } from "../../../lab/cluster/control-plane";
import { delivery, renderBuildkit } from "../../../lab/cluster/delivery";
import { identify } from "../../../lab/cluster/identity";
import { node, renderCni, renderContainerd } from "../../../lab/cluster/node";

const cluster: ClusterConfig = {
  lab: identify({ name: "unit", folder: "/srv/unit" }),
  link: linkAddresses("10.231.7.0/30"),
  mtu: 1400,
  registryPort: 5100,
  ingressPort: 8100,
  httpsPort: 8543,
  resolvers: ["10.1.1.1"],
  cgroupRoot: "/ml-lab-unit",
  tool: (name) => `/tools/${name}`,
};
const components = [...delivery(cluster), ...controlPlane(cluster), ...node(cluster)];
const component = (name: string): Component => {
  const found = components.find((it) => it.name === name);
  if (!found) {
    throw new Error(`no component ${name}`);
  }
  return found;
};
const file = (name: string, path: string) => component(name).files?.[path] ?? "";
const flag = (name: string, key: string) =>
  component(name)
    .command.find((word) => word.startsWith(`--${key}=`))
    ?.slice(key.length + 3);

describe("the components of a lab", () => {
  it("have different names, and wait only for components that exist", () => {
    const names = components.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { after } of components) {
      expect(names).toEqual(expect.arrayContaining([...after]));
    }
  });

  it("start after the API server if they need objects, and these need no images", () => {
    const ancestors = (name: string): string[] =>
      component(name).after.flatMap((it) => [it, ...ancestors(it)]);
    const withNeeds = components.filter(({ needs }) => needs);
    expect(withNeeds.map(({ name }) => name)).toEqual(["kube-router"]);
    for (const { name, needs } of withNeeds) {
      expect(ancestors(name)).toContain("apiserver");
      const values = { variables: {}, images: {}, registryPort: 5100 };
      expect(renderAddons(values, needs)).not.toEqual([]);
    }
  });

  it("include the permissions of kube-router in its objects", () => {
    const values = { variables: {}, images: {}, registryPort: 5100 };
    const objects = renderAddons(values, component("kube-router").needs);
    expect(objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual(
      expect.arrayContaining(["ClusterRole lab:kube-router", "ClusterRoleBinding lab:kube-router"]),
    );
  });

  it("have the configuration files that their commands name", () => {
    const folder = configFile(cluster.lab, "");
    for (const { command, files = {} } of components) {
      const named = command.filter((word) => word.includes(folder));
      const written = Object.keys(files).map((name) => configFile(cluster.lab, name));
      for (const word of named) {
        expect(written).toContain(word.slice(word.indexOf("/")));
      }
    }
  });

  it("run in the lab's namespaces, except for the forwarders", () => {
    const outside = components.filter(({ inside }) => inside === false).map(({ name }) => name);
    expect(outside).toEqual(["registry-forwarder", "ingress-forwarder", "https-forwarder"]);
  });

  it("are restarted if a key in their command or configuration changes", () => {
    const keys = (name: string) =>
      keysOf(component(name), "/srv/unit/pki").map((it) => basename(it));
    expect(keys("scheduler")).toEqual([
      "node-server.crt",
      "node-server.key",
      "scheduler.kubeconfig",
    ]);
    expect(keys("kube-proxy")).toEqual(["kube-proxy.kubeconfig"]);
    expect(keys("kubelet")).toEqual([
      "ca.crt",
      "kubelet.kubeconfig",
      "node-server.crt",
      "node-server.key",
    ]);
    expect(keys("registry")).toEqual([]);
  });
});

describe("the control plane", () => {
  it("lets only clients with a certificate of etcd's CA connect to etcd", () => {
    expect(flag("etcd", "client-cert-auth")).toBe("true");
    expect(flag("etcd", "trusted-ca-file")).toBe("/srv/unit/pki/etcd-ca.crt");
    expect(component("etcd").command.join(" ")).not.toContain("http://");
  });

  it("does not store the node's address in etcd's data", () => {
    expect(flag("etcd", "initial-advertise-peer-urls")).toBe("https://127.0.0.1:2380");
  });

  it("authorizes with Node and RBAC, and aggregates with a separate CA", () => {
    expect(flag("apiserver", "authorization-mode")).toBe("Node,RBAC");
    expect(flag("apiserver", "requestheader-client-ca-file")).toBe(
      "/srv/unit/pki/front-proxy-ca.crt",
    );
    expect(flag("apiserver", "enable-aggregator-routing")).toBe("true");
    expect(flag("apiserver", "kubelet-preferred-address-types")).toBe("InternalIP");
    expect(flag("apiserver", "kubelet-certificate-authority")).toBe("/srv/unit/pki/ca.crt");
  });

  it("allocates one block of pod addresses, that of the bridge", () => {
    const cidr = flag("controller-manager", "cluster-cidr");
    expect(cidr).toMatch(/\/24$/);
    expect(flag("controller-manager", "node-cidr-mask-size")).toBe("24");
    expect(renderCni(1400)).toContain(`"subnet": "${cidr}"`);
  });
});

describe("the node", () => {
  it("requires client certificates, and has a cgroup root of its own", () => {
    const config = parse(file("kubelet", "kubelet.yaml"));
    expect(config).toMatchObject({
      authentication: { anonymous: { enabled: false }, webhook: { enabled: true } },
      authorization: { mode: "Webhook" },
      cgroupRoot: "/ml-lab-unit",
      cgroupDriver: "cgroupfs",
      failSwapOn: false,
    });
    expect(config.resolvConf).toBe(configFile(cluster.lab, "resolv.conf"));
    expect(file("kubelet", "resolv.conf")).toBe("nameserver 10.1.1.1\n");
  });

  it("does not change the conntrack limits of the machine", () => {
    const { conntrack, mode } = parse(file("kube-proxy", "kube-proxy.yaml"));
    expect(mode).toBe("iptables");
    expect(conntrack).toMatchObject({ maxPerCore: 0, min: 0 });
  });

  it("runs pods without some capabilities, with the lab's pause image", () => {
    const toml = renderContainerd("127.0.0.1:5100/pause", '/a "b"/cni', "/registries");
    expect(toml).toMatch(/restrict_oom_score_adj = true/);
    expect(toml).toContain('sandbox_image = "127.0.0.1:5100/pause"');
    expect(toml).toContain(String.raw`conf_dir = "/a \"b\"/cni"`);
  });

  it("gives pods the MTU of the default route", () => {
    const { plugins } = JSON.parse(renderCni(1400));
    expect(plugins[0]).toMatchObject({ type: "bridge", mtu: 1400, ipMasq: true });
    expect(plugins[1]).toMatchObject({ type: "portmap" });
  });

  it("enforces policies, with no other function of kube-router", () => {
    const enabled = component("kube-router").command.filter((word) => /^--run-.*=true$/.test(word));
    expect(enabled).toEqual(["--run-firewall=true"]);
  });
});

describe("registry, BuildKit and forwarders", () => {
  it("serves the registry at the same port inside as outside", () => {
    expect(parse(file("registry", "registry.yaml")).http.addr).toBe("0.0.0.0:5100");
    const forwarder = component("registry-forwarder").command.join(" ");
    expect(forwarder).toBe(
      "socat TCP4-LISTEN:5100,bind=127.0.0.1,reuseaddr,fork,backlog=1024 TCP4:10.231.7.2:5100",
    );
    const hosts = file("containerd", "registries/127.0.0.1:5100/hosts.toml");
    expect(hosts).toContain('[host."http://127.0.0.1:5100"]');
  });

  it("forwards the ingress only to the host's loopback address", () => {
    expect(component("ingress-forwarder").command).toEqual([
      "socat",
      "TCP4-LISTEN:8100,bind=127.0.0.1,reuseaddr,fork,backlog=1024",
      "TCP4:10.231.7.2:80",
    ]);
    expect(component("https-forwarder").command).toEqual([
      "socat",
      "TCP4-LISTEN:8543,bind=127.0.0.1,reuseaddr,fork,backlog=1024",
      "TCP4:10.231.7.2:443",
    ]);
  });

  it("lets BuildKit push without TLS only to that registry, and runs builds in the lab's cgroup", () => {
    const toml = renderBuildkit("/ml-lab-unit", "127.0.0.1:5100", ["10.1.1.1", "10.1.1.2"]);
    expect(toml.match(/http = true/g)).toHaveLength(1);
    expect(toml).toContain('[registry."127.0.0.1:5100"]');
    expect(toml).toContain('nameservers = ["10.1.1.1","10.1.1.2"]');
    expect(toml).toContain('defaultCgroupParent = "/ml-lab-unit/buildkit"');
  });
});
