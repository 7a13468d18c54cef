import { z } from "zod";
import { checkPods, pod } from "../../config/pod";
import { resources } from "../../config/resources";
import { dnsLabel } from "../../config/types";

/** What the containers of a training job have already. */
const OWN = {
  paths: ["/tmp", "/app/data", "/app", "/opt/venv"],
  env: ["DATA_DIR", "EXPERIMENT_NAME", "HOME", "MLFLOW_TRACKING_URI", "MODEL_ALIAS", "MODEL_NAME"],
};

const settings = {
  model: dnsLabel.describe("Registered model that gets a new version"),
  run: z
    .int()
    .min(1)
    .default(1)
    .describe("Increase it to train again without another change, for example on new data"),
  alias: z
    .string()
    .regex(/^[a-z][-a-z0-9_]{0,62}$/, "must be an alias, such as champion")
    .default("champion")
    .describe("Alias of the new version"),
  sampleData: z
    .boolean()
    .default(false)
    .describe("Write scikit-learn's diabetes data to the volume if it has no training_data.csv"),
  deadlineSeconds: z
    .int()
    .min(60)
    .max(604_800)
    .default(3600)
    .describe("Maximum run time of the job"),
  retries: z
    .int()
    .min(0)
    .max(10)
    .default(2)
    .describe("Maximum number of times that a failed pod is replaced"),
  resources: resources({
    cpu: "500m",
    cpuLimit: "2",
    memory: "1Gi",
    ephemeralStorage: "1Gi",
  })
    .prefault({})
    .describe("Resources of the pod"),
  pod,
};

/** A training job of a team. */
export const trainingSchema = z
  .strictObject({
    name: dnsLabel.describe("Name of the job and of the MLflow experiment"),
    ...settings,
  })
  .superRefine(checkPods(OWN));

/** A Job's name is a label of its pods, of at most 63 characters. The provider appends a dash and eight random ones. */
export const LONGEST_JOB = 63 - "-12345678".length;

/** The settings of a training job, which is named after its model by default. */
export const trainingSettings = z
  .strictObject({ name: dnsLabel.optional(), ...settings })
  .superRefine(checkPods(OWN))
  .transform((job) => ({ ...job, name: job.name ?? job.model }));

export type TrainingConfig = z.output<typeof trainingSchema>;
