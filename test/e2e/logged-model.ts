import { expect, it } from "vitest";
import { send } from "../../cli/common/http";
import type { Kubectl } from "../support/kubectl";
import { logModel } from "../support/logged-model";
import type { PlatformStack } from "../support/platform-stack";
import { waitFor } from "../support/wait";

const MINUTE = 60_000;
const NAME = "cells";

export interface Given {
  readonly platform: PlatformStack;
  readonly kubectl: Kubectl;
  readonly team: string;
}

/** Tests of a model that was logged with MLflow's own function, on a stack with a training job. */
export function loggedModel(given: () => Given): void {
  it(
    "is served by one block in the team's file, with the very numbers that the notebook showed",
    async () => {
      const { platform, kubectl, team } = given();
      const { rows, prediction, probabilities } = await logModel(kubectl, team, NAME);
      expect(rows).toHaveLength(200);
      expect(rows.filter((row) => Object.values(row).includes(null)).length).toBeGreaterThan(10);
      platform.configure([
        ["team", "models", 1],
        { name: NAME, version: 1, autoscale: { kind: "none", replicas: 1 } },
      ]);
      const { stack, options } = platform.open;
      const { outputs } = await stack.up(options);
      const url = `${outputs.models?.value[NAME]}/predict`;
      const { body } = await waitFor(
        "the Ingress",
        30,
        () => send(url, { features: rows }),
        ({ status }) => status === 200,
      );
      expect(JSON.parse(body)).toEqual({ prediction, probabilities, classes: [0, 1] });
    },
    5 * MINUTE,
  );

  it(
    "says how it is served, with the libraries that it was trained with",
    async () => {
      const { kubectl, team } = given();
      const logs = ["logs", "-n", team, "-l", `app.kubernetes.io/instance=${NAME}`, "--tail=-1"];
      const log = await kubectl.run(...logs);
      const loaded = log.split("\n").find((line) => line.includes("model loaded"));
      expect(JSON.parse(loaded ?? "{}")).toMatchObject({ served_as: "mlflow:sklearn" });
      expect(log).not.toContain("libraries differ");
    },
    MINUTE,
  );
}
