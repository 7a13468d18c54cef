import { duration, type Report } from "../../toolchain";
import {
  assembleImages,
  type Image,
  packages as imagePackages,
  missingImageTools,
} from "../images";
import { ensureDebianPackages, labTools, type ToolName } from "../tools";
import { labPackages } from "./machine";

/** The tools that run on the machine; the others are in images. */
export const TOOLS = [
  ...["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy"],
  ...["kubectl", "kube-router", "buildkitd", "buildx"],
] as ToolName[];

/** Steps of a start that a caller may replace or observe. */
export interface StartSteps {
  /** Provides the images. Default: `assembleImages`. */
  readonly assemble: typeof assembleImages;
  /** Called when the lab's tools are installed, so that other CPU-bound work can start. */
  readonly onTools: () => void;
}

/** Work that may take minutes. It starts as early as possible, and running components do not wait for it. */
export interface Prerequisites {
  readonly packages: Promise<void>;
  readonly tools: Promise<ReadonlyMap<ToolName, string>>;
  readonly images: Promise<Image[]>;
}

/**
 * Starts to install packages (network and disk), to build tools (CPU), and, after the packages, to assemble images: those
 * without tools at the same time as the build. All tools are one build, as they share most of their packages.
 */
export function startPrerequisites(steps: Partial<StartSteps>, report: Report): Prerequisites {
  const { assemble = assembleImages, onTools } = steps;
  const wanted = [...labPackages(), ...imagePackages];
  const packages = timed("Debian packages", report, () => ensureDebianPackages(wanted, report));
  const tools = timed("tools", report, async () =>
    labTools.ensure([...TOOLS, ...(await missingImageTools())], report),
  );
  tools.then(onTools, () => {});
  const images = packages.then(() => timed("images", report, () => assemble(tools, report)));
  // Errors are handled where the promises are awaited.
  for (const work of [packages, tools, images]) {
    work.catch(() => {});
  }
  return { packages, tools, images };
}

/** Runs work and reports its duration. */
export async function timed<T>(what: string, report: Report, work: () => Promise<T>): Promise<T> {
  const begin = Date.now();
  const result = await work();
  report(`${what}: ${duration(Date.now() - begin)}`);
  return result;
}
