"""The graph that Dataflow gets, built by Beam's own translation."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from apache_beam.portability.api import beam_runner_api_pb2
from deploy_template import ASKED, IMAGE, MOST, Template, build, write_inputs

DATAFLOW_PARDO = "beam:transform:pardo:v1"
READ = {"beam:transform:impulse:v1"}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Template]:
    folder = tmp_path_factory.mktemp("graph")
    with pytest.MonkeyPatch.context() as patch:
        yield build(patch, folder, f"--input={write_inputs(folder, 10)}", *ASKED)


def test_it_is_small(template: Template):
    assert template.sizes["pipeline.pb"] <= MOST
    assert template.sizes["graph.json"] <= MOST


def test_the_job_is_the_image_and_the_labels_that_were_asked_for(template: Template):
    pool = template.job["environment"]["workerPools"][0]
    assert pool["workerHarnessContainerImage"] == IMAGE
    assert template.job["labels"] == {"job": "holdfast"}
    assert template.job["type"] == "JOB_TYPE_BATCH"
    assert (
        template.job["environment"]["sdkPipelineOptions"]["options"]["save_main_session"] is False
    )


def steps(template: Template) -> list[beam_runner_api_pb2.PTransform]:
    return [t for t in template.graph.components.transforms.values() if not t.subtransforms]


def test_every_step_has_words_for_a_name_and_a_worker_to_run_on(template: Template):
    environments = template.graph.components.environments
    assert {env.urn for env in environments.values()} == {"beam:env:docker:v1"}
    for step in steps(template):
        unnamed = set(re.findall(r"<lambda at ([^:]+):", step.unique_name))
        assert unnamed <= {"core.py", "util.py"}, step.unique_name  # these are Beam's
        if step.spec.urn == DATAFLOW_PARDO:
            assert step.environment_id in environments, step.unique_name


def test_nothing_is_known_to_the_graph_but_paths(template: Template):
    """What is created holds paths: documents, and lists of files, come from storage."""
    made = [step for step in steps(template) if step.spec.urn in READ]
    assert {step.unique_name.split("/")[0] for step in made} == {
        "Inputs", "Publish", "Deduplicate"
    }  # fmt: skip
    spool = [t for t in steps(template) if "_SplitToFiles" in t.spec.payload.decode("latin1")]
    assert spool == [], "a service shuffles by itself"


def names(template: Template, coder_id: str) -> list[str]:
    """The coders that a coder is made of, in the order in which they stand."""
    coder = template.graph.components.coders[coder_id]
    urn, payload = coder.spec.urn, coder.spec.payload
    own = payload.partition(b"$")[0].decode("latin1") if "pickled_python" in urn else urn
    parts = [names(template, part) for part in coder.component_coder_ids]
    return [own, *(name for part in parts for name in part)]


def sides(template: Template) -> set[str]:
    """Collections that some step takes as a side input."""
    found = set()
    for step in steps(template):
        if step.spec.urn == DATAFLOW_PARDO:
            payload = beam_runner_api_pb2.ParDoPayload.FromString(step.spec.payload)
            found |= {step.inputs[name] for name in payload.side_inputs}
    return found


def feeds(template: Template, wanted: set[str]) -> set[str]:
    """Collections that are wanted, and those that are flattened into them."""
    found = set(wanted)
    for step in steps(template):
        if step.spec.urn == "beam:transform:flatten:v1" and set(step.outputs.values()) & found:
            found |= set(step.inputs.values())
    return found


def shuffled(template: Template) -> Iterator[tuple[str, list[str]]]:
    """What crosses every shuffle: the step's name, and the coders of its input."""
    groups = ("beam:transform:group_by_key:v1", "beam:transform:reshuffle:v1")
    for step in template.graph.components.transforms.values():
        if step.spec.urn in groups:
            for given in step.inputs.values():
                coder = template.graph.components.pcollections[given].coder_id
                yield step.unique_name, names(template, coder)


def test_batches_are_shuffled_as_arrow_streams(template: Template):
    grouped = dict(shuffled(template))
    exchanges = [name for name in grouped if name.endswith("Group partitions")]
    assert len(exchanges) > 30
    for name in exchanges:
        kinds = grouped[name]
        assert kinds[:2] == ["beam:coder:kv:v1", "beam:coder:varint:v1"], name
        assert any("RecordBatchCoder" in kind for kind in kinds), name
        assert not any("Pickle" in kind or "Primitives" in kind for kind in kinds), name


def test_only_side_inputs_lose_their_type(template: Template):
    """Beam's Dataflow runner makes every side input `Any`; see `transforms.coders`."""
    told = feeds(template, sides(template))
    for name, collection in template.graph.components.pcollections.items():
        kinds = names(template, collection.coder_id)
        if kinds[0].endswith("FastPrimitivesCoder") and name not in told:
            # The sum of open edges: one integer.
            assert "Sum open edges" in collection.unique_name, collection.unique_name
