import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { x } from "tinyexec";
import { parseDocument } from "yaml";
import { cacheRoot, go, withLock } from "../../toolchain";
import { certManager } from "../tools/modules";
import { pins } from "../tools/pins";

/** A chart in a Go module. It has no version there; the releases of its project set one. */
interface ChartSource {
  /** Folder of the `go.mod` that pins the module. */
  readonly folder: string;
  readonly module: string;
  /** Path of the chart in the module. */
  readonly path: string;
  readonly version: string;
}

const SOURCES = {
  "cert-manager": {
    folder: certManager.folder,
    module: "github.com/cert-manager/cert-manager",
    path: "deploy/charts/cert-manager",
    version: `v${pins["cert-manager"].version}`,
  },
} as const satisfies Record<string, ChartSource>;

/** Name of a chart that a lab provides. */
export type ChartName = keyof typeof SOURCES;

/** The text of a `Chart.yaml` with this chart and application version. */
export function withVersion(text: string, version: string): string {
  const chart = parseDocument(text);
  chart.set("version", version);
  chart.set("appVersion", version);
  return chart.toString();
}

/** Copies a chart to a temporary folder, and renames it when it is complete. */
async function extract({ folder, module, path, version }: ChartSource, place: string) {
  const { Dir } = JSON.parse(await go(folder, ["mod", "download", "-json", module]));
  const partial = `${place}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(dirname(partial), { recursive: true });
  cpSync(join(Dir, path), partial, { recursive: true });
  // Go's module cache is read-only.
  await x("chmod", ["-R", "u+w", partial]);
  const file = join(partial, "Chart.yaml");
  writeFileSync(file, withVersion(readFileSync(file, "utf8"), version));
  renameSync(partial, place);
}

/** Ensures that the cache contains a chart, and returns its folder. The chart is from the Go module of its images. */
export async function provideChart(name: ChartName): Promise<string> {
  const source = SOURCES[name];
  const place = join(cacheRoot(), "charts", name, source.version);
  await withLock(
    `${place}.lock`,
    () => {},
    async () => {
      if (!existsSync(place)) {
        await extract(source, place);
      }
    },
  );
  return place;
}

/** Writes every chart into a folder, each below its name. */
export async function writeCharts(folder: string): Promise<void> {
  for (const name of Object.keys(SOURCES) as ChartName[]) {
    const place = join(folder, name);
    rmSync(place, { recursive: true, force: true });
    cpSync(await provideChart(name), place, { recursive: true });
  }
}
