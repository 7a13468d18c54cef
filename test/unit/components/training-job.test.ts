import { beforeAll, expect, test } from "vitest";
import { declare } from "../../support/declare";
import type { Inputs, Registration } from "../../support/mocks";
import { only } from "../../support/objects";
import { smallStack } from "../../support/stacks";

function declared(training: Inputs = {}): Promise<Registration[]> {
  const { config } = smallStack();
  Object.assign(config.team.training[0], training);
  return declare({ config });
}

let job: Registration;
let pod: Inputs;

beforeAll(async () => {
  job = only(await declared({ deadlineSeconds: 900, retries: 1, alias: "canary" }), "Job");
  pod = job.inputs.spec.template.spec;
});

test("the job reads the team's data at /app/data", async () => {
  const data = only(await declared(), "PersistentVolumeClaim", "-data");
  expect(data.inputs.spec).toEqual({
    accessModes: ["ReadWriteOnce"],
    resources: { requests: { storage: "10Gi" } },
  });
  const [{ volumeMounts, env }] = pod.containers;
  const { name } = volumeMounts.find(({ mountPath }: Inputs) => mountPath === "/app/data");
  expect(pod.volumes.find((volume: Inputs) => volume.name === name)).toEqual({
    name,
    persistentVolumeClaim: { claimName: `${data.name}-autonamed` },
  });
  expect(env).toContainEqual({ name: "DATA_DIR", value: "/app/data" });
});

test("the job registers its model under the configured alias", () => {
  const [{ env, command }] = pod.containers;
  expect(command).toEqual(["python", "-m", "training.train"]);
  expect(Object.fromEntries(env.map(({ name, value }: Inputs) => [name, value]))).toMatchObject({
    MLFLOW_TRACKING_URI: "http://mlflow:5000",
    EXPERIMENT_NAME: "fit",
    MODEL_NAME: "churn",
    MODEL_ALIAS: "canary",
    // The only writable folder besides the data.
    HOME: "/tmp",
  });
  const [{ volumeMounts }] = pod.containers;
  expect(volumeMounts.map(({ mountPath }: Inputs) => mountPath)).toEqual(["/app/data", "/tmp"]);
});

test("an init container with the same image writes sample data, only if `sampleData` is true", async () => {
  expect(pod).not.toHaveProperty("initContainers");
  const { spec } = only(await declared({ sampleData: true }), "Job").inputs.spec.template;
  const [init] = spec.initContainers;
  const [main] = spec.containers;
  expect(init.command).toEqual(["python", "-m", "training.sample_data"]);
  expect({ ...init, name: "", command: [] }).toEqual({ ...main, name: "", command: [] });
});

test("the job ends at its deadline, and Pulumi waits a minute longer", () => {
  expect(job.inputs.spec).toMatchObject({ activeDeadlineSeconds: 900, backoffLimit: 1 });
  expect(job.options.createTimeout).toBe("960s");
  expect(pod.restartPolicy).toBe("Never");
});

test("another run replaces the Job, and the old Job is deleted first", async () => {
  const [first, second] = [only(await declared(), "Job"), only(await declared({ run: 2 }), "Job")];
  const run = ({ inputs }: Registration) => inputs.spec.template.metadata.annotations;
  expect([first, second].map(run)).toEqual([
    { "ml-platform/run": "1" },
    { "ml-platform/run": "2" },
  ]);
  // The pod template is immutable, so the provider replaces the Job. Nothing else differs.
  second.inputs.spec.template.metadata.annotations = run(first);
  expect(second.inputs).toEqual(first.inputs);
  expect(first.options).toMatchObject({ deleteBeforeReplace: true, replaceOnChanges: [] });
  // With a fixed name it would conflict with a Job that another program left behind.
  expect(first.inputs.metadata).not.toHaveProperty("name");
});

test("jobs run one after another, as they share a volume", async () => {
  const { config } = smallStack();
  const names = ["fit", "refit", "again"];
  config.team.training = names.map((name) => ({ name, model: "churn" }));
  const before = (await declare({ config }))
    .filter(({ type }) => type === "mlplatform:team:TrainingJob")
    .map(({ name, options }) => [
      name,
      options.dependencies
        .filter((urn) => urn.includes("kubernetes:batch/v1:Job"))
        .map((urn) => urn.split("::").at(-1))
        .sort(),
    ]);
  expect(Object.fromEntries(before)).toEqual({
    "demo-train-fit": [],
    "demo-train-refit": ["demo-train-fit"],
    "demo-train-again": ["demo-train-fit", "demo-train-refit"],
  });
});

test("only a job that requests GPUs tolerates the taint of GPU nodes", async () => {
  const { config } = smallStack();
  config.platform = { devicePlugin: { mode: "existing" } };
  config.team.quota = { gpus: 2 };
  config.team.training[0].resources = { gpus: 2 };
  const { spec } = only(await declare({ config }), "Job").inputs.spec.template;
  expect(spec.tolerations).toEqual([
    { key: "nvidia.com/gpu", operator: "Exists", effect: "NoSchedule" },
  ]);
  expect(pod).not.toHaveProperty("tolerations");
});

test("the job has a service account of its own, without a token", async () => {
  const all = await declared();
  const account = only(all, "ServiceAccount", "train-fit-account");
  expect(account.inputs.automountServiceAccountToken).toBe(false);
  expect(pod).toMatchObject({
    serviceAccountName: `${account.name}-autonamed`,
    automountServiceAccountToken: false,
  });
});
