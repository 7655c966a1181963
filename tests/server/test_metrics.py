"""The page that Prometheus reads, parsed by Prometheus's own parser."""

from prometheus_client.parser import text_string_to_metric_families

from rnnsuite.server.metrics import Metrics


def samples(page):
    families = text_string_to_metric_families(page.decode())
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def test_requests_are_counted_by_model_and_outcome():
    metrics = Metrics()
    metrics.request("a", "OK", 0.5)
    metrics.request("a", "OK", 0.25)
    metrics.request("a", "INVALID_ARGUMENT", 9.0)
    found = samples(metrics.page(0, []))
    assert found["rnnsuite_requests_total", ("code", "OK"), ("model", "a")] == 2
    assert found["rnnsuite_requests_total", ("code", "INVALID_ARGUMENT"), ("model", "a")] == 1
    # A refusal's time says nothing about the model.
    assert found["rnnsuite_request_seconds_count", ("model", "a")] == 2
    assert found["rnnsuite_request_seconds_sum", ("model", "a")] == 0.75


def test_batches_have_a_histogram():
    metrics = Metrics()
    for rows in (1, 3, 64):
        metrics.batch("a")(rows)
    found = samples(metrics.page(0, []))
    assert found["rnnsuite_batch_rows_sum", ("model", "a")] == 68
    assert found["rnnsuite_batch_rows_bucket", ("le", "2.0"), ("model", "a")] == 1
    assert found["rnnsuite_batch_rows_bucket", ("le", "4.0"), ("model", "a")] == 2


def test_versions_that_have_gone_are_not_shown():
    metrics = Metrics()
    metrics.page(2, [("a", 1), ("b", 7)])
    found = samples(metrics.page(3, [("a", 2)]))
    assert found[("rnnsuite_requests_under_way",)] == 3
    loaded = {key for key in found if key[0] == "rnnsuite_model_loaded"}
    assert loaded == {("rnnsuite_model_loaded", ("model", "a"), ("version", "2"))}


def test_two_servers_in_a_process_count_apart():
    first, second = Metrics(), Metrics()
    first.request("a", "OK", 0.1)
    assert ("rnnsuite_requests_total", ("code", "OK"), ("model", "a")) not in samples(
        second.page(0, [])
    )
