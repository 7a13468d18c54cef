import { smallStack } from "../../support/stacks";
import { variants } from "./bad-variants";

/** A path, a bad value, the message, and the key in the message if it is not the path. */
export type BadInput = [at: string, value: unknown, says: RegExp, key?: string];

const team = (fields: object) => ({ ...smallStack().config.team, ...fields });
const model = (fields: object) => ({ name: "churn", ...fields });
const long = "a".repeat(64);
const image = /must be an image with its registry, such as/;
const label = /must be a DNS label: 1 to 40 lower-case letters/;
const host = /must be a lower-case host name without port, wildcard or address, such as/;
const quantityOfMemory = /must be an amount of memory as a Kubernetes quantity, such as 512Mi/;

const names: BadInput[] = [
  ["team.name", undefined, /is missing; expected: Name of the team/],
  ["team.name", null, /must be of type string; expected: /],
  ["team.name", "", label],
  ["team.name", "   ", label],
  ["team.name", "Fraud", label],
  ["team.name", "fraud.scoring", label],
  ["team.name", "-fraud", label],
  // Without a training job, whose name with this one would be a second error.
  ["team", team({ name: long, training: [] }), label, "team.name"],
  ["team.name", "frаud", label],
  ["team.name", "fraud;reboot", label],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: an injection for a shell or a template.
  ["team.name", "${IFS}", label],
  ["team.name", "fraud\n", label],
  ["team.name", "kube-system", /must not be a namespace that Kubernetes owns; choose/],
  ["team.name", "default", /must not be a namespace that Kubernetes owns; choose/],
  ["team.name", "ml-platform", /is a namespace of the platform; choose another name/],
  ["team.name", "ml-platform-gpu", /is a namespace of the platform; choose another name/],
  ["team.name", "traefik", /is a namespace of the platform; choose another name/],
  [
    "team.models",
    [model({}), model({})],
    /is already in use; choose another name/,
    "team.models[1].name",
  ],
  [
    "team",
    team({ name: "a".repeat(40), training: [{ name: "b".repeat(8), model: "churn" }] }),
    /is too long: together with the team's name it has more than 47 characters; shorten one/,
    "team.training[0].name",
  ],
  ["team.models[0].name", "mlflow", /is already in use; choose another name/],
  ["owner", long, /must be a label value: at most 63/],
  ["owner", "team fraud", /must be a label value: at most 63/],
  ["cluster.context", "  ", /must not be empty; set a value, or leave/],
  ["images.builder", "\t", /must not be empty; set a value, or leave/],
  ["team.viewers", [" "], /must not be empty; set a value, or leave/, "team.viewers[0]"],
];

const shapes: BadInput[] = [
  ["team", [], /must be of type object; expected: Team, with its training jobs/],
  ["platform", 5, /must be of type object; expected: Platform of the cluster/],
  ["team.models", {}, /must be of type array; expected: Model services/],
  ["team.models[0].ingress", "true", /must be of type boolean; expected: Serve it outside/],
  ["retainData", "yes", /must be of type boolean; expected: Protect namespaces/],
  ["regisrty", "x", /unknown key; known keys: owner, retainData/],
  ["ownr", "x", /unknown key; did you mean owner\?/],
  ["team.quota.gpu", 4, /unknown key; did you mean cpu or gpus\?/],
  ["team.models[0].constructor", {}, /unknown key; known keys: name, version/],
  [
    "platform.prometheus",
    { mode: "existing", url: "http://prometheus.monitoring:9090", retention: "2d" },
    /: not allowed with `mode: existing`; remove it, or set mode to install$/,
    "platform.prometheus.retention",
  ],
  [
    "platform.prometheus",
    { mode: "instal" },
    /must be one of install, existing, off; expected: /,
    "platform.prometheus.mode",
  ],
  [
    "team.models[0].autoscale",
    { min: 2 },
    /must be one of requestRate, cpu, none; expected: /,
    "team.models[0].autoscale.kind",
  ],
];

const numbers: BadInput[] = [
  ["team.models[0].resources.memory", "512", /is out of range; an amount of memory is written/],
  ["team.models[0].resources.memory", "1.5.2Gi", quantityOfMemory],
  ["team.models[0].resources.memory", "-1Gi", quantityOfMemory],
  ["team.models[0].resources.memory", "1 Gi", quantityOfMemory],
  ["team.models[0].resources.memory", "1e30", quantityOfMemory],
  ["team.models[0].resources.memory", 512, /must be of type string; expected: Memory/],
  ["team.models[0].resources.memory", "0Gi", /is out of range; /],
  ["team.models[0].resources.memory", `1${"0".repeat(30)}Gi`, /is out of range; /],
  ["team.quota.cpu", "0", /is out of range; a number of cores is written like 500m/],
  ["team.data.size", "1Ki", /is out of range; an amount of storage is written like 10Gi/],
  ["team.models[0].resources.cpu", "1001m", /is below cpu; increase it, or decrease cpu/, "@Limit"],
  ["team.quota.cpu", "4", /is 4, but .+ request 4\.8; increase it, or request less/],
  ["team.quota.memory", "1Gi", /is 1Gi, but .+ request 12.5Gi; increase it, or request less/],
  ["team.quota.storage", "19Gi", /is 19Gi, but .+ request 20Gi; increase it, or request less/],
  ["team.quota.pods", 22, /is 22, but .+ request 23; increase it, or request less/],
  ["team.models[0].resources.gpus", 1, /is 0, but .+ request 21; /, "team.quota.gpus"],
  ["team.models[0].resources.gpus", -1, /must be at least 0; expected: Number of whole GPUs/],
  [
    "team.models[0].resources.gpus",
    0.5,
    /must be of type whole number; expected: Number of whole GPUs/,
  ],
  ["team.training[0].deadlineSeconds", -5, /must be at least 60; expected: /],
  ["team.training[0].run", 0, /must be at least 1; expected: Increase it to train again/],
  ["team.training[0].retries", 11, /must be at most 10; expected: /],
  ["team.models[0].version", true, /has none of the allowed types; expected: Registered version/],
  ["team.models[0].rolloutSeconds", 0, /must be at least 30; expected: /],
  ["team.models[0].version", 0, /must be at least 1; expected: Registered version/],
  [
    "team.tracking.postgres",
    { host: "db", port: 0 },
    /at least 1; expected: PostgreSQL port/,
    "@.port",
  ],
  ["team.tracking.postgres", { host: "db", port: 65_536 }, /at most 65535; expected/, "@.port"],
];

const file = { url: "https://example.com/a.csv", sha256: "0".repeat(64) };
const sources = (...changes: object[]) => changes.map((change) => ({ ...file, ...change }));

const data: BadInput[] = [
  ["team.data.accessMode", "ReadOnlyMany", /must be one of ReadWriteOnce, ReadWriteMany; expected/],
  ["team.data.volumes", [{ name: "data" }], /is already in use; choose another/, "@[0].name"],
  [
    "team.data.volumes",
    [{ name: "a" }, { name: "a" }],
    /is already in use; choose another name/,
    "@[1].name",
  ],
  ["team.data.sources", sources({ url: "ftp://a/b" }), /must be https:.+such as/, "@[0].url"],
  ["team.data.sources", sources({ url: "s3://bucket" }), /must be https:.+such as/, "@[0].url"],
  ["team.data.sources", sources({ sha256: undefined }), /is missing; expected/, "@[0].sha256"],
  ["team.data.sources", sources({ sha256: "0" }), /must be 64 hexadecimal digits; /, "@[0].sha256"],
  ["team.data.sources", sources({ path: "../a" }), /must be a path of letters/, "@[0].path"],
  ["team.data.sources", sources({ path: "a.part" }), /must be a path of letters/, "@[0].path"],
  [
    "team.data.sources",
    sources({ url: "https://example.com/" }),
    /must be a path of letters.+set it if the URL ends otherwise/,
    "@[0].path",
  ],
  ["team.data.sources", sources({ region: "eu" }), /is not in S3; remove endpoint/, "@[0].url"],
  [
    "team.data.sources",
    sources({ volume: "b" }),
    /must be one of data; add a volume/,
    "@[0].volume",
  ],
  ["team.data.sources", sources({}, {}), /is already in use; choose another path/, "@[1].path"],
  ["team.data.deadlineSeconds", 5, /must be at least 60; expected: /],
];

const scaling: BadInput[] = [
  [
    { kind: "none", replicas: 0 },
    /must be at least 1; expected: Number of pods/,
    "replicas",
  ] as const,
  [
    { kind: "none", replicas: -1 },
    /must be at least 1; expected: Number of pods/,
    "replicas",
  ] as const,
  [{ kind: "none", replicas: 2.5 }, /must be of type whole number; expected/, "replicas"] as const,
  [
    { kind: "none", replicas: 10_000 },
    /must be at most 1000; expected: Number of pods/,
    "replicas",
  ] as const,
  [{ kind: "requestRate", target: 0 }, /must be more than 0; expected: /, "target"] as const,
  [{ kind: "requestRate", target: "NaN" }, /must be of type number; expected: /, "target"] as const,
  [
    { kind: "requestRate", min: 5, max: 2 },
    /is below min; increase it, or decrease/,
    "max",
  ] as const,
  [{ kind: "cpu", target: 101 }, /at most 100; expected: .+ Average CPU use/, "target"] as const,
  [
    { kind: "cpu", replicas: 2 },
    /: not allowed with `kind: cpu`; remove it, or set kind to none$/,
    "replicas",
  ] as const,
].map(([value, says, key]) => ["team.models[0].autoscale", value, says, `@.${key}`]);

const metrics: BadInput[] = [
  ["platform.metricsAdapter", { rateWindow: "9s" }, /is too short: .+; set 10s or/, "@.rateWindow"],
  [
    "platform.metricsAdapter",
    { rateWindow: "20" },
    /must be a duration with one unit/,
    "@.rateWindow",
  ],
  ["platform.metricsAdapter", { rateWindow: "-20s" }, /must be a duration with/, "@.rateWindow"],
  ["platform.metricsAdapter", { rateWindow: "20s])) or vector(9" }, /a duration/, "@.rateWindow"],
  [
    "platform.metricsAdapter",
    { relistInterval: "999999y" },
    /is too long; write at most 10y/,
    "@.relistInterval",
  ],
  ["platform.prometheus", { retention: "1w2d" }, /must be a duration with one unit/, "@.retention"],
  [
    "platform.prometheus",
    { storageClass: "Fast_SSD" },
    /must be the name of .+, such as/,
    "@.storageClass",
  ],
  ["platform.prometheus", { mode: "off" }, /needs Prometheus; set/, "platform.metricsAdapter.mode"],
  ["platform.devicePlugin", { timeSlicing: 1 }, /must be at least 2; expected: /, "@.timeSlicing"],
  [
    "platform.devicePlugin",
    { pod: { nodeSelector: { "a b": "x" } } },
    /a label's key, such as/,
    "@.pod.nodeSelector.a b",
  ],
  [
    "platform.devicePlugin",
    { pod: { nodeSelector: { gpu: long } } },
    /must be a label value/,
    "@.pod.nodeSelector.gpu",
  ],
].map(([at, fields, says, key]) => [
  at as string,
  { mode: "install", ...(fields as object) },
  says as RegExp,
  key as string,
]);

const addresses: BadInput[] = [
  ["platform.ingress.domain", "*.example.com", host],
  ["platform.ingress.domain", "ml_platform.example.com", host],
  ["platform.ingress.domain", "10.0.0.1", host],
  ["platform.ingress.domain", "https://example.com", host],
  [
    "platform.ingress.domain",
    `${"a.".repeat(127)}com`,
    /must be at most 253 characters; expected:/,
  ],
  ["platform.ingress.domain", `${long}.com`, host],
  ["platform.ingress.port", 65_536, /must be at most 65535; expected: Port in URLs/],
  ["platform.prometheus", { url: "prometheus:9090" }, /must be a URL such as http:/, "@.url"],
  ["platform.prometheus", { url: "file:///etc/passwd" }, /must be a URL such as/, "@.url"],
  ["platform.prometheus", { url: "http://me:hunter2@prom" }, /without user or password/, "@.url"],
  ["team.tracking.s3", { bucket: "b?x=1" }, /must be a bucket, with an optional/, "@.bucket"],
  ["team.tracking.s3", { bucket: "runs/../../etc" }, /must be a bucket, with an/, "@.bucket"],
  [
    "team.tracking.s3",
    { bucket: "runs", endpoint: "https://me:hunter2@s3" },
    /without user/,
    "@.endpoint",
  ],
  [
    "team.tracking.postgres",
    { host: "db", user: "me:hunter2" },
    /must be letters, digits and/,
    "@.user",
  ],
  [
    "platformStack",
    "organization/ml-platform/platform",
    /must not be set with a platform block; remove/,
  ],
].map(([at, value, says, key]) =>
  at === "platform.prometheus"
    ? [at, { mode: "existing", ...(value as object) }, says as RegExp, key as string]
    : [at as string, value, says as RegExp, key as string | undefined],
);

const images: BadInput[] = [
  ["team.images.serving", "ghcr.io/acme/fraud", /must name a version; append @sha256/],
  ["team.images.serving", "ghcr.io/acme/fraud:latest", /must not be the mutable tag latest; write/],
  ["team.images.serving", "ghcr.io/acme/fraud@sha256:123", image],
  ["team.images.serving", "ghcr.io/acme/fraud:v 1", image],
  ["team.images.serving", 'ghcr.io/acme/"fraud":v1', image],
  ["team.images.serving", "ghcr.io/Acme/fraud:v1", image],
  ["team.images.serving", "acme/fraud:v1", image],
  ["team.images.serving", "fraud:v1", image],
  ["team.models[0].image", "ghcr.io/acme/fraud:latest", /must not be the mutable tag latest/],
  [
    "images.registry",
    "https://ghcr.io/acme",
    /must be a registry with an optional path and without/,
  ],
  ["images.mirror", "me:hunter2@ghcr.io", /must be a registry with an optional path and without/],
  ["images.mirror", "acme", /must be a registry with an optional path and without/],
  ["images.context", "../../etc", /must not leave the folder of the program with \.\.; /],
  ["images.lock", "", /must not be empty; set a value, or leave/],
  [
    "images.lock",
    "/nowhere/lock.json",
    /cannot be read .+; run `npm run images:lock -- --stack dev`/,
  ],
  ["cluster.kubeconfig", "nowhere/config", /nowhere\/config does not exist; correct the path/],
  [
    "team.images.serving",
    undefined,
    /is needed to build images; set it, or set/,
    "images.registry",
  ],
];

/** All bad inputs. In a key, `@` means the path. */
export const BAD_INPUTS: BadInput[] = [
  names,
  shapes,
  numbers,
  data,
  scaling,
  variants,
  metrics,
  addresses,
  images,
]
  .flat()
  .map(([at, value, says, key]) => [at, value, says, (key ?? at).replace("@", at)]);
