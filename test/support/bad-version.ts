import type { Kubectl } from "./kubectl";

/**
 * Registers a model that loads, answers a row of zeros and fails on most others: it looks a feature up in a table of one.
 * Prints its version.
 */
const PROGRAM = `
import os
import mlflow
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, Schema
from onnx import TensorProto, helper

nodes = [
    helper.make_node("Cast", ["X"], ["place"], to=TensorProto.INT64),
    helper.make_node("Gather", ["table", "place"], ["found"]),
    helper.make_node("ReduceSum", ["found", "axis"], ["Y"]),
]
graph = helper.make_graph(
    nodes,
    "lookup",
    [helper.make_tensor_value_info("X", TensorProto.DOUBLE, [None, 2])],
    [helper.make_tensor_value_info("Y", TensorProto.DOUBLE, [None, 1])],
    [
        helper.make_tensor("table", TensorProto.DOUBLE, [1], [0.0]),
        helper.make_tensor("axis", TensorProto.INT64, [1], [1]),
    ],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
double = lambda name: ColSpec("double", name)
signature = ModelSignature(
    Schema([double("feature1"), double("feature2")]), Schema([ColSpec("double")])
)
with mlflow.start_run():
    info = mlflow.onnx.log_model(
        model, name="model", signature=signature, registered_model_name=os.environ["MODEL_NAME"]
    )
print("version", info.registered_model_version)
`;

/**
 * Registers one more version of the model that a team trains, which fails when it is asked, from a pod of the team's training image.
 * @returns its number
 */
export async function registerBadVersion(kubectl: Kubectl, team: string): Promise<number> {
  const inTeam = ["-n", team];
  const job = ["get", "jobs", ...inTeam, "-l", "app.kubernetes.io/component=training", "-o"];
  const trained = JSON.parse(await kubectl.run(...job, "json")).items[0].spec.template;
  const { initContainers: _, ...spec } = trained.spec;
  const [container] = spec.containers;
  const pod = {
    apiVersion: "v1",
    metadata: { name: "bad-version", labels: trained.metadata.labels },
    spec: { ...spec, containers: [{ ...container, command: ["python", "-c", PROGRAM] }] },
  };
  // The Job's own labels would have its controller count the pod.
  for (const key of Object.keys(pod.metadata.labels)) {
    if (/job-name|controller-uid/.test(key)) delete pod.metadata.labels[key];
  }
  const image = ["--image", container.image, "--restart=Never"];
  await kubectl.run("run", "bad-version", ...inTeam, ...image, "--overrides", JSON.stringify(pod));
  const done = ["wait", ...inTeam, "pod/bad-version", "--timeout=180s"];
  await kubectl.run(...done, "--for=jsonpath={.status.phase}=Succeeded");
  const log = await kubectl.run("logs", ...inTeam, "bad-version");
  await kubectl.run("delete", "pod", ...inTeam, "bad-version");
  const [, version] = /^version (\d+)$/m.exec(log) ?? [];
  if (!version) throw new Error(`the bad version was not registered:\n${log}`);
  return Number(version);
}
