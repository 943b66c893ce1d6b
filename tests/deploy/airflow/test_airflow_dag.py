"""The DAG as Airflow reads it, and run task by task; only the clients of clouds are replaced."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import pathlib
import subprocess
import sys
import tempfile
from typing import Any
from unittest import mock

import pytest

DAGS = pathlib.Path(__file__).resolve().parents[3] / "deploy" / "airflow"
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="airflow-")
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
os.environ["AIRFLOW__CORE__DAGS_FOLDER"] = str(DAGS)
# A busy machine fails no test.
os.environ["AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT"] = "600"

SETTINGS = {
    "project": "example",
    "region": "europe-west4",
    "template": "gs://staging/templates/holdfast.json",
    "image": "europe-west4-docker.pkg.dev/example/holdfast/job@sha256:" + "0" * 64,
    "worker": "worker@example.iam.gserviceaccount.com",
    "subnetwork": "regions/europe-west4/subnetworks/workers",
    "config": "gs://config/holdfast.yaml",
    "input": "gs://crawl",
    "published": "gs://published/nightly",
    "staging": "gs://staging/runs",
    "index": "gs://index/index",
}
os.environ["AIRFLOW_VAR_HOLDFAST"] = json.dumps(SETTINGS)
os.environ["AIRFLOW_CONN_HOLDFAST_WEBHOOK"] = "http://hooks.example"
os.environ["AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT"] = "google-cloud-platform://"


@pytest.fixture(scope="session", autouse=True)
def database() -> None:
    airflow = pathlib.Path(sys.executable).with_name("airflow")
    subprocess.run(  # noqa: S603  # of this environment
        [airflow, "db", "migrate"], check=True, capture_output=True
    )


@pytest.fixture(scope="session")
def dag(database: None) -> Any:
    from airflow.dag_processing.dagbag import DagBag  # noqa: PLC0415  # reads the variables above

    bag = DagBag(str(DAGS / "holdfast_nightly.py"))
    assert bag.import_errors == {}
    found = bag.dags["holdfast_nightly"]
    # A second try ten minutes later is Airflow's business; a test does not wait for it.
    assert found.task_dict["curate"].retries == 1
    found.task_dict["curate"].retries = 0
    return found


def test_airflow_imports_it_in_the_order_that_was_meant(dag: Any):
    assert dag.task_dict.keys() == {"curate", "verify", "tell"}
    assert dag.task_dict["curate"].downstream_task_ids == {"verify"}
    assert dag.task_dict["verify"].downstream_task_ids == {"tell"}
    assert dag.max_active_runs == 1
    assert dag.catchup is False
    assert dag.task_dict["curate"].deferrable is True
    assert dag.task_dict["tell"].trigger_rule == "all_done"


class Clouds:
    """Stands for Dataflow, Kubernetes, Cloud Storage and the webhook."""

    def __init__(self, patch: Any, *, job: str = "success", code: int = 0) -> None:
        self.launched: list[dict[str, Any]] = []
        self.verified: list[list[str]] = []
        self.said: list[str] = []
        self._job, self._outcome = job, {"exit_code": code, "message": "published abc"}
        if code:
            self._outcome["message"] = "floor original=0.99: have 1, need 2"
        google = "airflow.providers.google.cloud"
        operator = f"{google}.operators.dataflow.DataflowStartFlexTemplateOperator.execute"
        pods = "airflow.providers.cncf.kubernetes.operators.pod.KubernetesPodOperator.execute"
        patch(operator, self.launch)
        patch(pods, self.verify)
        patch(f"{google}.hooks.gcs.GCSHook.exists", lambda *_, **__: True)
        patch(f"{google}.hooks.gcs.GCSHook.download", self.download)
        patch("airflow.providers.http.hooks.http.HttpHook.run", self.say)

    def launch(self, task: Any, context: Any) -> None:  # noqa: ARG002
        self.launched.append(task.body)
        if self._job != "success":
            raise RuntimeError("the job failed")

    def verify(self, task: Any, context: Any) -> None:  # noqa: ARG002
        self.verified.append(task.arguments)

    def download(self, hook: Any, bucket: str, path: str) -> bytes:  # noqa: ARG002
        assert (bucket, path) == ("staging", "runs/2026-10-01/outcome.json")
        return json.dumps(self._outcome).encode()

    def say(self, hook: Any, *rest: Any, **told: Any) -> None:  # noqa: ARG002
        self.said.append(json.loads(told["data"])["text"])


def replace(stack: Any) -> Any:
    """Patches methods by functions that get the object first."""
    return lambda name, by: stack.enter_context(mock.patch(name, autospec=True, side_effect=by))


def run(dag: Any, **how: Any) -> tuple[Clouds, Any]:
    day = datetime.datetime(2026, 10, 1, tzinfo=datetime.UTC)
    with contextlib.ExitStack() as stack:
        clouds = Clouds(replace(stack), **how)
        return clouds, dag.test(logical_date=day)


def test_a_good_night(dag: Any):
    clouds, ended = run(dag)
    assert str(ended.state) == "success"
    launch = clouds.launched[0]["launchParameter"]
    assert launch["parameters"]["input"] == "gs://crawl/2026-10-01/*.parquet"
    assert launch["parameters"]["output"] == "gs://published/nightly/2026-10-01"
    assert launch["environment"]["sdkContainerImage"] == SETTINGS["image"]
    assert clouds.verified == [["verify", "gs://published/nightly/2026-10-01"]]
    assert clouds.said == ["holdfast: published abc, verified"]


def test_a_refused_night_verifies_nothing_and_says_why(dag: Any):
    clouds, ended = run(dag, job="failed", code=3)
    assert str(ended.state) == "failed"
    assert clouds.verified == []
    assert clouds.said[-1] == "holdfast: curate failed: floor original=0.99: have 1, need 2"


def test_the_parameters_are_those_of_the_template(dag: Any):
    metadata = DAGS.parent / "dataflow" / "metadata.json"
    names = {given["name"] for given in json.loads(metadata.read_text())["parameters"]}
    body = dag.task_dict["curate"].body
    assert set(body["launchParameter"]["parameters"]) <= names
