import type { Kubectl } from "./kubectl";
import { runInTrainingPod } from "./training-pod";

/**
 * Registers two models that can be loaded, and prints their versions: one fails for most rows, as it uses a feature as index
 * into a table with one entry, and one runs a loop of 40,000 iterations for each prediction, which takes more than 10 ms.
 */
const PROGRAM = `
import os
import mlflow
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, Schema
from onnx import TensorProto, helper

INT, BOOL, DOUBLE = TensorProto.INT64, TensorProto.BOOL, TensorProto.DOUBLE
row = lambda name: helper.make_tensor_value_info(name, DOUBLE, [None, 2])
scalar = lambda name, kind: helper.make_tensor_value_info(name, kind, [])
double = lambda name: ColSpec("double", name)
signature = ModelSignature(
    Schema([double("feature1"), double("feature2")]), Schema([ColSpec("double")])
)


def register(kind, nodes, *constants):
    axis = helper.make_tensor("axis", INT, [1], [1])
    result = helper.make_tensor_value_info("Y", DOUBLE, [None, 1])
    sum_up = helper.make_node("ReduceSum", ["found", "axis"], ["Y"])
    graph = helper.make_graph([*nodes, sum_up], kind, [row("X")], [result], [axis, *constants])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    with mlflow.start_run():
        info = mlflow.onnx.log_model(
            model, name="model", signature=signature, registered_model_name=os.environ["MODEL_NAME"]
        )
    print(kind, info.registered_model_version)


register(
    "failing",
    [
        helper.make_node("Cast", ["X"], ["place"], to=INT),
        helper.make_node("Gather", ["table", "place"], ["found"]),
    ],
    helper.make_tensor("table", DOUBLE, [1], [0.0]),
)
turn = helper.make_graph(
    [helper.make_node("Identity", ["on"], ["on_"]), helper.make_node("Identity", ["row"], ["row_"])],
    "turn",
    [scalar("count", INT), scalar("on", BOOL), row("row")],
    [scalar("on_", BOOL), row("row_")],
)
register(
    "slow",
    [helper.make_node("Loop", ["turns", "yes", "X"], ["found"], body=turn)],
    helper.make_tensor("turns", INT, [], [40_000]),
    helper.make_tensor("yes", BOOL, [], [True]),
)
`;

/**
 * Registers two more versions of the model that a team trains, one that fails for predictions and one that is slow, in a
 * pod with the team's training image.
 * @returns the version numbers
 */
export async function registerBadVersions(
  kubectl: Kubectl,
  team: string,
): Promise<{ failing: number; slow: number }> {
  const log = await runInTrainingPod(kubectl, team, "bad-versions", PROGRAM);
  return { failing: versionIn(log, "failing"), slow: versionIn(log, "slow") };
}

/** @throws Error with the log if it has no such version */
function versionIn(log: string, kind: string): number {
  const [, version] = new RegExp(`^${kind} (\\d+)$`, "m").exec(log) ?? [];
  if (!version) {
    throw new Error(`the ${kind} version was not registered:\n${log}`);
  }
  return Number(version);
}
