"""Counters, and the local view of them."""

import json
from types import SimpleNamespace

import pytest
from apache_beam.metrics.execution import MetricsContainer, MetricsEnvironment
from apache_beam.runners.worker import statesampler
from apache_beam.utils import counters

from transforms import metrics


@pytest.fixture(autouse=True)
def fresh_progress():
    """Totals belong to a process: start and leave without any."""
    metrics._progress.cache_clear()
    yield
    metrics._progress.cache_clear()


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 100.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(metrics.time, "monotonic", clock.monotonic)
    return clock


def test_counts_into_one_namespace():
    sampler = statesampler.StateSampler("test", counters.CounterFactory())
    statesampler.set_current_tracker(sampler)
    container = MetricsContainer("step")
    state = sampler.scoped_state("step", "process", metrics_container=container)
    sampler.start()
    try:
        with state:
            assert MetricsEnvironment.current_container() is container
            metrics.count("dropped:near_duplicate", 3)
            metrics.count("dropped:near_duplicate")
            with metrics.cpu("kernel"):
                pass
    finally:
        sampler.stop()
        statesampler.set_current_tracker(None)
    found = {
        (key.metric.namespace, key.metric.name): value
        for key, value in container.get_cumulative().counters.items()
    }
    assert found[metrics.NAMESPACE, "dropped:near_duplicate"] == 4
    assert found[metrics.NAMESPACE, "cpu_us:kernel"] >= 0


class Ended:
    """A finished run, as Beam's results look."""

    def __init__(self, **largest):
        self._largest = largest

    def metrics(self):
        return self

    def query(self):
        def told(name, most):
            key = SimpleNamespace(metric=SimpleNamespace(namespace=metrics.NAMESPACE, name=name))
            return SimpleNamespace(key=key, committed=SimpleNamespace(max=most))

        steps = [told(name, most) for name, found in self._largest.items() for most in found]
        return {"counters": [], "distributions": steps}


def test_the_largest_measurement_is_that_of_any_step():
    assert metrics.largest(Ended(b=[3, 9, 4], a=[1])) == {"max:a": 1, "max:b": 9}


def test_outside_a_pipeline_measuring_is_harmless():
    metrics.measure("partition_bytes:nobody", 7)


def test_outside_a_pipeline_counting_is_harmless():
    metrics.count("nobody/listens", 2)


def test_without_the_variable_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.delenv(metrics.PROGRESS_ENV, raising=False)
    metrics.count("a")
    assert metrics.read_progress(tmp_path) == {}


def test_progress_is_written_and_summed_over_processes(tmp_path, monkeypatch, clock):
    monkeypatch.setenv(metrics.PROGRESS_ENV, str(tmp_path))
    metrics.count("read", 2)
    (tmp_path / "999999.json").write_text(json.dumps({"read": 5, "kept": 1}))
    assert metrics.read_progress(tmp_path) == {"read": 7, "kept": 1}
    assert [path.suffix for path in tmp_path.iterdir()] == [".json", ".json"]


def test_progress_is_written_at_most_every_quarter_second(tmp_path, monkeypatch, clock):
    monkeypatch.setenv(metrics.PROGRESS_ENV, str(tmp_path))
    metrics.count("read", 1)
    clock.now += 0.2
    metrics.count("read", 10)
    assert metrics.read_progress(tmp_path) == {"read": 1}
    clock.now += 0.06
    metrics.count("read", 100)
    assert metrics.read_progress(tmp_path) == {"read": 111}


def test_cpu_counts_a_block_that_fails(tmp_path, monkeypatch, clock):
    monkeypatch.setenv(metrics.PROGRESS_ENV, str(tmp_path))
    with pytest.raises(ZeroDivisionError), metrics.cpu("stage"):
        _ = 1 / 0
    assert "cpu_us:stage" in metrics.read_progress(tmp_path)
