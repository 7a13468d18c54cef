/** Objects for the end-to-end test of the lab: one server with a volume, a policy and an ingress, and its clients. */

const NAMESPACE = "e2e";
const metadata = (name: string, labels: Record<string, string> = {}) => {
  return { name, namespace: NAMESPACE, labels };
};
const resources = { requests: { cpu: "10m", memory: "32Mi" }, limits: { memory: "64Mi" } };

/** A Python pod that the Pod Security profile `restricted` admits. */
function pod(name: string, image: string, code: string, volumes: readonly string[] = []): object {
  const container = {
    name,
    image,
    resources,
    command: ["python3", "-c", code],
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    },
    volumeMounts: volumes.map((claim) => ({ name: claim, mountPath: `/${claim}` })),
  };
  const spec = {
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 1,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 1000,
      seccompProfile: { type: "RuntimeDefault" },
    },
    containers: [container],
    volumes: volumes.map((claim) => ({ name: claim, persistentVolumeClaim: { claimName: claim } })),
  };
  return { apiVersion: "v1", kind: "Pod", metadata: metadata(name, { app: name }), spec };
}

/** The first process of a container ignores SIGTERM unless it has a handler. */
const END = "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit())\n";

/** A pod in which tests run commands. */
export function clientPod(name: string, image: string): object {
  return pod(name, image, `${END}signal.pause()`);
}

/** The first run writes the page; later runs must find it. */
const SERVE = `${END}
import http.server, os
if not os.path.exists('/data/index.html'):
    open('/data/index.html', 'w').write('hello')
os.chdir('/data')
http.server.test(http.server.SimpleHTTPRequestHandler, port=8000)
`;

/** Namespace, claim, server, service, ingress, and a policy that admits the pod `allowed-client` and the ingress controller. */
export function serverObjects(image: string, host: string): object[] {
  const selector = { app: "server" };
  const backend = { service: { name: "server", port: { number: 8000 } } };
  const path = { path: "/", pathType: "Prefix", backend };
  const from = [
    { podSelector: { matchLabels: { app: "allowed-client" } } },
    { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } } },
  ];
  const namespace = {
    name: NAMESPACE,
    labels: { "pod-security.kubernetes.io/enforce": "restricted" },
  };
  const claim = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } };
  const networking = "networking.k8s.io/v1";
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: namespace },
    { apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: metadata("data"), spec: claim },
    pod("server", image, SERVE, ["data"]),
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: metadata("server"),
      spec: { selector, ports: [{ port: 8000 }] },
    },
    {
      apiVersion: networking,
      kind: "Ingress",
      metadata: metadata("server"),
      spec: { rules: [{ host, http: { paths: [path] } }] },
    },
    {
      apiVersion: networking,
      kind: "NetworkPolicy",
      metadata: metadata("server"),
      spec: { podSelector: { matchLabels: selector }, ingress: [{ from }] },
    },
  ];
}
