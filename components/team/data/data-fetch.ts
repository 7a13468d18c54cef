import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { z } from "zod";
import { parseArgs } from "../../config/errors";
import { allowEgress, portOf } from "../../kubernetes/network";
import { container, podTemplate } from "../../kubernetes/pod";
import { scratch } from "../../kubernetes/security";
import { Workload } from "../../kubernetes/workload";
import { COPY_RESOURCES, fetchSettings, type Source } from "./schema";

/** Where volumes and Secrets are mounted, by their names. */
const [VOLUMES, CREDENTIALS] = ["/data", "/credentials"];

/** Where HTTP servers redirect to, whatever their own port is. */
const HTTPS = 443;

export interface DataFetchArgs extends z.input<typeof fetchSettings> {
  /** Namespace, which exists. */
  readonly namespace: pulumi.Input<string>;
  /** Image with the module `training.fetch`. */
  readonly image: pulumi.Input<string>;
  /** PersistentVolumeClaims by the names that `sources[].volume` uses, `data` by default. */
  readonly claims: Readonly<Record<string, pulumi.Input<string>>>;
  /** Value of the label `ml-platform/owner`. Default: ml-platform. */
  readonly owner?: string;
}

/**
 * Fetches files into volumes, and checks their SHA-256. A file that is there already is kept. Changed sources make a new Job,
 * and without a change the Job stays.
 */
export class DataFetch extends pulumi.ComponentResource {
  constructor(name: string, args: DataFetchArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mlplatform:team:DataFetch", name, {}, opts);
    const { namespace, image, claims, owner = "ml-platform", ...own } = args;
    const settings = parseArgs(fetchSettings, own, name);
    const child = { parent: this };
    const identity = { name: "data-fetch", instance: name, component: "data", owner };
    const workload = new Workload(name, namespace, identity, child);
    const account = workload.serviceAccount();
    workload.allowProxies(settings.pod.proxy);
    workload.networkPolicy(
      "sources",
      allowEgress(workload.selector, [], portsOf(settings.sources)),
    );
    const template = fetchPod(
      { image, claims, settings, account: account.metadata.name },
      workload,
    );
    const { deadlineSeconds } = settings;
    new k8s.batch.v1.Job(
      name,
      {
        metadata: workload.metadata,
        spec: { activeDeadlineSeconds: deadlineSeconds, backoffLimit: 3, template },
      },
      {
        ...child,
        // A volume may be ReadWriteOnce, and a failed Job does not run again until it is replaced.
        deleteBeforeReplace: true,
        // Longer than the deadline of the Job, so that the Job's own reason is shown.
        customTimeouts: { create: `${deadlineSeconds + 60}s` },
      },
    );
    this.registerOutputs({});
  }
}

interface FetchPod extends Pick<DataFetchArgs, "image" | "claims"> {
  readonly settings: z.output<typeof fetchSettings>;
  readonly account: pulumi.Input<string>;
}

function fetchPod({ image, claims, settings, account }: FetchPod, { labels }: Workload) {
  const mounts = mountsOf(settings.sources, claims);
  const tmp = scratch("16Mi");
  return podTemplate({
    labels,
    account,
    settings: settings.pod,
    containers: [
      container({
        name: "fetch",
        image,
        command: ["python", "-m", "training.fetch"],
        env: { HOME: "/tmp", SOURCES: JSON.stringify(settings.sources.map(inPod)) },
        resources: COPY_RESOURCES,
        volumeMounts: [...mounts.map(({ mount }) => mount), tmp.mount],
      }),
    ],
    volumes: [...mounts.map(({ volume }) => volume), tmp.volume],
    spec: { restartPolicy: "Never" },
  });
}

/** The TCP ports of the servers that have the files. */
export function portsOf(sources: readonly Pick<Source, "url" | "endpoint">[]): number[] {
  const servers = sources.map(({ url, endpoint }) => (url.startsWith("s3:") ? endpoint : url));
  const ports = servers.map((server) => (server ? portOf(new URL(server)) : HTTPS));
  return [...new Set([...ports, HTTPS])].sort((a, b) => a - b);
}

/** A source as `training.fetch` reads it: with paths of the pod in place of names. */
function inPod({ volume, path, credentials, ...source }: Source) {
  return {
    ...source,
    path: `${VOLUMES}/${volume}/${path}`,
    ...(credentials && { credentials: `${CREDENTIALS}/${credentials}` }),
  };
}

/** The volumes and Secrets that the sources name, each once. */
function mountsOf(sources: readonly Source[], claims: DataFetchArgs["claims"]) {
  const volumes = [...new Set(sources.map(({ volume }) => volume))];
  const secrets = [...new Set(sources.flatMap(({ credentials }) => credentials ?? []))];
  return [
    ...volumes.map((name) => ({
      mount: { name: `volume-${name}`, mountPath: `${VOLUMES}/${name}` },
      volume: {
        name: `volume-${name}`,
        persistentVolumeClaim: { claimName: claimOf(name, claims) },
      },
    })),
    ...secrets.map((secretName, index) => ({
      mount: {
        name: `credentials-${index}`,
        mountPath: `${CREDENTIALS}/${secretName}`,
        readOnly: true,
      },
      volume: { name: `credentials-${index}`, secret: { secretName } },
    })),
  ];
}

function claimOf(volume: string, claims: DataFetchArgs["claims"]): pulumi.Input<string> {
  const claim = claims[volume];
  if (!claim) {
    throw new pulumi.RunError(`claims: has no volume ${volume}, which a source names; add it`);
  }
  return claim;
}
