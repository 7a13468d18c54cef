import { platformFeature } from "../feature";
import { devicePluginSchema } from "./schema";

/** The namespace of the device plugin: its pods mount a host path, which the platform's namespace does not admit. */
export function gpuNamespace(platform: string): string {
  return `${platform}-gpu`;
}

export const devicePlugin = platformFeature({
  schema: devicePluginSchema,
  images: ({ mode }) => (mode === "install" ? ["devicePlugin"] : []),
  contract: ({ mode }) => ({ gpus: mode !== "off" }),
  namespaces: ({ namespace }) => [gpuNamespace(namespace)],
});
