import { z } from "zod";
import { parseQuantity, QUANTITY } from "../kubernetes/quantity";

/**
 * The types of configuration values. Each one refuses what Kubernetes would refuse later, with a message that ends in what
 * to write instead.
 */

/** A DNS label, as in the names of namespaces and Services: at most 63 characters, and short enough to append a suffix. */
export const dnsLabel = z
  .string()
  .regex(
    /^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/,
    "must be a DNS label: 1 to 40 lower-case letters, digits and dashes, starting with a letter, such as fraud-scoring",
  );

/** A DNS label that is appended to a {@link dnsLabel} in the name of an object. */
export const shortLabel = z
  .string()
  .regex(
    /^[a-z]([-a-z0-9]{0,18}[a-z0-9])?$/,
    "must be 1 to 20 lower-case letters, digits and dashes, starting with a letter, such as candidate",
  );

/** A text that is not only spaces. */
export const text = z
  .string()
  .regex(/\S/, { error: "must not be empty; set a value, or leave the key out", abort: true });

const RESERVED = new Set(["default", "kube-system", "kube-public", "kube-node-lease"]);

/** A namespace that the stack creates. */
export const namespaceName = dnsLabel.refine(
  (name) => !RESERVED.has(name) && !name.startsWith("kube-"),
  "must not be a namespace that Kubernetes owns; choose another name",
);

const LABEL = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?";

/** A namespace that exists already. */
export const existingNamespace = z
  .string()
  .regex(new RegExp(`^${LABEL}$`), "must be the name of a namespace, such as monitoring");

/** An object that exists already, such as a storage class. */
export const existingName = z
  .string()
  .max(253)
  .regex(
    new RegExp(`^${LABEL}(\\.${LABEL})*$`),
    "must be the name of an object in the cluster, such as fast-ssd",
  );

/** A host name of at least one label, without port or wildcard. */
export const hostname = z
  .string()
  .max(253)
  .regex(
    new RegExp(`^(?!\\d+(\\.\\d+){3}$)${LABEL}(\\.${LABEL})*$`),
    "must be a lower-case host name without port, wildcard or address, such as ml.example.com",
  );

/** `http://` or `https://` and a host, without a password: pods and state would hold it in plain text. */
export function httpUrl(example: string) {
  return z
    .url({ protocol: /^https?$/, error: `must be a URL such as ${example}`, abort: true })
    .refine((url) => {
      const { username, password } = new URL(url);
      return !username && !password;
    }, `must be without user or password; write it like ${example}`);
}

/** The value of a label. */
export const labelValue = z
  .string()
  .regex(
    /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/,
    "must be a label value: at most 63 letters, digits, dashes, dots and underscores, such as team-fraud",
  );

/** The key of a label. */
export const labelKey = z
  .string()
  .regex(
    new RegExp(`^(${LABEL}(\\.${LABEL})*/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$`),
    "must be a label's key, such as nvidia.com/gpu.product",
  );

function quantity(what: string, example: string, least: number, most: number) {
  return z
    .string()
    .regex(QUANTITY, {
      error: `must be ${what} as a Kubernetes quantity, such as ${example}`,
      // Later checks calculate with it, so they must only get quantities.
      abort: true,
    })
    .refine((text) => parseQuantity(text) >= least && parseQuantity(text) <= most, {
      error: `is out of range; ${what} is written like ${example}`,
      abort: true,
    });
}

/** Cores: from 1m to 1024. */
export const cpu = quantity("a number of cores", "500m", 0.001, 1024);
/** Memory: from 1Mi, as a smaller value lacks a unit, to 24Ti, the largest machines of the clouds. */
export const memory = quantity("an amount of memory", "512Mi", 2 ** 20, 24 * 2 ** 40);
/** Disk: from 1Mi to 64Ti, the largest volume of the large clouds. */
export const storage = quantity("an amount of storage", "10Gi", 2 ** 20, 64 * 2 ** 40);

/** A duration as Prometheus writes it, up to ten years: it counts nanoseconds in 64 bits. */
export const duration = z
  .string()
  .regex(/^[1-9]\d*(s|m|h|d|w|y)$/, {
    error: "must be a duration with one unit, such as 20s, 5m or 15d",
    abort: true,
  })
  .refine((text) => seconds(text) <= seconds("10y"), "is too long; write at most 10y");

/** A {@link duration} as Go writes it, which has no unit above hours. */
export function goDuration(text: string): string {
  return /[smh]$/.test(text) ? text : `${seconds(text)}s`;
}

/** Seconds in a {@link duration}. */
export function seconds(text: string): number {
  const unit = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800, y: 31_536_000 }[text.slice(-1)] ?? 0;
  return Number.parseInt(text, 10) * unit;
}

// Without a dot or a port, the first part of a reference is a user of Docker Hub.
const HOST = String.raw`(localhost|[a-z0-9][-a-z0-9]*(\.[-a-z0-9]+)+|[a-z0-9][-a-z0-9]*(?=:))(:\d{1,5})?`;
const PATH = String.raw`\/[a-z0-9]+([._-]+[a-z0-9]+)*`;

/** An image by tag or digest, never `latest` and never without either. */
export const imageReference = z
  .string()
  .regex(new RegExp(String.raw`^${HOST}(${PATH})+(:\w[\w.-]{0,127})?(@sha256:[a-f0-9]{64})?$`), {
    error: "must be an image with its registry, such as ghcr.io/acme/fraud@sha256:<64 hex digits>",
    abort: true,
  })
  .refine(
    (ref) => ref.includes("@sha256:") || /:[\w.-]+$/.test(ref.slice(ref.lastIndexOf("/"))),
    "must name a version; append @sha256:<digest>, or a tag that is then resolved to its digest",
  )
  .refine(
    (ref) => ref.includes("@") || !ref.endsWith(":latest"),
    "must not be the mutable tag latest; write the digest or a version",
  );

/** A registry, with an optional path: where images are pushed to, or mirrored. */
export const registry = z
  .string()
  .regex(
    new RegExp(`^${HOST}(${PATH})*$`),
    "must be a registry with an optional path and without https://, such as ghcr.io/acme",
  );

/** A file in the folder of the program, or with an absolute path. */
export const filePath = text.refine(
  (path) => !path.split("/").includes(".."),
  "must not leave the folder of the program with ..; write a path in it, or an absolute path",
);

/** A TCP port. */
export const port = z.int().min(1).max(65_535);
