import { teamFeature } from "../feature";
import { COPY_RESOURCES, dataSchema } from "./schema";

export const data = teamFeature({
  schema: dataSchema,
  demand: ({ size, claim, volumes, sources }) => ({
    volumes: [...(claim ? [] : [size]), ...volumes.map((one) => one.size)],
    ...(sources.length > 0 && { containers: [{ ...COPY_RESOURCES, gpus: 0, pods: 1 }] }),
  }),
});
