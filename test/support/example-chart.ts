import { join } from "node:path";
import { ImageSource } from "../../components/images/source";

/** A chart with a CRD, a Deployment, a Job, a volume and a hook. */
export const FOLDER = join(__dirname, "charts/example");

/** The images of the chart by what they are for. */
export const IMAGES = {
  server: "quay.io/acme/server:v1.2.3",
  worker: "quay.io/acme/worker:v1.2.3",
  setup: "docker.io/library/busybox:1.37",
} as const;

const digests = { server: "a", worker: "b", setup: "c" } as const;
const purposes = ["server", "worker", "setup"] as const;
const digest = (letter: string) => `sha256:${letter.repeat(64)}`;

/** Has the digests of the images at a mirror. */
export const SOURCE = new ImageSource(
  Object.fromEntries(purposes.map((name) => [IMAGES[name], digest(digests[name])])),
  "ghcr.io/mirror",
);

/** The references of the images by digest. */
export const PINNED = {
  server: `ghcr.io/mirror/quay.io/acme/server:v1.2.3@${digest("a")}`,
  worker: `ghcr.io/mirror/quay.io/acme/worker:v1.2.3@${digest("b")}`,
  setup: `ghcr.io/mirror/docker.io/library/busybox:1.37@${digest("c")}`,
};
