"""Graphs of other programs: fixed batch sizes, weights in other files, probabilities, texts."""

import json
from pathlib import Path
from typing import Any

import mlflow.onnx
import numpy as np
import pytest
from mlflow.models import infer_signature
from onnx import ModelProto, helper, numpy_helper
from onnxruntime import InferenceSession
from skl2onnx import to_onnx
from skl2onnx.common.data_types import StringTensorType
from sklearn.base import BaseEstimator
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from serving.errors import ModelUnavailable, Reason
from serving.models import serve
from serving.models.choice import model_of
from serving.options import Options
from tests.files import ModelFolder
from tests.graphs import SINGLE, model_file, onnx_graph
from tests.support import serving

IRIS, KINDS = load_iris(return_X_y=True)
IRIS = IRIS.astype(np.float32)
NAMES = np.array(["setosa", "versicolor", "virginica"])[KINDS]
RANDOM = np.random.default_rng(5)


def ask(found: Any, rows: Any) -> dict[str, Any]:  # noqa: ANN401
    endpoints = serve("demo", "3", model_of(found, Options(runtime="onnx")), 1000).endpoints
    body = json.dumps({"features": np.asarray(rows).tolist()}).encode()
    answer: dict[str, Any] = json.loads(endpoints["/predict"].handle(body))
    return answer


def network(rows: int | str) -> ModelProto:
    """Two layers of a neural network, with more than a kilobyte of weights."""
    weights = {
        "w1": RANDOM.normal(size=(4, 500)).astype(np.float32),
        "w2": RANDOM.normal(size=(500, 3)).astype(np.float32),
    }
    nodes = [
        helper.make_node("MatMul", ["x", "w1"], ["h1"]),
        helper.make_node("Relu", ["h1"], ["h2"]),
        helper.make_node("MatMul", ["h2", "w2"], ["scores"]),
    ]
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("x", SINGLE, [rows, 4])],
        [helper.make_tensor_value_info("scores", SINGLE, [rows, 3])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def logged(folder: Path, graph: ModelProto) -> ModelFolder:
    mlflow.onnx.save_model(graph, str(folder), signature=infer_signature(IRIS))
    return ModelFolder(folder)


def outputs(content: bytes, rows: Any) -> list[Any]:  # noqa: ANN401
    return list(InferenceSession(content).run(None, {"x": rows}))


def test_weights_in_other_files(tmp_path: Path) -> None:
    graph = network("rows")
    expected = outputs(graph.SerializeToString(), IRIS)[0].tolist()
    found = logged(tmp_path / "model", graph)
    assert len(list((tmp_path / "model").rglob("*"))) > 5  # the weights are a file of their own
    assert (tmp_path / "model" / "model.onnx").stat().st_size < 1024
    assert ask(found, IRIS)["prediction"] == expected


def test_a_file_of_weights_that_is_missing(tmp_path: Path) -> None:
    found = logged(tmp_path / "model", network("rows"))
    for file in (tmp_path / "model").iterdir():
        if file.is_file() and file.stat().st_size > 5000:
            file.unlink()
    with pytest.raises(ModelUnavailable, match="is not a usable ONNX model") as caught:
        model_of(found)
    assert caught.value.reason == Reason.MODEL_CORRUPT


@pytest.mark.parametrize("size", [1, 4])
def test_a_graph_of_a_fixed_batch_size(size: int, tmp_path: Path) -> None:
    graph = network(size)
    content = graph.SerializeToString()
    expected = [
        row for at in range(0, 12, size) for row in outputs(content, IRIS[at : at + size])[0]
    ]
    found = logged(tmp_path / "model", graph)
    assert ask(found, IRIS[:11])["prediction"] == [row.tolist() for row in expected][:11]


def classifier(model: BaseEstimator, labels: Any, zipmap: bool) -> bytes:  # noqa: ANN401
    model.fit(IRIS, labels)
    options = {id(model): {"zipmap": zipmap}}
    content: bytes = to_onnx(
        model, IRIS[:1], options=options, target_opset={"": 17, "ai.onnx.ml": 3}
    ).SerializeToString()
    return content


@pytest.mark.parametrize("zipmap", [False, True])
@pytest.mark.parametrize("labels", [KINDS, KINDS + 4, NAMES], ids=["0 to 2", "4 to 6", "names"])
@pytest.mark.parametrize(
    "model",
    [RandomForestClassifier(5, random_state=0), LogisticRegression(), GaussianNB()],
    ids=["forest", "logistic", "bayes"],
)
def test_probabilities_in_the_outputs(model: BaseEstimator, labels: Any, zipmap: bool) -> None:  # noqa: ANN401
    content = classifier(model, labels, zipmap)
    session = InferenceSession(content)
    label, shares = session.run(None, {session.get_inputs()[0].name: IRIS})
    expected = [list(row.values()) for row in shares] if zipmap else shares.tolist()
    answer = ask(model_file(content), IRIS)
    assert answer["prediction"] == label.tolist()
    assert answer["classes"] == model.classes_.tolist()
    assert answer["probabilities"] == expected


def test_two_outputs_that_are_not_a_classifier() -> None:
    graph = ModelProto.FromString(onnx_graph({"X": (SINGLE, [None, 2])}))
    graph.graph.node.append(helper.make_node("Neg", ["X"], ["Z"]))
    graph.graph.output.append(helper.make_tensor_value_info("Z", SINGLE, [None, 2]))
    answer = ask(model_file(graph.SerializeToString()), [[1.5, 2]])
    assert answer == {"prediction": [[1.5, 2.0]]}


def test_texts_with_the_locale_of_the_image(tracking_uri: str, tmp_path: Path) -> None:
    texts = np.array(["Good FILM", "bad film", "what a GOOD day", "a bad, bad day"] * 5)
    model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, texts == "bad film")
    graph = to_onnx(
        model,
        initial_types=[("text", StringTensorType([None, 1]))],
        options={id(model): {"zipmap": False}},
        target_opset={"": 17, "ai.onnx.ml": 3},
    )
    mlflow.set_tracking_uri(tracking_uri)
    with mlflow.start_run():
        mlflow.onnx.log_model(graph, name="model", registered_model_name="texts")
    # As in the Dockerfile.
    (tmp_path / "en_US.UTF-8").symlink_to("/usr/lib/locale/C.utf8")
    variables = {"MODEL_NAME": "texts", "MODEL_VERSION": "1", "LOCPATH": str(tmp_path)}
    with serving(tmp_path, **variables, MLFLOW_TRACKING_URI=tracking_uri) as service:
        service.wait_for("/readyz", seconds=60)
        body = {"features": [[text] for text in texts]}
        answer = service.client.post("/predict", json=body).json()
        assert answer["prediction"] == [int(it) for it in model.predict(texts)]
