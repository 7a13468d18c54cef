"""Observes what a script does: what it fits on which rows, and which files it reads and writes."""

import os
import sys
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import joblib
import mlflow
import mlflow.sklearn
from mlflow.entities import Run
from mlflow.utils.autologging_utils.events import AutologgingEventLogger
from sklearn.base import BaseEstimator

#: Of code, which is no data.
_CODE = {".py", ".pyc", ".so", ".pth", ".toml", ".cfg"}


@dataclass
class Fit:
    """A call of `fit`: the estimator while it exists, and its rows."""

    estimator: Callable[[], BaseEstimator | None]
    features: Any
    target: Any
    #: MLflow's, if autologging has logged the model.
    model_id: str | None = None


@dataclass
class Observed:
    """What a script did."""

    fits: list[Fit] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    #: Models that autologging has logged.
    autologged: list[str] = field(default_factory=list)
    #: Files, in order.
    read: dict[Path, None] = field(default_factory=dict)
    written: dict[Path, None] = field(default_factory=dict)
    #: The last estimator, which a function may have used alone.
    last: BaseEstimator | None = None

    def fit_of(self, estimator: BaseEstimator) -> Fit | None:
        """The last fit of an estimator, of one that is equal, or of the first step of a pipeline.

        An estimator that was read from a file is equal to the one that was written.
        """
        steps = getattr(estimator, "steps", None)
        for wanted in [estimator, *([steps[0][1]] if steps else [])]:
            for fit in reversed(self.fits):
                fitted = fit.estimator()
                if fitted is wanted or (type(fitted) is type(wanted) and _equal(fitted, wanted)):
                    return fit
        return None


def _equal(first: BaseEstimator, second: BaseEstimator) -> bool:
    try:
        equal: bool = joblib.hash(_core(first)) == joblib.hash(_core(second))
    except Exception:  # of any class that cannot be pickled, or of joblib
        return False
    return equal


def _core(estimator: BaseEstimator) -> BaseEstimator:
    """The best estimator of a search, whose results joblib cannot hash."""
    return getattr(estimator, "best_estimator_", estimator)


@contextmanager
def observed() -> Iterator[Observed]:
    """Observes what is done until the end of the block."""
    found = Observed()
    watching = True

    def audit(event: str, arguments: tuple[Any, ...]) -> None:  # for ever: it cannot be removed
        if watching and event in ("open", "os.rename"):
            _note(found, event, arguments)

    sys.addaudithook(audit)
    start_run = mlflow.start_run
    mlflow.start_run = _nested(found, start_run)  # type: ignore[assignment]
    AutologgingEventLogger.set_logger(_Fits(found))  # type: ignore[no-untyped-call]
    mlflow.autolog(log_input_examples=True, silent=True)
    # Models of scikit-learn are logged at the end: only the one that is found, in a faster form.
    mlflow.sklearn.autolog(log_models=False, silent=True)
    try:
        yield found
    finally:
        watching = False
        mlflow.autolog(disable=True, silent=True)
        mlflow.sklearn.autolog(disable=True, silent=True)
        mlflow.start_run = start_run


def _nested(found: Observed, start_run: Callable[..., Run]) -> Callable[..., Run]:
    """Makes the runs of the script children of the job's."""

    def start(*arguments: Any, **options: Any) -> Run:  # noqa: ANN401
        run = start_run(*arguments, **{**options, "nested": True})
        found.runs.append(run)
        return run

    return start


def _note(found: Observed, event: str, arguments: tuple[Any, ...]) -> None:
    path = arguments[1 if event == "os.rename" else 0]
    if not isinstance(path, str | bytes | os.PathLike):
        return  # the number of an open file
    file = Path(os.path.abspath(os.fsdecode(path)))  # noqa: PTH100 (links are kept)
    writes = event == "os.rename" or arguments[2] & (os.O_WRONLY | os.O_RDWR)
    if file.suffix not in _CODE:
        (found.written if writes else found.read)[file] = None


class _Fits(AutologgingEventLogger):
    """MLflow calls it around each function that it autologs."""

    def __init__(self, found: Observed) -> None:
        self._found = found
        self._logged: str | None = None

    def log_patch_function_start(self, *_: Any) -> None:  # noqa: ANN401
        self._logged = _last_logged()

    def log_original_function_success(
        self,
        session: Any,  # noqa: ANN401, ARG002
        patch_obj: Any,  # noqa: ANN401, ARG002
        function_name: str,
        call_args: tuple[Any, ...],
        call_kwargs: dict[str, Any],
    ) -> None:
        if not function_name.startswith("fit") or not isinstance(call_args[0], BaseEstimator):
            return
        estimator, *given = call_args
        rows = dict(zip(("X", "y"), given, strict=False)) | call_kwargs
        found = self._found
        found.fits = [fit for fit in found.fits if fit.estimator() is not None]
        found.fits.append(Fit(weakref.ref(estimator), rows.get("X"), rows.get("y")))
        found.last = estimator

    def log_patch_function_success(
        self,
        session: Any,  # noqa: ANN401, ARG002
        patch_obj: Any,  # noqa: ANN401, ARG002
        function_name: str,  # noqa: ARG002
        call_args: tuple[Any, ...],
        call_kwargs: dict[str, Any],  # noqa: ARG002
    ) -> None:
        logged = _last_logged()
        if logged is None or logged in (self._logged, *self._found.autologged):
            return
        self._found.autologged.append(logged)
        for fit in self._found.fits:
            if call_args and fit.estimator() is call_args[0]:
                fit.model_id = logged


def _last_logged() -> str | None:
    model = mlflow.last_logged_model()
    return model.model_id if model else None
