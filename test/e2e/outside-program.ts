import { join } from "node:path";
import { expect, it } from "vitest";
import { type Answer, send } from "../../cli/common/http";
import { environment } from "../../cli/stack";
import type { LabInfo } from "../../lab/cluster/lab";
import { ensurePulumi } from "../../toolchain/pulumi";
import type { Kubectl } from "../support/kubectl";
import { OutsideProgram } from "../support/outside-program";
import { waitFor } from "../support/wait";

const MINUTE = 60_000;

export interface Given {
  readonly kubectl: Kubectl;
  readonly lab: LabInfo;
  /** Folder for the program. */
  readonly folder: string;
  /** Asks the model of the stack. */
  readonly predict: (features: unknown) => Promise<Answer>;
  /** Calls the API of MLflow. */
  // biome-ignore lint/suspicious/noExplicitAny: the type of an answer depends on the path.
  readonly mlflow: (path: string, body?: unknown) => Promise<any>;
  readonly team: string;
}

/** Tests a program of a user that has the components as a package, in the namespace of a stack that serves a model. */
export function outsideProgram(given: () => Given): void {
  it(
    "serves a model with the installed package of the components",
    async () => {
      const { kubectl, lab, folder, predict, mlflow, team } = given();
      const name = "outside";
      const { model_version } = await mlflow("model-versions/get?name=diabetes&version=1");
      const { source, run_id } = model_version;
      await mlflow("registered-models/create", { name });
      const model_id = source.replace("models:/", "");
      await mlflow("model-versions/create", { name, source, run_id, model_id });
      await mlflow("registered-models/alias", { name, alias: "champion", version: "1" });
      const selector = "app.kubernetes.io/instance=diabetes";
      const [pod] = await kubectl.list("pods", "-n", team, "-l", selector);
      const config = {
        "outside:kubeconfig": lab.kubeconfig,
        "outside:namespace": team,
        "outside:model": name,
        "outside:image": pod?.spec?.containers?.[0]?.image ?? "",
        "outside:ingress": JSON.stringify({
          namespace: "kube-system",
          port: Number(new URL(lab.ingress).port),
        }),
      };
      const { PATH } = environment(await ensurePulumi(console.log), false);
      const program = new OutsideProgram(join(folder, name), config, PATH ?? "");
      program.install();
      expect(program.run("preview").changes).toEqual({ create: 11 });
      const { url = "" } = program.run("up");
      expect(url).toBe(`http://outside.demo.localhost:${new URL(lab.ingress).port}`);
      const { body } = await waitFor(
        "the Ingress",
        30,
        () => send(`${url}/predict`, { features: [32.1, 101] }),
        ({ status }) => status === 200,
      );
      expect(body).toBe((await predict([32.1, 101])).body);
      expect(program.run("preview").changes).toEqual({ same: 11 });
      program.run("destroy");
    },
    5 * MINUTE,
  );
}
