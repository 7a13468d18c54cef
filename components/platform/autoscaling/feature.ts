import { platformFeature } from "../feature";
import { metricsAdapterSchema } from "./schema";

export const metricsAdapter = platformFeature({
  schema: metricsAdapterSchema,
  images: ({ mode }) => (mode === "install" ? ["metricsAdapter"] : []),
  contract: ({ mode }) => ({ requestRate: mode !== "off" }),
});
