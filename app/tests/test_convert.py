"""The metadata of a converted graph, and estimators that cannot be converted."""

import json
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from onnx import ModelProto
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.dummy import DummyRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from serving.endpoint import InvalidInput
from serving.models.choice import model_of
from tests.files import ModelFiles
from tests.models import COLUMNS, PEOPLE, ROWS, TARGET, known
from training.convert import convert
from training.faster import ConversionError
from training.proof import verify


def metadata(model: ModelProto) -> dict[str, Any]:
    return {note.key: json.loads(note.value) for note in model.metadata_props}


def test_the_example_is_the_first_row_without_missing_values() -> None:
    rows = ROWS.copy()
    rows[0, 1] = np.nan
    estimator = make_pipeline(SimpleImputer(), Ridge()).fit(rows, TARGET)
    assert metadata(convert(estimator, rows)) == {"example": rows[1].tolist()}
    assert metadata(convert(estimator, rows[:1])) == {}


def test_the_example_of_a_table_keeps_the_types_of_its_columns() -> None:
    row = COLUMNS[:1]
    example = metadata(ModelProto.FromString(known("strict").files.onnx))["example"]
    assert json.dumps(example) == json.dumps(row.astype(object).to_numpy().tolist()[0])


def test_a_graph_without_metadata_is_served() -> None:
    item = known("strict")
    bare = ModelProto.FromString(item.files.onnx)
    del bare.metadata_props[:]
    files = ModelFiles("demo", "3", bare.SerializeToString(), item.files.mlmodel)
    model = model_of(files)
    assert isinstance(item.table, pd.DataFrame)
    expected = item.estimator.predict(item.table)
    assert model.predict([*item.rows]).prediction == pytest.approx(expected, rel=1e-5)
    with pytest.raises(InvalidInput, match="unknown_category"):
        model.predict([[30.0, 1, "Paris"]])


def test_the_error_names_an_estimator_without_conversion() -> None:
    estimator = TransformedTargetRegressor(Ridge(), func=np.log1p, inverse_func=np.expm1)
    estimator.fit(ROWS, np.exp(TARGET))
    with pytest.raises(ConversionError, match=r"^TransformedTargetRegressor: in float64 it can"):
        convert(estimator, ROWS)
    with pytest.raises(ConversionError, match=r"TransformedTargetRegressor"):
        convert(make_pipeline(SimpleImputer(), estimator).fit(ROWS, TARGET + 99), ROWS)


@pytest.mark.parametrize("kind", ["Int64", "datetime64[ns]", "timedelta64[s]"])
def test_the_error_names_a_column_without_a_type_in_onnx(kind: str) -> None:
    table = pd.DataFrame({"plain": [1.0, 2.0], "other": pd.Series([1, None], dtype=kind)})
    estimator = DummyRegressor().fit(table[["plain"]], [1, 2])
    with pytest.raises(ConversionError, match=re.escape(f"column 'other' has the type {kind}")):
        convert(estimator, table)


@pytest.mark.parametrize("name", ["home city", "sepal length (cm)", "a-b", "a.b", "1", "é"])
def test_names_of_columns_are_kept(name: str) -> None:
    table = pd.DataFrame({name: PEOPLE["city"], "other column": PEOPLE["age"]})
    columns = ColumnTransformer(
        [("text", OneHotEncoder(), [name]), ("number", StandardScaler(), ["other column"])]
    )
    estimator = make_pipeline(columns, Ridge()).fit(table, PEOPLE["age"])
    model = convert(estimator, table)
    assert [given.name for given in model.graph.input] == [name, "other column"]
    assert verify(estimator, model, table) < 1e-9


def test_a_table_of_floats_is_one_input() -> None:
    table = pd.DataFrame(ROWS, columns=list("abc"))
    [given] = convert(LinearRegression().fit(table, TARGET), table).graph.input
    assert [part.dim_value for part in given.type.tensor_type.shape.dim] == [0, 3]
