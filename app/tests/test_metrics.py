"""A scrape: every series from the start, exact counts, and no other series."""

from collections.abc import Iterator

import pytest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.parser import text_string_to_metric_families

from serving.exposition import exposition
from serving.metrics import BUCKETS, CODES, Metrics
from tests.support import Serving, StubRegistry, onnx_bytes, serving

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def scrape(service: Serving) -> Samples:
    answer = service.client.get("/metrics")
    assert answer.headers["content-type"] == CONTENT_TYPE_PLAIN_0_0_4
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


def test_counts_are_exact_and_no_series_is_added(registry: StubRegistry, fresh: Serving) -> None:
    start = scrape(fresh)
    assert requests(start) == dict.fromkeys(CODES, 0.0)
    assert not [key for key in start if key[0] == "inference_model_info"]

    assert fresh.predict(b"").status_code == 503
    registry.register(onnx_bytes())
    fresh.wait_for("/readyz")
    for _ in range(7):
        fresh.predict(b'{"features": [3.2, 1.5]}')
    for _ in range(3):
        fresh.predict(b"{}")
    for method in ("GET", "TRACE"):
        fresh.client.request(method, "/predict")
    for path in ("/", "/predict/1", "/predict%00", "/a/b/c", "/metrics/x"):
        fresh.client.get(path)

    end = scrape(fresh)
    assert requests(end) == {**dict.fromkeys(CODES, 0.0), 200: 7, 400: 3, 405: 2, 503: 1}
    served = (("model", "demo"), ("version", "3"))
    assert end["inference_latency_seconds_count", served] == 7
    assert 0 < end["inference_latency_seconds_sum", served] < 7
    assert end["inference_latency_seconds_bucket", (("le", "+Inf"), *served)] == 7
    info = (("model", "demo"), ("served_as", "onnx"), ("version", "3"))
    assert end["inference_model_info", info] == 1
    assert {name for name, _ in end} - {name for name, _ in start} == {"inference_model_info"}


def test_unknown_paths_and_methods_are_one_series(service: Serving) -> None:
    def others() -> Samples:
        text = service.client.get("/metrics").text
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == "http_requests_total"
        }

    for path in ("/1", "/2", "/a" * 100, "/predict%00"):
        service.client.get(path)
        service.client.request("BREW", path)
    others()  # a scrape is counted after its response
    before = others()
    for number in range(50):
        service.client.request("PURGE", f"/odd/{number}")
    after = others()
    assert {dict(labels)["route"] for _, labels in after} <= {
        "other",
        "/healthz",
        "/readyz",
        "/metrics",
        "/docs",
        "/openapi.json",
        "/v2",
        "/v2/health/live",
        "/v2/health/ready",
        *(f"/v2/models/demo{v}{p}" for v in ("", "/versions/3") for p in ("", "/ready")),
    }
    assert len(after) == len(before)


def test_buckets_are_cumulative_and_include_their_bounds() -> None:
    metrics = Metrics("demo")
    metrics.version = "3"
    for seconds in (BUCKETS[0], BUCKETS[0] * 1.01, 0.05, 99.0):
        metrics.prediction(200, seconds)
    metrics.prediction(500, 1.0)
    found = {
        sample.labels["le"]: sample.value
        for family in text_string_to_metric_families(exposition(metrics)().decode())
        for sample in family.samples
        if sample.name == "inference_latency_seconds_bucket"
    }
    assert len(found) == len(BUCKETS) + 1
    assert (found["1e-05"], found["2.5e-05"], found["0.05"]) == (1, 2, 3)
    assert (found["2.5"], found["+Inf"]) == (3, 4)


def test_libraries_that_differ_are_counted() -> None:
    metrics = Metrics("demo")
    metrics.library_differences = 2
    families = text_string_to_metric_families(exposition(metrics)().decode())
    [sample] = [it for family in families for it in family.samples if "mismatch" in it.name]
    assert (sample.name, sample.value) == ("inference_library_mismatch", 2.0)
