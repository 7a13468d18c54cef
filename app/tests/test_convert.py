"""The metadata of a converted graph, and estimators that cannot be converted."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from onnx import ModelProto
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline

from serving.endpoint import InvalidInput
from serving.models import model_of
from tests.files import ModelFiles
from tests.models import COLUMNS, ROWS, TARGET, known
from training.convert import ConversionError, convert, verify


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
    with pytest.raises(ConversionError, match=r"^TransformedTargetRegressor cannot be converted"):
        convert(estimator, ROWS)
    with pytest.raises(ConversionError, match=r"TransformedTargetRegressor"):
        convert(make_pipeline(SimpleImputer(), estimator).fit(ROWS, TARGET + 99), ROWS)


def test_labels_of_another_type_are_refused() -> None:
    truths = LogisticRegression().fit(ROWS, TARGET > 0)
    numbers = LogisticRegression().fit(ROWS, (TARGET > 0).astype(int))
    assert verify(truths, convert(truths, ROWS), ROWS) < 1e-6
    with pytest.raises(ConversionError, match="other labels"):
        verify(truths, convert(numbers, ROWS), ROWS)


@pytest.mark.parametrize("seed", range(5))
def test_small_predictions_are_compared_relative_to_the_largest(seed: int) -> None:
    table = pd.DataFrame(ROWS, columns=list("abc"))
    estimator = RandomForestClassifier(5, random_state=seed).fit(table, TARGET > 0)
    assert verify(estimator, convert(estimator, table), table) < 1e-4


def test_a_table_of_floats_is_one_input() -> None:
    table = pd.DataFrame(ROWS, columns=list("abc"))
    [given] = convert(LinearRegression().fit(table, TARGET), table).graph.input
    assert [part.dim_value for part in given.type.tensor_type.shape.dim] == [0, 3]
