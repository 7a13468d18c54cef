import type { KubernetesValue, PodSpec } from "../../policy/model/kubernetes";
import { IMAGE } from "./harness";

/** Objects without violations; tests change one field at a time. */

export const NAMESPACE = "team";

const labels = {
  "app.kubernetes.io/name": "app",
  "app.kubernetes.io/instance": "one",
  "app.kubernetes.io/part-of": "ml-platform",
  "ml-platform/owner": "team",
};
const metadata = { name: "app", namespace: NAMESPACE, labels };
const selector = { "app.kubernetes.io/name": "app" };
const amounts = { cpu: "100m", memory: "128Mi", "ephemeral-storage": "64Mi" };

export const podSpec: PodSpec = {
  serviceAccountName: "app",
  automountServiceAccountToken: false,
  securityContext: {
    runAsNonRoot: true,
    runAsUser: 65532,
    seccompProfile: { type: "RuntimeDefault" },
  },
  topologySpreadConstraints: [{ topologyKey: "kubernetes.io/hostname" }],
  terminationGracePeriodSeconds: 30,
  containers: [
    {
      name: "app",
      image: IMAGE,
      env: [{ name: "PORT", value: "8080" }],
      args: ["--port=8080"],
      ports: [{ containerPort: 8080 }],
      lifecycle: { preStop: { sleep: { seconds: 5 } } },
      livenessProbe: { httpGet: { path: "/healthz", port: 8080 } },
      readinessProbe: { httpGet: { path: "/readyz", port: 8080 } },
      resources: { requests: amounts, limits: amounts },
      securityContext: {
        allowPrivilegeEscalation: false,
        capabilities: { drop: ["ALL"] },
        readOnlyRootFilesystem: true,
      },
    },
  ],
  volumes: [{ name: "tmp", emptyDir: { sizeLimit: "64Mi" } }],
};

const template = { metadata: { labels }, spec: podSpec };
const finished = { ...template, spec: { ...podSpec, restartPolicy: "Never" } };
const job = { activeDeadlineSeconds: 3600, backoffLimit: 2, template: finished };

const object = (apiVersion: string, kind: string, rest: object): KubernetesValue => ({
  apiVersion,
  kind,
  metadata,
  ...rest,
});

export const deployment = object("apps/v1", "Deployment", {
  spec: { selector: { matchLabels: selector }, template },
});
export const trainJob = object("kubeflow.org/v1", "PyTorchJob", {
  spec: { pytorchReplicaSpecs: { Worker: { replicas: 2, template } } },
});
export const inferenceService = object("serving.kserve.io/v1beta1", "InferenceService", {
  spec: { predictor: {} },
});
export const batchJob = object("batch/v1", "Job", { spec: job });
export const cronJob = object("batch/v1", "CronJob", {
  spec: {
    schedule: "0 3 * * *",
    concurrencyPolicy: "Forbid",
    startingDeadlineSeconds: 600,
    jobTemplate: { spec: job },
  },
});
export const jobSet = object("jobset.x-k8s.io/v1alpha2", "JobSet", {
  spec: { replicatedJobs: [{ name: "worker", template: { spec: job } }] },
});
export const service = object("v1", "Service", {
  spec: { selector, ports: [{ port: 80, targetPort: 8080 }] },
});
export const account = object("v1", "ServiceAccount", { automountServiceAccountToken: false });
export const budget = object("policy/v1", "PodDisruptionBudget", {
  spec: { maxUnavailable: 1, selector: { matchLabels: selector } },
});
export const autoscaler = object("autoscaling/v2", "HorizontalPodAutoscaler", {
  spec: {
    scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "app" },
    minReplicas: 2,
    maxReplicas: 5,
    metrics: [{ type: "Resource", resource: { name: "cpu" } }],
  },
});
export const scaledObject = object("keda.sh/v1alpha1", "ScaledObject", {
  spec: {
    scaleTargetRef: { name: "app" },
    minReplicaCount: 0,
    maxReplicaCount: 5,
    triggers: [{ type: "prometheus" }],
  },
});
export const ingress = object("networking.k8s.io/v1", "Ingress", {
  spec: {
    tls: [{ hosts: ["app.example.com"] }],
    rules: [
      {
        host: "app.example.com",
        http: {
          paths: [{ path: "/", backend: { service: { name: "app", port: { number: 80 } } } }],
        },
      },
    ],
  },
});
export const gateway = object("gateway.networking.k8s.io/v1", "Gateway", {
  spec: {
    gatewayClassName: "traefik",
    listeners: [{ name: "https", protocol: "HTTPS", port: 443, hostname: "*.example.com" }],
  },
});
export const httpRoute = object("gateway.networking.k8s.io/v1", "HTTPRoute", {
  spec: {
    parentRefs: [{ name: "shared", namespace: "traefik" }],
    hostnames: ["app.example.com"],
    rules: [{ backendRefs: [{ name: "app", port: 80 }] }],
  },
});
export const configMap = object("v1", "ConfigMap", { data: { "app.yaml": "port: 8080\n" } });
export const secret = object("v1", "Secret", { type: "Opaque", stringData: { key: "value" } });
export const claim = object("v1", "PersistentVolumeClaim", {
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "10Gi" } } },
});
export const role = object("rbac.authorization.k8s.io/v1", "Role", {
  rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get", "list"] }],
});
export const binding = object("rbac.authorization.k8s.io/v1", "RoleBinding", {
  roleRef: { kind: "Role", name: "app" },
  subjects: [{ kind: "ServiceAccount", name: "app", namespace: NAMESPACE }],
});
export const namespace: KubernetesValue = {
  apiVersion: "v1",
  kind: "Namespace",
  metadata: {
    name: NAMESPACE,
    labels: {
      ...labels,
      "pod-security.kubernetes.io/enforce": "restricted",
      "pod-security.kubernetes.io/enforce-version": "v1.34",
    },
  },
};
export const quota = object("v1", "ResourceQuota", {
  spec: { hard: { "requests.cpu": "4", "requests.memory": "8Gi", services: "10" } },
});
export const limitRange = object("v1", "LimitRange", {
  spec: { limits: [{ type: "Container", default: amounts, defaultRequest: amounts }] },
});
export const denyAll = object("networking.k8s.io/v1", "NetworkPolicy", {
  spec: {
    podSelector: {},
    policyTypes: ["Ingress", "Egress"],
    egress: [{ to: [], ports: [{ protocol: "UDP", port: 53 }] }],
  },
});
export const networkPolicy = object("networking.k8s.io/v1", "NetworkPolicy", {
  spec: {
    podSelector: { matchLabels: selector },
    ingress: [
      {
        from: [
          { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "traefik" } } },
        ],
      },
    ],
    egress: [{ to: [{ podSelector: { matchLabels: { app: "db" } } }] }],
  },
});

/** A served workload with all required objects. */
export const served = [deployment, service, ingress, budget, account] as const;
/** A namespace with all required objects. */
export const completeNamespace = [namespace, quota, limitRange, denyAll] as const;
