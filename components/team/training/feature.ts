import { z } from "zod";
import { missingGpus, teamFeature } from "../feature";
import { trainingSchema } from "./schema";

export const training = teamFeature({
  schema: z.array(trainingSchema).default([]).describe("Training jobs"),
  demand: (jobs) => ({ containers: jobs.map(({ resources }) => ({ ...resources, pods: 1 })) }),
  missing: (jobs, platform) =>
    jobs.flatMap((job, index) => missingGpus(`[${index}].resources.gpus`, [job], platform)),
});
