import { duration, type Report } from "../../toolchain";
import {
  assembleImages,
  type Image,
  packages as imagePackages,
  missingImageTools,
} from "../images";
import { ensureDebianPackages, labTools, type ToolName } from "../tools";
import { labPackages } from "./machine";

/** The tools that run on the machine; the others run in images. */
export const TOOLS = [
  ...["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy"],
  ...["kubectl", "kube-router", "buildkitd", "buildx"],
] as ToolName[];

/** What a caller may put in place of a step of a start, or hear of it. */
export interface StartSteps {
  /** Provides the images. Default: `assembleImages`. */
  assemble: typeof assembleImages;
  /** Called when the lab's tools are there: what needs the processors too may begin. */
  onTools: () => void;
}

/** All that may take minutes, each begun as early as it can be; nothing that runs waits for any of it. */
export interface Supplies {
  packages: Promise<void>;
  tools: Promise<ReadonlyMap<ToolName, string>>;
  images: Promise<Image[]>;
}

/**
 * Begins to install packages (the network and the disk), to build tools (the processors), and, when the packages are there,
 * to assemble images: those without tools beside the build. One build for all tools, as they share most of their packages.
 */
export function gatherSupplies(steps: Partial<StartSteps>, report: Report): Supplies {
  const { assemble = assembleImages, onTools } = steps;
  const wanted = [...labPackages(), ...imagePackages];
  const packages = timed("Debian packages", report, () => ensureDebianPackages(wanted, report));
  const tools = timed("tools", report, async () =>
    labTools.ensure([...TOOLS, ...(await missingImageTools())], report),
  );
  tools.then(onTools, () => {});
  const images = packages.then(() => timed("images", report, () => assemble(tools, report)));
  // Told by whoever waits for them.
  for (const work of [packages, tools, images]) work.catch(() => {});
  return { packages, tools, images };
}

/** Does some work and reports how long it took. */
export async function timed<T>(what: string, report: Report, work: () => Promise<T>): Promise<T> {
  const begin = Date.now();
  const result = await work();
  report(`${what}: ${duration(Date.now() - begin)}`);
  return result;
}
