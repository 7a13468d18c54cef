import { posix } from "node:path";
import { z } from "zod";
import { checkPods, pod } from "../../config/pod";
import { dnsLabel, existingName, httpUrl, storage } from "../../config/types";

/** The name of the volume that every team has. */
export const OWN_VOLUME = "data";

/** The resources of a pod that only copies files. */
export const COPY_RESOURCES = {
  cpu: "100m",
  cpuLimit: "1",
  memory: "256Mi",
  ephemeralStorage: "64Mi",
};

/** What the container that fetches files has already. */
const OWN = {
  paths: ["/tmp", "/app", "/app/data", "/data", "/credentials", "/opt/venv"],
  env: ["DATA_DIR", "HOME", "SOURCES"],
};

const volume = {
  size: storage.default("10Gi").describe("Size of the volume"),
  storageClass: existingName
    .optional()
    .describe("Storage class of the volume; default: the cluster's"),
  accessMode: z
    .enum(["ReadWriteOnce", "ReadWriteMany"])
    .default("ReadWriteOnce")
    .describe("ReadWriteMany: pods of several nodes mount it, if its storage class allows that"),
};

const S3 = /^s3:\/\/[a-z0-9][-a-z0-9.]{1,61}[a-z0-9]\/[^?#]*[^/?#]$/;

const WEB = httpUrl("https://example.com/housing.csv");

const url = z
  .string()
  .refine(
    (text) => S3.test(text) || WEB.safeParse(text).success,
    "must be https://, http:// or s3://BUCKET/KEY without user or password, such as https://example.com/housing.csv",
  );

/** A path without `..` and hidden files, and not of a file that is incomplete. */
const PATH = /^(?!.*\.part$)[-\w][-\w.]*(\/[-\w][-\w.]*)*$/;

const source = z
  .strictObject({
    url: url.describe("File: `https://`, `http://` or `s3://BUCKET/KEY`"),
    sha256: z
      .string()
      .regex(/^[a-f0-9]{64}$/, "must be 64 hexadecimal digits; `sha256sum FILE` prints them")
      .describe("SHA-256 of the file; another file is refused"),
    path: z
      .string()
      .optional()
      .describe("Its path in the volume; default: the last part of the URL"),
    volume: dnsLabel.default(OWN_VOLUME).describe("One of `volumes`; default: the first volume"),
    credentials: existingName
      .optional()
      .describe(
        "Secret in the team's namespace: with the keys AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY for S3, or authorization, the value of that header. Default: none",
      ),
    endpoint: httpUrl("https://s3.example.com")
      .optional()
      .describe("Endpoint URL of S3; default: AWS"),
    region: dnsLabel.optional().describe("Region of the bucket; default: us-east-1"),
  })
  .refine(({ url, endpoint, region }) => url.startsWith("s3:") || !(endpoint || region), {
    path: ["url"],
    message: "is not in S3; remove endpoint and region, or write s3://BUCKET/KEY",
  })
  .transform((one) => ({ ...one, path: one.path ?? posix.basename(new URL(one.url).pathname) }))
  .refine(({ path }) => PATH.test(path), {
    path: ["path"],
    message:
      "must be a path of letters, digits, dots, dashes and underscores from the top of the volume, such as sets/housing.csv; set it if the URL ends otherwise",
  });

export type Source = z.output<typeof source>;

const fetching = {
  sources: z.array(source).prefault([]).describe("Files that a job fetches into the volumes"),
  deadlineSeconds: z
    .int()
    .min(60)
    .max(604_800)
    .default(3600)
    .describe("Maximum run time of the job that fetches them"),
  pod,
};

/** The settings of the job that fetches files. */
export const fetchSettings = z.strictObject(fetching).superRefine(checkPods(OWN));

/** The volumes of a team, and the files that are fetched into them. */
export const dataSchema = z
  .strictObject({
    ...volume,
    claim: existingName
      .optional()
      .describe(
        "PersistentVolumeClaim in the team's namespace, in place of a new volume: size, storageClass and accessMode are not used",
      ),
    volumes: z
      .array(
        z.strictObject({
          name: dnsLabel.describe("Name of the volume and of its PersistentVolumeClaim"),
          ...volume,
        }),
      )
      .default([])
      .describe("More volumes, which `pod.volumes` mounts by the name as `claim`"),
    ...fetching,
    pod: pod.describe(
      "Additional settings of the pods that fetch files, and of `ml-platform data`",
    ),
  })
  .superRefine(checkPods(OWN))
  .superRefine(({ volumes, sources }, context) => {
    const names = [OWN_VOLUME, ...volumes.map(({ name }) => name)];
    const report = (path: (string | number)[], message: string) =>
      context.addIssue({ code: "custom", path, message });
    for (const [index, { name }] of volumes.entries()) {
      if (names.indexOf(name) <= index) {
        report(["volumes", index, "name"], "is already in use; choose another name");
      }
    }
    const targets = sources.map(({ volume, path }) => `${volume}/${path}`);
    for (const [index, { volume }] of sources.entries()) {
      if (!names.includes(volume)) {
        report(
          ["sources", index, "volume"],
          `must be one of ${names.join(", ")}; add a volume, or correct the name`,
        );
      }
      if (targets.indexOf(targets[index] ?? "") < index) {
        report(["sources", index, "path"], "is already in use; choose another path");
      }
    }
  })
  .prefault({})
  .describe("Volumes of data; the first one is at /app/data in training jobs");

export type DataConfig = z.output<typeof dataSchema>;
