"""A model is logged as its own flavour, with a faster form if there is one, and registered."""

import json
from hashlib import sha256
from importlib import metadata
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.artifacts import download_artifacts
from mlflow.models import get_model_info
from sklearn import __version__ as sklearn_version
from sklearn.base import BaseEstimator
from sklearn.datasets import load_diabetes
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import LinearRegression
from sklearn.neighbors import KNeighborsRegressor

from serving.endpoint import InvalidInput
from serving.models import serve
from serving.models.choice import model_of
from tests.files import ModelFolder
from training import registry
from training.registry import log_model

TABLE, TARGET = load_diabetes(return_X_y=True, as_frame=True)
TABLE = TABLE[["bmi", "bp"]].rename(columns={"bmi": "body mass"})


def logged(uri: str, estimator: BaseEstimator, rows: Any, folder: Path) -> tuple[Any, Path]:  # noqa: ANN401
    mlflow.set_tracking_uri(uri)
    mlflow.set_experiment("log model")
    with mlflow.start_run():
        version = log_model("logged", estimator, rows)
    address = f"models:/logged/{version}"
    return get_model_info(address), Path(download_artifacts(address, dst_path=str(folder)))


def test_a_proved_form_is_in_the_folder(
    tracking_uri: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    estimator = RandomForestRegressor(5, random_state=0).fit(TABLE, TARGET)
    info, folder = logged(tracking_uri, estimator, TABLE, tmp_path)
    assert info.flavors.keys() == {"python_function", "sklearn"}
    assert info.metadata.keys() == {"onnx_path", "onnx_sha256", "proof"}
    content = (folder / info.metadata["onnx_path"]).read_bytes()
    assert info.metadata["onnx_sha256"] == sha256(content).hexdigest()
    assert info.metadata["proof"].startswith("compared on 442 of 442 given rows, ")
    assert f"logged has a faster form: {info.metadata['proof']}" in capsys.readouterr().out
    assert [column.name for column in info.signature.inputs] == ["body mass", "bp"]
    assert f"scikit-learn=={sklearn_version}" in (folder / "requirements.txt").read_text().split()
    loaded = mlflow.sklearn.load_model(str(folder))
    assert loaded.predict(TABLE).tolist() == estimator.predict(TABLE).tolist()


def test_the_coefficients_of_a_linear_model_are_noted(tracking_uri: str, tmp_path: Path) -> None:
    estimator = LinearRegression().fit(TABLE.to_numpy(), TARGET)
    info, _ = logged(tracking_uri, estimator, TABLE, tmp_path)
    assert info.metadata.keys() == {"onnx_path", "onnx_sha256", "proof", "linear"}
    assert info.metadata["onnx_sha256"] in info.metadata["linear"]


def whole() -> tuple[BaseEstimator, Any]:
    visits = pd.array([1, None, 3] * 20, dtype="Int64")
    table = pd.DataFrame({"visits": visits, "age": np.arange(60.0)})
    return HistGradientBoostingRegressor(max_iter=5).fit(table, table["age"]), table


def dates() -> tuple[BaseEstimator, Any]:
    class Month(LinearRegression):  # type: ignore[misc]
        def fit(self, rows: Any, target: Any) -> Any:  # noqa: ANN401
            return super().fit(rows.apply(lambda column: column.dt.month), target)

        def predict(self, rows: Any) -> Any:  # noqa: ANN401
            return super().predict(rows.apply(lambda column: column.dt.month))

    table = pd.DataFrame({"day": pd.date_range("2024-01-01", periods=60)})
    return Month().fit(table, np.arange(60.0)), table


@pytest.mark.filterwarnings("ignore:Hint. Inferred schema contains integer:UserWarning")
@pytest.mark.parametrize(
    ("made", "said", "kinds"),
    [
        (whole, "column 'visits' has the type Int64", ["long (optional)", "double (required)"]),
        (dates, "column 'day' has the type datetime64", ["datetime (required)"]),
        (
            lambda: (KNeighborsRegressor().fit(TABLE, TARGET), TABLE),
            "predictions differ",
            ["double (required)", "double (required)"],
        ),
    ],
    ids=["nullable integers", "dates", "neighbours"],
)
def test_what_has_no_faster_form_is_logged_with_the_reason(
    made: Any,  # noqa: ANN401
    said: str,
    kinds: list[str],
    tracking_uri: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    estimator, rows = made()
    info, folder = logged(tracking_uri, estimator, rows, tmp_path)
    assert info.metadata.keys() == {"as_logged"}
    assert said in info.metadata["as_logged"]
    assert f"logged is served as it was logged: {info.metadata['as_logged']}" in (
        capsys.readouterr().out
    )
    assert [str(column).partition(": ")[2] for column in info.signature.inputs] == kinds
    assert not (folder / "extra_files").exists()
    loaded = mlflow.sklearn.load_model(str(folder))
    assert loaded.predict(rows).tolist() == estimator.predict(rows).tolist()


def test_the_training_image_has_only_a_part_of_mlflow(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        if name == "mlflow":
            raise PackageNotFoundError(name)
        return metadata.version(name)

    monkeypatch.setattr(registry, "version", version)
    found = registry._requirements(LinearRegression())
    assert found[0] == f"mlflow=={mlflow.__version__}"
    assert f"scikit-learn=={sklearn_version}" in found


@pytest.mark.parametrize("form", ["array", "table"])
def test_missing_values_are_taken_where_training_had_some(
    form: str, tracking_uri: str, tmp_path: Path
) -> None:
    array = TABLE.to_numpy(copy=True)
    array[::7, 1] = np.nan
    rows = array if form == "array" else pd.DataFrame(array, columns=TABLE.columns)
    estimator = HistGradientBoostingRegressor(max_iter=10).fit(rows, TARGET)
    info, folder = logged(tracking_uri, estimator, rows, tmp_path)
    assert "onnx_path" in info.metadata
    model = model_of(ModelFolder(folder))
    assert model.served_as == "onnx"
    handle = serve("demo", "3", model, 1000).endpoints["/predict"].handle
    body = {"features": [[first, None if np.isnan(second) else second] for first, second in array]}
    predicted = json.loads(handle(json.dumps(body).encode()))["prediction"]
    assert predicted == pytest.approx(estimator.predict(rows).tolist(), rel=1e-6)
    with pytest.raises(InvalidInput, match="wrong_type"):
        handle(b'{"features": [null, 0.1]}')
