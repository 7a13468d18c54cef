"""What a scrape sees: every series from the start, exact counts, and no series by surprise."""

from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from serving.metrics import CODES
from tests.support import Serving, StubRegistry, onnx_bytes, serving

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def scrape(service: Serving) -> Samples:
    answer = service.client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if sample.name.startswith("inference_")
    }


def requests(samples: Samples) -> dict[int, float]:
    return {
        int(dict(labels)["code"]): value
        for (name, labels), value in samples.items()
        if name == "inference_requests_total"
    }


@pytest.fixture
def fresh(registry: StubRegistry, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    home = tmp_path_factory.mktemp("metrics")
    variables = {"MLFLOW_TRACKING_URI": registry.url, "MODEL_VERSION": "champion"}
    with serving(home, **variables) as running:
        running.wait_for("/healthz")
        yield running


def test_counts_exactly_and_grows_no_series(registry: StubRegistry, fresh: Serving) -> None:
    start = scrape(fresh)
    assert requests(start) == dict.fromkeys(CODES, 0.0)
    assert start["inference_latency_seconds_count", ()] == 0
    assert not [key for key in start if key[0] == "inference_model_info"]

    assert fresh.predict(b"").status_code == 503
    registry.register(onnx_bytes())
    fresh.wait_for("/readyz")
    for _ in range(7):
        fresh.predict(b'{"features": [3.2, 1.5]}')
    for _ in range(3):
        fresh.predict(b"{}")
    for method in ("GET", "TRACE", "NONSENSE"):
        fresh.client.request(method, "/predict")
    for path in ("/", "/predict/1", "/predict%00", "/a/b/c", "/metrics/x"):
        fresh.client.get(path)

    end = scrape(fresh)
    assert requests(end) == {**dict.fromkeys(CODES, 0.0), 200: 7, 400: 3, 405: 3, 503: 1}
    assert end["inference_latency_seconds_count", ()] == 7
    assert 0 < end["inference_latency_seconds_sum", ()] < 7
    info = ("inference_model_info", (("model", "demo"), ("version", "3")))
    assert end.keys() - start.keys() == {info}
    assert end[info] == 1
