import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { send, trust } from "../../cli/common/http";
import { withoutTls } from "../../cli/stack/certificate";
import { sendLoad } from "../../cli/stack/load";
import { type LabInfo, resetLab, startLab } from "../../lab/cluster/lab";
import { ensureDebianPackages } from "../../lab/tools";
import { onPage } from "../support/browser";
import { estimatorPredictions } from "../support/estimator";
import { Kubectl } from "../support/kubectl";
import { requestFromOtherNamespace } from "../support/other-namespace";
import { type Changes, PlatformStack } from "../support/platform-stack";
import { waitFor } from "../support/wait";
import { certificates } from "./certificates";
import { teamData } from "./data";
import { loggedModel } from "./logged-model";
import { modelUpdates } from "./model-updates";
import { modelVersions } from "./model-versions";
import { outsideProgram } from "./outside-program";
import { policies } from "./policies";

const MINUTE = 60_000;
const TEAM = "demo";
/** A label of the stack's objects, which those of the lab do not have. */
const OURS = "app.kubernetes.io/part-of=ml-platform";
/** Shorter durations than the defaults, so that the tests are faster. */
const QUICK: Changes = [
  [["team", "models", 0, "autoscale", "scaleDownSeconds"], 15],
  [["team", "models", 0, "rolloutSeconds"], 60],
];

describe("the platform on a cluster", () => {
  const folder = mkdtempSync(join(tmpdir(), "ml-platform-e2e-"));
  // Unique to this run: tests of another checkout may run on the same machine, or may have been killed there.
  const where = { name: `e2e-${process.pid.toString(36)}`, folder: join(folder, "lab") };
  let lab: LabInfo;
  let kubectl: Kubectl;
  let platform: PlatformStack;
  let modelUrl: string;
  let trackingUrl: string;
  let certificateAuthority: string;

  const predict = (features: unknown) => send(`${modelUrl}/predict`, { features });
  const readyPods = async () => {
    const [deployment] = await kubectl.list(
      "deployments",
      "-n",
      TEAM,
      "-l",
      "app.kubernetes.io/instance=diabetes",
    );
    return deployment?.status?.readyReplicas ?? 0;
  };

  beforeAll(async () => {
    await ensureDebianPackages(["chromium"], console.log);
    lab = await startLab(where, console.log);
    kubectl = await Kubectl.of(lab.kubeconfig);
    platform = await PlatformStack.create(folder, lab, QUICK);
  }, 60 * MINUTE);

  afterAll(async () => {
    await resetLab(where, console.log);
    rmSync(folder, { recursive: true });
  }, 5 * MINUTE);

  it(
    "is created by one update, which the policy pack allows",
    async () => {
      const { open } = platform;
      const { outputs, summary } = await open.stack.up(open.options);
      expect(summary.result).toBe("succeeded");
      modelUrl = outputs.models?.value.diabetes;
      // A browser and MLflow's client do not trust the platform's CA.
      trackingUrl = withoutTls(outputs.trackingUrl?.value, outputs.platform?.value) ?? "";
      certificateAuthority = outputs.certificateAuthority?.value;
      trust(certificateAuthority);
    },
    20 * MINUTE,
  );

  it(
    "predicts what scikit-learn predicts",
    async () => {
      const rows = [
        [3.2, 1.5],
        [32.1, 101],
        [21.6, 87],
        [-4, 1e6],
      ];
      const expected = await estimatorPredictions(rows);
      await waitFor(
        "the Ingress",
        30,
        () => predict(rows[0]),
        ({ status }) => status === 200,
      );
      for (const [index, row] of rows.entries()) {
        const { status, body } = await predict(row);
        const [actual] = JSON.parse(body).prediction;
        const difference = Math.abs(actual / (expected[index] ?? Number.NaN) - 1);
        expect({ status, close: difference < 1e-6 }).toEqual({ status: 200, close: true });
      }
    },
    MINUTE,
  );

  it.each([[[1]], [[1, 2, 3]], [["1", "2"]], [[null, 1]], ["text"], [undefined]])(
    "refuses the features %j",
    async (features) => {
      const { status, body } = await predict(features);
      expect({ status, body: JSON.parse(body) }).toEqual({
        status: 400,
        body: { error: "Invalid input" },
      });
    },
  );

  const mlflow = async (path: string, body?: unknown) =>
    JSON.parse((await send(`${trackingUrl}/api/2.0/mlflow/${path}`, body)).body);

  async function trainingRuns(): Promise<{ info: { run_id: string; status: string } }[]> {
    const { experiment } = await mlflow("experiments/get-by-name?experiment_name=diabetes");
    const search = { experiment_ids: [experiment.experiment_id] };
    return (await mlflow("runs/search", search)).runs;
  }

  it("has tracked the run and registered the model", async () => {
    const runs = await trainingRuns();
    expect(runs.map(({ info }) => info.status)).toEqual(["FINISHED"]);
    const { model_version } = await mlflow("registered-models/alias?name=diabetes&alias=champion");
    expect(model_version).toMatchObject({ version: "1", run_id: runs[0]?.info.run_id });
  });

  it(
    "denies connections from other namespaces",
    async () => {
      const targets = [`mlflow.${TEAM}.svc:5000/health`, `diabetes.${TEAM}.svc/healthz`];
      expect(await requestFromOtherNamespace(kubectl, lab, targets)).toEqual(["denied", "denied"]);
    },
    2 * MINUTE,
  );

  it(
    "shows the model in the UI of MLflow",
    async () => {
      await onPage(`${trackingUrl}/#/models/diabetes`, async (page) => {
        await page.getByText("champion").first().waitFor({ timeout: MINUTE });
        expect(await page.title()).toMatch(/MLflow|diabetes/);
      });
    },
    2 * MINUTE,
  );

  it(
    "has a custom metric for each pod",
    async () => {
      const rates = await waitFor(
        "the metric",
        60,
        () => kubectl.requestRates(TEAM),
        (list) => list.length > 0,
      );
      expect(rates).toHaveLength(await readyPods());
    },
    MINUTE,
  );

  it(
    "adds pods under load, and removes them later",
    async () => {
      expect(await readyPods()).toBe(1);
      const load = sendLoad(modelUrl, { rate: 200, seconds: 60 });
      const most = await waitFor("more pods", 60, readyPods, (count) => count >= 2);
      const { non2xx, errors } = await load;
      expect({ grew: most >= 2, non2xx, errors }).toEqual({ grew: true, non2xx: 0, errors: 0 });
      await waitFor("fewer pods", 150, readyPods, (count) => count === 1);
    },
    5 * MINUTE,
  );

  it(
    "has no changes if its configuration has none",
    async () => {
      const { stack, options } = platform.open;
      await stack.preview({ ...options, expectNoChanges: true });
      await stack.refresh({ ...options, expectNoChanges: true });
    },
    3 * MINUTE,
  );

  describe("policies", () => policies(() => lab.kubeconfig));

  describe("a program outside of the checkout", () =>
    outsideProgram(() => ({ kubectl, lab, folder, predict, mlflow, team: TEAM })));

  describe("a model that was logged in a notebook", () =>
    loggedModel(() => ({ platform, kubectl, team: TEAM })));

  describe("certificates", () =>
    certificates(() => ({
      ...{ platform, kubectl, lab, folder, modelUrl, certificateAuthority },
      team: TEAM,
    })));

  describe("the data of a team", () =>
    teamData(() => ({ platform, kubectl, lab, folder, team: TEAM })));

  describe("updates of a model", () =>
    modelUpdates(() => ({ platform, kubectl, folder, lab, modelUrl, team: TEAM, trainingRuns })));

  describe("a second version of a model", () =>
    modelVersions(() => ({ platform, kubectl, folder, modelUrl, team: TEAM })));

  it(
    "leaves no objects when it is destroyed",
    async () => {
      const { stack, options } = platform.open;
      const { color, onOutput } = options;
      await stack.destroy({ color, onOutput });
      const kinds =
        "namespaces,clusterroles,clusterrolebindings,apiservices,pods,services,deployments,ingresses,persistentvolumeclaims,rolebindings";
      const left = await kubectl.list(kinds, "-A", "-l", OURS);
      const volumes = await waitFor(
        "volumes",
        60,
        () => kubectl.list("persistentvolumes"),
        (list) => list.length === 0,
      );
      const namespaces = (await kubectl.list("namespaces")).map(({ metadata }) => metadata.name);
      expect({ left, volumes }).toEqual({ left: [], volumes: [] });
      expect(namespaces).not.toContain(TEAM);
      expect(namespaces).not.toContain("ml-platform");
      expect(namespaces).not.toContain("cert-manager");
      const crds = (await kubectl.list("customresourcedefinitions")).map(
        ({ metadata }) => metadata.name,
      );
      expect(crds.filter((name) => name.endsWith("cert-manager.io"))).toEqual([]);
    },
    5 * MINUTE,
  );
});
