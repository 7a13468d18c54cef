import { platformFeature } from "../feature";
import { gatewaySchema, ingressSchema } from "./schema";

export const ingress = platformFeature({
  schema: ingressSchema,
  contract: (settings) => ({ ingress: settings }),
  namespaces: (contract) => [contract.ingress.namespace],
});

/** The name of the Gateway that a platform installs, in its namespace. */
const GATEWAY = "ml-platform";

export const gateway = platformFeature({
  schema: gatewaySchema,
  contract: (settings, namespace) => {
    if (settings.mode === "install") {
      return { gateway: { name: GATEWAY, namespace } };
    }
    if (settings.mode === "off") {
      return {};
    }
    const { name, sectionName, proxyNamespace = settings.namespace } = settings;
    const listener = sectionName ? { sectionName } : {};
    return { gateway: { name, namespace: settings.namespace, ...listener, proxyNamespace } };
  },
});
