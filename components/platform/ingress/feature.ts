import { issuerName } from "../certificates/issuers";
import { platformFeature } from "../feature";
import { redirectAnnotations } from "./redirect";
import { gatewaySchema, platformIngressSchema } from "./schema";

export const ingress = platformFeature({
  schema: platformIngressSchema,
  contract: ({ issuer, controller, annotations, ...settings }, namespace) => {
    const redirect = redirectAnnotations({ issuer, controller, ...settings }, namespace);
    const all = { ...redirect, ...annotations };
    return {
      ingress: {
        ...settings,
        ...(issuer && { issuer: issuerName(issuer) }),
        ...(Object.keys(all).length > 0 && { annotations: all }),
      },
    };
  },
  namespaces: (contract) => [contract.ingress.namespace],
});

/** The name of the Gateway that a platform installs, in its namespace. */
const GATEWAY = "ml-platform";

export const gateway = platformFeature({
  schema: gatewaySchema,
  contract: (settings, namespace) => {
    if (settings.mode === "install") {
      const { className, port, httpsPort } = settings;
      const tls = httpsPort && { className, port, httpsPort };
      return { gateway: { name: GATEWAY, namespace, ...(tls && { tls }) } };
    }
    if (settings.mode === "off") {
      return {};
    }
    const { name, sectionName, proxyNamespace = settings.namespace } = settings;
    const listener = sectionName ? { sectionName } : {};
    return { gateway: { name, namespace: settings.namespace, ...listener, proxyNamespace } };
  },
});
