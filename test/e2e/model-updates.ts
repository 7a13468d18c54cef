import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { send } from "../../cli/common/http";
import { ROOT } from "../../cli/stack";
import type { LabInfo } from "../../lab/cluster/lab";
import { pushBrokenImage } from "../support/broken-image";
import type { Kubectl } from "../support/kubectl";
import type { PlatformStack } from "../support/platform-stack";

const MINUTE = 60_000;
/** Selects the objects of the model. */
const MODEL = ["-l", "app.kubernetes.io/instance=diabetes"];

export interface Given {
  readonly platform: PlatformStack;
  readonly kubectl: Kubectl;
  readonly lab: LabInfo;
  /** Folder of the stack's files. */
  readonly folder: string;
  readonly modelUrl: string;
  readonly team: string;
  readonly trainingRuns: () => Promise<unknown[]>;
}

/** Tests that replace the pods of a model, on a stack that serves one. */
export function modelUpdates(given: () => Given): void {
  const predicts = async () =>
    (await send(`${given().modelUrl}/predict`, { features: [3.2, 1.5] })).status;

  async function servingImage(): Promise<string> {
    const { kubectl, team } = given();
    const path = "{.items[0].spec.template.spec.containers[0].image}";
    return kubectl.run("get", "deployments", "-n", team, ...MODEL, "-o", `jsonpath=${path}`);
  }

  it(
    "create a deleted Deployment again, after a preview has reported it",
    async () => {
      const { platform, kubectl, team } = given();
      const { stack, options } = platform.open;
      const [deployment] = await kubectl.list("deployments", "-n", team, ...MODEL);
      await kubectl.run("delete", "deployment", "-n", team, deployment?.metadata.name ?? "");
      const { changeSummary } = await stack.preview({ ...options, refresh: true });
      expect(changeSummary.create).toBe(1);
      await stack.up({ ...options, refresh: true });
      expect(await predicts()).toBe(200);
    },
    5 * MINUTE,
  );

  it(
    "keep the old pods serving if a new image cannot be pulled, and fail with the reason",
    async () => {
      const { platform, lab } = given();
      const { stack, options } = platform.open;
      const broken = await pushBrokenImage(lab.registry);
      platform.configure(
        [["team", "models", 0, "image"], broken],
        [["team", "models", 0, "rolloutSeconds"], 30],
      );
      await expect(stack.up(options)).rejects.toThrow(/ErrImagePull|ImagePullBackOff/);
      expect(await servingImage()).toBe(broken);
      expect(await predicts()).toBe(200);
    },
    5 * MINUTE,
  );

  it(
    "roll out a new image",
    async () => {
      const { platform, folder, trainingRuns } = given();
      const { stack, options } = platform.open;
      const before = await servingImage();
      const copy = join(folder, "app");
      cpSync(join(ROOT, "app"), copy, {
        recursive: true,
        filter: (path) => !path.includes(".venv"),
      });
      const entry = join(copy, "serving", "__main__.py");
      writeFileSync(entry, `${readFileSync(entry, "utf8")}\n# changed\n`);
      platform.configure([["images", "context"], copy]);
      // The policies allow it: an image reference that is unknown before the build is not a violation.
      await stack.preview(options);
      await stack.up(options);
      expect(await servingImage()).not.toBe(before);
      // A change of the serving code starts no training.
      expect(await trainingRuns()).toHaveLength(1);
      expect(await predicts()).toBe(200);
    },
    10 * MINUTE,
  );
}
