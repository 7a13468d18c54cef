import type { Kubectl } from "./kubectl";
import { runInTrainingPod } from "./training-pod";

/**
 * What a notebook does: a forest in a pipeline with texts and missing values is trained on a real data set, logged with
 * MLflow's own function, and registered. The last line is JSON: held-out rows, and what the model predicts for them.
 */
const PROGRAM = `
import json
import mlflow
import numpy as np
import pandas as pd
from mlflow.models import infer_signature
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

table, target = load_breast_cancer(return_X_y=True, as_frame=True)
table = table.iloc[:, :6].assign(
    **{"cell size": pd.cut(table["mean area"], [0, 400, 800, 3000], labels=["small", "medium", "large"])}
)
table["cell size"] = table["cell size"].astype(str)
random = np.random.default_rng(0)
for name in ("mean radius", "cell size"):
    table.loc[random.random(len(table)) < 0.1, name] = np.nan
train, held_out, labels, _ = train_test_split(table, target, test_size=200, random_state=0)
texts = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore"))
columns = ColumnTransformer([("texts", texts, ["cell size"])], remainder=SimpleImputer())
model = make_pipeline(columns, RandomForestClassifier(random_state=0)).fit(train, labels)
mlflow.set_experiment("notebook")
with mlflow.start_run():
    mlflow.sklearn.log_model(
        model,
        name="model",
        registered_model_name="NAME",
        signature=infer_signature(table, model.predict(train)),
        serialization_format="cloudpickle",
    )
rows = held_out.astype(object).where(held_out.notna(), None).to_dict("records")
print(json.dumps([rows, model.predict(held_out).tolist(), model.predict_proba(held_out).tolist()]))
`;

/** Rows by name, and what the model predicts for them. */
export interface LoggedModel {
  readonly rows: readonly Record<string, string | number | null>[];
  readonly prediction: readonly number[];
  readonly probabilities: readonly (readonly number[])[];
}

/** Trains and registers a model in a pod with the team's training image, as a person does in a notebook. */
export async function logModel(kubectl: Kubectl, team: string, name: string): Promise<LoggedModel> {
  const log = await runInTrainingPod(kubectl, team, "notebook", PROGRAM.replace("NAME", name));
  const [rows, prediction, probabilities] = JSON.parse(log.trim().split("\n").at(-1) ?? "");
  return { rows, prediction, probabilities };
}
