import { missingGpus, teamFeature } from "../feature";
import { trackingSchema } from "./schema";

export const tracking = teamFeature({
  schema: trackingSchema,
  demand: ({ resources, storage }) => ({
    containers: [{ ...resources, pods: 1 }],
    volumes: [storage],
  }),
  missing: (settings, platform) => missingGpus(".resources.gpus", [settings], platform),
});
