import { copyFileSync } from "node:fs";
import type { ClusterConfig } from "./component";
import { writeIfChanged } from "./files";

/** Addresses and paths of a running lab; also in the file `lab.json` of its folder. Paths are absolute. */
export interface LabInfo {
  readonly name: string;
  readonly folder: string;
  readonly nodeAddress: string;
  readonly kubeconfig: string;
  readonly context: string;
  /** The registry, with the same name for the host, BuildKit and containerd: `127.0.0.1:5001`. */
  readonly registry: string;
  /** Base URL of the ingress; any host name below `localhost` works too. */
  readonly ingress: string;
  /** Port of the ingress with TLS, at 127.0.0.1. */
  readonly httpsPort: number;
  /** Name of the buildx builder. */
  readonly builder: string;
  /** File: upstream image reference -> digest in the lab's registry. */
  readonly imagesLock: string;
  /** Folder of the charts that the lab provides, each below its name: `cert-manager`. */
  readonly charts: string;
  /** File: the CA certificates that this machine trusts, for downloads in image builds. */
  readonly ca: string;
}

/** The addresses and paths of a lab, whether it runs or not. */
export function infoOf({
  lab,
  link,
  registryPort,
  ingressPort,
  httpsPort,
}: ClusterConfig): LabInfo {
  return {
    name: lab.name,
    folder: lab.paths.folder,
    nodeAddress: link.node,
    kubeconfig: lab.paths.kubeconfig,
    context: lab.label,
    registry: `127.0.0.1:${registryPort}`,
    ingress: `http://127.0.0.1:${ingressPort}`,
    httpsPort,
    builder: lab.label,
    imagesLock: lab.paths.imagesLock,
    charts: lab.paths.charts,
    ca: lab.paths.caBundle,
  };
}

/**
 * Writes the files that the users of a lab read.
 * @param images digests by upstream reference
 */
export function publish(cluster: ClusterConfig, images: Record<string, string>): LabInfo {
  const { paths } = cluster.lab;
  const info = infoOf(cluster);
  const write = (path: string, value: unknown) =>
    writeIfChanged(path, `${JSON.stringify(value, undefined, 2)}\n`);
  write(paths.imagesLock, images);
  copyFileSync(process.env.SSL_CERT_FILE ?? "/etc/ssl/certs/ca-certificates.crt", paths.caBundle);
  write(paths.info, info);
  return info;
}
