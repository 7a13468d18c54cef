import { platformFeature } from "../feature";
import { prometheusUrl } from "./prometheus";
import { prometheusSchema } from "./schema";

export const prometheus = platformFeature({
  schema: prometheusSchema,
  images: ({ mode }) => (mode === "install" ? ["prometheus"] : []),
  contract: (settings, namespace) => {
    if (settings.mode === "off") {
      return {};
    }
    return settings.mode === "install"
      ? { prometheusUrl: prometheusUrl(namespace), monitoringNamespace: namespace }
      : { prometheusUrl: settings.url, monitoringNamespace: settings.namespace };
  },
  namespaces: ({ monitoringNamespace }) => (monitoringNamespace ? [monitoringNamespace] : []),
});
