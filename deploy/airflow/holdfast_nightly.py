"""The nightly run on Composer, or any Airflow 3: curate, then verify, then tell.

Put this file into the DAG folder and its settings into the Airflow variable `holdfast`
(JSON; see `deploy/airflow/README.md`). Curating waits in the triggerer, and takes no worker
slot while Dataflow works. Verifying recomputes every promise from what was published, in a
pod of the job's own image. Telling is last, whatever came before, and fails the DAG run if
anything did.
"""

from __future__ import annotations

import datetime
import json
from typing import Any

from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.providers.google.cloud.hooks.gcs import GCSHook
from airflow.providers.google.cloud.operators.dataflow import DataflowStartFlexTemplateOperator
from airflow.providers.http.hooks.http import HttpHook
from airflow.sdk import dag, task

SETTINGS = "holdfast"
"""Name of the Airflow variable."""
WEBHOOK = "holdfast_webhook"
"""Name of the HTTP connection that a message goes to."""
RUN_ID = "{{ logical_date.strftime('%Y-%m-%d') }}"
"""Names the folders of a run: a back-fill of a day gives that day's folders."""


def _setting(name: str) -> str:
    return f"{{{{ var.json.{SETTINGS}.{name} }}}}"


def _launch() -> dict[str, Any]:
    """What is posted to `flexTemplates:launch`; Airflow fills the templates in."""
    parameters = {
        "config": _setting("config"),
        "input": f"{_setting('input')}/{RUN_ID}/*.parquet",
        "output": f"{_setting('published')}/{RUN_ID}",
        "staging": f"{_setting('staging')}/{RUN_ID}",
        "index": _setting("index"),
    }
    environment = {
        "serviceAccountEmail": _setting("worker"),
        "sdkContainerImage": _setting("image"),
        "machineType": "n2-standard-8",
        "maxWorkers": 25,
        "subnetwork": _setting("subnetwork"),
        "ipConfiguration": "WORKER_IP_PRIVATE",
        "tempLocation": f"{_setting('staging')}/temp",
        "stagingLocation": f"{_setting('staging')}/launch",
        "flexrsGoal": "FLEXRS_COST_OPTIMIZED",
        "additionalUserLabels": {"job": "holdfast", "run": "nightly"},
    }
    return {
        "launchParameter": {
            "jobName": "holdfast-nightly",
            "containerSpecGcsPath": _setting("template"),
            "parameters": parameters,
            "environment": environment,
        }
    }


def _told(outcome: dict[str, Any] | None, states: dict[str, str]) -> str:
    """One line for people."""
    failed = [name for name, state in states.items() if state != "success"]
    if not failed:
        return f"holdfast: {outcome['message'] if outcome else 'done'}, verified"
    why = f": {outcome['message']}" if outcome and outcome["exit_code"] else ""
    return f"holdfast: {failed[0]} failed{why}"


@dag(
    dag_id="holdfast_nightly",
    schedule="17 2 * * *",
    start_date=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
    # One at a time: a run compares with the index as it is when the run starts.
    max_active_runs=1,
    catchup=False,
    tags=["holdfast"],
    default_args={"retries": 0},
    doc_md=__doc__,
)
def holdfast_nightly() -> None:
    """Curate, verify, tell."""
    curate = DataflowStartFlexTemplateOperator(
        task_id="curate",
        project_id=_setting("project"),
        location=_setting("region"),
        body=_launch(),
        append_job_name=False,
        deferrable=True,
        # A run that failed left no manifest: the same again starts over, and may be retried.
        retries=1,
        retry_delay=datetime.timedelta(minutes=10),
    )
    verify = KubernetesPodOperator(
        task_id="verify",
        name="holdfast-verify",
        image=_setting("image"),
        cmds=["holdfast"],
        arguments=["verify", f"{_setting('published')}/{RUN_ID}"],
        service_account_name="holdfast",
        deferrable=True,
    )

    @task(trigger_rule="all_done")
    def tell(staging: str, **context: Any) -> str:
        """Says how it went, from `outcome.json`; raises unless everything went well."""
        told = context["ti"].get_task_states(
            dag_id=context["dag"].dag_id,
            task_ids=["curate", "verify"],
            run_ids=[context["run_id"]],
        )
        states = {name: str(state) for name, state in told[context["run_id"]].items()}
        bucket, _, folder = staging.removeprefix("gs://").partition("/")
        hook, path = GCSHook(), f"{folder}/outcome.json"
        outcome = json.loads(hook.download(bucket, path)) if hook.exists(bucket, path) else None
        message = _told(outcome, states)
        HttpHook(method="POST", http_conn_id=WEBHOOK).run(
            data=json.dumps({"text": message}), headers={"Content-Type": "application/json"}
        )
        if set(states.values()) != {"success"}:
            raise RuntimeError(message)
        return message

    curate >> verify >> tell(f"{_setting('staging')}/{RUN_ID}")


holdfast_nightly()
