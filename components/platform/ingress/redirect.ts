import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { CONTROLLERS, type PlatformIngressConfig } from "./schema";

const MIDDLEWARE = "redirect-https";

type Controller = (typeof CONTROLLERS)[number];

type Settings = Pick<PlatformIngressConfig, "className" | "controller" | "issuer" | "redirect">;

/** The controller that the platform sets up to redirect HTTP; undefined if there is no TLS, no redirect, or another one. */
export function redirecting({ className, controller, issuer, redirect }: Settings) {
  const chosen = controller ?? className;
  return issuer && redirect !== false ? CONTROLLERS.find((known) => known === chosen) : undefined;
}

/**
 * Annotations with which an Ingress redirects HTTP to HTTPS.
 * @param namespace of the platform
 */
export function redirectAnnotations(settings: Settings, namespace: string): Record<string, string> {
  const annotations: Record<Controller, Record<string, string>> = {
    traefik: {
      "traefik.ingress.kubernetes.io/router.middlewares": `${namespace}-${MIDDLEWARE}@kubernetescrd`,
    },
    nginx: { "nginx.ingress.kubernetes.io/force-ssl-redirect": "true" },
  };
  const controller = redirecting(settings);
  return controller ? annotations[controller] : {};
}

/** Traefik's middleware that {@link redirectAnnotations} names. Other controllers need no object. */
export function redirectMiddleware(
  id: string,
  settings: PlatformIngressConfig,
  metadata: { namespace: string; labels: Record<string, string> },
  opts: pulumi.CustomResourceOptions,
): void {
  if (redirecting(settings) !== "traefik") {
    return;
  }
  const { port } = settings;
  new k8s.apiextensions.CustomResource(
    id,
    {
      apiVersion: "traefik.io/v1alpha1",
      kind: "Middleware",
      metadata: { ...metadata, name: MIDDLEWARE },
      spec: {
        redirectScheme: { scheme: "https", permanent: true, ...(port && { port: `${port}` }) },
      },
    },
    opts,
  );
}
