import type { CatalogueEntry } from "../../images/catalogue";
import type { ImageSource } from "../../images/source";
import { platformFeature } from "../feature";
import type { CertManagerImages } from "./chart-values";
import { certManagerSchema } from "./schema";

const IMAGES = {
  controller: "certManagerController",
  webhook: "certManagerWebhook",
  cainjector: "certManagerCainjector",
  acmesolver: "certManagerAcmesolver",
  startupapicheck: "certManagerStartupapicheck",
} as const satisfies Record<keyof CertManagerImages, CatalogueEntry>;

/** The images of cert-manager's pods, by digest. */
export function certManagerImages(source: ImageSource): CertManagerImages {
  return {
    controller: source.reference(IMAGES.controller),
    webhook: source.reference(IMAGES.webhook),
    cainjector: source.reference(IMAGES.cainjector),
    acmesolver: source.reference(IMAGES.acmesolver),
    startupapicheck: source.reference(IMAGES.startupapicheck),
  };
}

export const certManager = platformFeature({
  schema: certManagerSchema,
  images: ({ mode }) => (mode === "install" ? Object.values(IMAGES) : []),
  contract: (settings) =>
    settings.mode === "off" ? {} : { certificatesNamespace: settings.namespace },
  namespaces: ({ certificatesNamespace }) => (certificatesNamespace ? [certificatesNamespace] : []),
});
