import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ask } from "../../cli/promote/prometheus";
import { openStack } from "../../cli/stack";
import { withoutTls } from "../../cli/stack/certificate";
import { sendLoad } from "../../cli/stack/load";
import { onPage } from "../support/browser";

/** Where the picture of the README is. */
const FILE = join(__dirname, "picture.png");
/** Requests per second: three times what one pod is for. */
const RATE = 150;
/** How long the load lasts, and how long its end is observed, in seconds. */
const [LOAD, REST] = [90, 60];
/** Interval of the measurements, in seconds. */
const STEP = 3;
/** Size of each of the two panels, in pixels. */
const [WIDTH, HEIGHT] = [720, 450];

interface Point {
  readonly second: number;
  readonly rate: number;
  readonly pods: number;
}

/** Measures the request rate and the pods of a model while it is under load, and after. */
async function measure(prometheus: string, model: string): Promise<Point[]> {
  const value = async (query: string) => (await ask(prometheus, query))[0]?.value ?? 0;
  const start = Date.now();
  const load = delay(15_000).then(() => sendLoad(model, { rate: RATE, seconds: LOAD }));
  const points: Point[] = [];
  for (let second = 0; second < 15 + LOAD + REST; second += STEP) {
    await delay(start + second * 1000 - Date.now());
    const rate = await value("sum(rate(inference_requests_total[20s]))");
    points.push({ second, rate, pods: await value('count(up{job="model-services"} == 1)') });
  }
  await load;
  return points;
}

/** One series as a line, with its name and its maximum. */
function series(points: readonly Point[], of: "rate" | "pods", color: string, unit: string) {
  const end = points.at(-1)?.second ?? 1;
  const most = Math.max(...points.map((point) => point[of]), 1);
  const x = (second: number) => 40 + (second / end) * (WIDTH - 80);
  const y = (value: number) => HEIGHT - 50 - (value / most) * (HEIGHT - 130);
  const line = points.map((point) => `${x(point.second)},${y(point[of])}`).join(" ");
  const row = of === "rate" ? 50 : 72;
  return `<polyline points="${line}" fill="none" stroke="${color}" stroke-width="3"/>
<text x="40" y="${row}" fill="${color}">${unit}, at most ${Math.round(most)}</text>`;
}

/** The request rate and the pods over time, as SVG. */
function graph(points: readonly Point[]): string {
  const end = points.at(-1)?.second ?? 0;
  return `<svg width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="15">
<text x="40" y="26" font-weight="bold">${RATE} requests per second for ${LOAD} s; target 50 per pod</text>
${series(points, "rate", "#2563eb", "Requests per second")}
${series(points, "pods", "#ea580c", "Pods")}
<line x1="40" x2="${WIDTH - 40}" y1="${HEIGHT - 50}" y2="${HEIGHT - 50}" stroke="#999"/>
<text x="40" y="${HEIGHT - 25}">0 s</text><text x="${WIDTH - 80}" y="${HEIGHT - 25}">${end} s</text>
</svg>`;
}

/** Takes the picture of the README from the running stack dev: MLflow, and the autoscaler under load. */
async function main(): Promise<void> {
  const { stack } = await openStack({ name: "dev" }, console.log);
  const { models, platform, prometheusUrl, trackingUrl } = await stack.outputs();
  // A browser does not trust the platform's CA.
  const plain = (url: string) => withoutTls(url, platform?.value) ?? url;
  const points = await measure(plain(prometheusUrl?.value), plain(models?.value.diabetes));
  await onPage(`${plain(trackingUrl?.value)}/#/models/diabetes`, async (page) => {
    // Wide enough for MLflow's columns; the picture shows it smaller.
    await page.setViewportSize({ width: 2 * WIDTH, height: 2 * HEIGHT });
    await page.getByText("champion").first().waitFor();
    const mlflow = (await page.screenshot()).toString("base64");
    await page.setViewportSize({ width: 2 * WIDTH, height: HEIGHT });
    await page.setContent(
      `<body style="margin:0;display:flex;background:white"><img width="${WIDTH}" height="${HEIGHT}" src="data:image/png;base64,${mlflow}">${graph(points)}</body>`,
    );
    writeFileSync(FILE, await page.screenshot());
  });
  console.log(FILE);
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
