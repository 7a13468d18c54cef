import { beforeAll, expect, test } from "vitest";
import { data } from "../../../components/team/data/feature";
import { dataSchema } from "../../../components/team/data/schema";
import { total } from "../../../components/team/quota";
import program from "../../../index";
import { declare } from "../../support/declare";
import { type Inputs, type Registration, run } from "../../support/mocks";
import { only } from "../../support/objects";
import { smallStack } from "../../support/stacks";

const SHA256 = "0123456789abcdef".repeat(4);
const HTTP = { url: "http://files.example.com:8080/sets/housing.csv", sha256: SHA256 };
const S3 = {
  url: "s3://acme-data/2026/images.tar",
  sha256: SHA256,
  path: "raw/images.tar",
  volume: "images",
  credentials: "acme-s3",
  region: "eu-central-1",
};

function stackWith(settings: Inputs) {
  const { config } = smallStack();
  return { config: { ...config, team: { ...config.team, data: settings } } };
}

const jobOf = (all: Registration[]) => only(all, "Job", "demo-fetch");

let declared: Registration[];
let pod: Inputs;

beforeAll(async () => {
  const volumes = [{ name: "images", size: "50Gi", accessMode: "ReadWriteMany" }];
  declared = await declare(stackWith({ volumes, sources: [HTTP, S3], deadlineSeconds: 900 }));
  pod = jobOf(declared).inputs.spec.template.spec;
});

test("a further volume has a fixed name, by which pods mount it", () => {
  const { inputs, options } = only(declared, "PersistentVolumeClaim", "data-images");
  expect(inputs.metadata.name).toBe("images");
  expect(inputs.spec).toEqual({
    accessModes: ["ReadWriteMany"],
    resources: { requests: { storage: "50Gi" } },
  });
  expect(options.protect).toBe(true);
});

test("an existing claim takes the place of the volume", async () => {
  const { registrations, outputs } = await run(program, stackWith({ claim: "shared" }));
  expect(registrations.filter(({ name }) => name === "demo-data")).toEqual([]);
  const { spec } = only(registrations, "Job", "train-fit").inputs.spec.template;
  expect(spec.volumes).toContainEqual({
    name: "data",
    persistentVolumeClaim: { claimName: "shared" },
  });
  expect(outputs.data).toMatchObject({ claims: { data: "shared" } });
});

test("the job fetches each file into its volume, with the credentials of its Secret", () => {
  const [{ command, env, volumeMounts }] = pod.containers;
  expect(command).toEqual(["python", "-m", "training.fetch"]);
  const { value } = env.find(({ name }: Inputs) => name === "SOURCES");
  expect(JSON.parse(value)).toEqual([
    { url: HTTP.url, sha256: SHA256, path: "/data/data/housing.csv" },
    {
      url: S3.url,
      sha256: SHA256,
      path: "/data/images/raw/images.tar",
      credentials: "/credentials/acme-s3",
      region: "eu-central-1",
    },
  ]);
  expect(volumeMounts).toEqual([
    { name: "volume-data", mountPath: "/data/data" },
    { name: "volume-images", mountPath: "/data/images" },
    { name: "credentials-0", mountPath: "/credentials/acme-s3", readOnly: true },
    { name: "tmp", mountPath: "/tmp" },
  ]);
  expect(pod.volumes).toContainEqual({ name: "credentials-0", secret: { secretName: "acme-s3" } });
});

test("the job may connect to the ports of the servers, and to HTTPS, where they may redirect to", () => {
  const { spec } = only(declared, "NetworkPolicy", "fetch-sources").inputs;
  const [{ to, ports }] = spec.egress;
  expect(to).toBeUndefined();
  expect(ports).toEqual([
    { protocol: "TCP", port: 443 },
    { protocol: "TCP", port: 8080 },
  ]);
  const { labels } = jobOf(declared).inputs.spec.template.metadata;
  expect(labels).toMatchObject(spec.podSelector.matchLabels);
});

test("the job has a token neither of the API server nor access to MLflow", () => {
  expect(pod.automountServiceAccountToken).toBe(false);
  const { labels } = jobOf(declared).inputs.spec.template.metadata;
  expect(labels).not.toHaveProperty("ml-platform/tracking-client");
});

test("the job ends at its deadline, and is deleted before another one replaces it", () => {
  const { inputs, options } = jobOf(declared);
  expect(inputs.spec).toMatchObject({ activeDeadlineSeconds: 900, backoffLimit: 3 });
  expect(options).toMatchObject({ createTimeout: "960s", deleteBeforeReplace: true });
});

test("training starts when all files are there", () => {
  const { options } = only(declared, "Job", "train-fit");
  const training = declared.find(({ type }) => type === "mlplatform:team:TrainingJob");
  const before = [...options.dependencies, ...(training?.options.dependencies ?? [])];
  expect(before).toContain(jobOf(declared).urn);
});

test("without sources there is no job", async () => {
  const all = await declare(smallStack());
  expect(all.filter(({ type }) => type === "mlplatform:team:DataFetch")).toEqual([]);
});

test("the quota counts the volumes that are created, and the pod of the job", () => {
  const demand = (given: object) => total([data.demand?.(dataSchema.parse(given)) ?? {}]);
  expect(demand({ size: "2Gi", volumes: [{ name: "a", size: "1Gi" }] })).toEqual({
    ...{ cpu: 0, memory: 0, gpus: 0, pods: 0 },
    storage: 3 * 2 ** 30,
  });
  expect(demand({ claim: "shared", sources: [HTTP] })).toEqual({
    ...{ cpu: 0.1, memory: 256 * 2 ** 20, gpus: 0, pods: 1 },
    storage: 0,
  });
});
