"""The job's graph: annotate documents into staging, select from staging into shards."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import apache_beam as beam
import orjson
import pyarrow as pa

from pipelines.bridges import assess_published, mark_tail, settle
from pipelines.config import Config
from pipelines.policies import HOSTS, STATED, judge_for, published, surveyed, tail_policy
from transforms import storage
from transforms.dead import DeadPolicy
from transforms.dedup.beam import Deduplicate, Fingerprint, Scale
from transforms.dedup.rows import KEPT
from transforms.exchange import Carrier, Exchange, Input, Spool
from transforms.ingest.beam import ReadDocuments
from transforms.ingest.exclude import ExcludeList
from transforms.ingest.listing import INPUTS
from transforms.langid.beam import IdentifyLanguage
from transforms.partition import by_hash
from transforms.provenance.beam import AssessProvenance
from transforms.rebalance.beam import Rebalance
from transforms.shards.beam import PublishShards, WriteShards
from transforms.shards.promise import Promise
from transforms.shards.publish import Publication
from transforms.staging.beam import (
    Decide,
    ReadLight,
    ReadRows,
    ReadStaging,
    RecordStaging,
    SettleParts,
    StageDocuments,
    Survey,
)
from transforms.staging.record import ANNOTATED, KEPT_RECORD
from transforms.staging.survey import Policy
from transforms.synthetic.beam import TagSynthetic
from transforms.synthetic.hosts import PAGE
from transforms.synthetic.policy import PAGES_OF, judge_hosts, pages_of
from transforms.synthetic.posterior import UNIT
from transforms.synthetic.tag import convicted

__all__ = ["DECISIONS", "TEMPORARY", "Job", "annotate", "select", "staged"]

TEMPORARY = "_temporary"
"""Folder of a run for what is not published yet."""
DECISIONS = "decisions"
"""Folder of staging for what was decided from the statistics of the run."""

Collections = dict[str, beam.PCollection]


@dataclasses.dataclass(frozen=True)
class Job:
    """What the graph is built from; nothing in it is decided later.

    Attributes:
        config: The configuration.
        staging: Folder of annotated documents and of everything temporary.
        run: Folder of the published run; None when only annotating.
        name: The run's name.
        config_digest: Of the configuration.
        annotation: Digest of what decides annotations.
        models: Digests of the models that annotate.
        carrier: How rows travel.
        scale: Numbers of partitions.
        input_bytes: Size of all input files.
    """

    config: Config
    staging: str
    run: str | None
    name: str
    config_digest: str
    annotation: str
    models: Mapping[str, str]
    carrier: Carrier
    scale: Scale
    input_bytes: int

    def place(self, *names: str) -> str:
        """A path in staging."""
        return storage.join(self.staging, *names)

    @property
    def dead_policy(self) -> DeadPolicy:
        """When too much of the input is unreadable."""
        most = self.config.ingest.max_dead_fraction
        return DeadPolicy(most, self.input_bytes, self.place("dead_letters"))

    @property
    def spool(self) -> Spool:
        """How rows travel, and where they are put down."""
        return Spool(self.carrier, self.place("spool"), self.staging)


def annotate(pipeline: beam.Pipeline, job: Job) -> Collections:
    """Adds annotation to a pipeline: from `inputs.jsonl` to staging.

    Returns:
        `parts` (dedup.rows.PART), `dead_letters` (records.DEAD_LETTERS) and `ready`:
        one row once the staging folder is whole.
    """
    config = job.config
    inputs = pipeline | "Inputs" >> beam.Create([job.place(INPUTS)])
    read = inputs | "Read documents" >> ReadDocuments(config.ingest)
    parts = (
        read["documents"]
        | "Identify language" >> IdentifyLanguage(config.langid)
        | "Tag synthetic" >> TagSynthetic(config.synthetic)
        | "Assess provenance" >> AssessProvenance(config.provenance)
        | "Fingerprint" >> Fingerprint(config.dedup)
        | "Stage documents" >> StageDocuments(job.place("parts"))
    )
    facts = {
        "annotation": job.annotation,
        "models": dict(job.models),
        "config": config.annotation,
    }
    recorded = {"spill": read["dead_letters"], "parts": parts} | (
        "Record annotation"
        >> RecordStaging(job.staging, "dead_letters", ANNOTATED, facts, job.spool, job.dead_policy)
    )
    return {"parts": parts, "dead_letters": read["dead_letters"], "ready": recorded}


def staged(pipeline: beam.Pipeline, job: Job) -> Collections:
    """Adds the reading of a finished staging folder to a pipeline."""
    place = pipeline | "Staging" >> beam.Create([job.staging])
    return place | "Read staging" >> ReadStaging()  # type: ignore[no-any-return]


def select(given: Collections, job: Job) -> None:
    """Adds selection to a pipeline: from staging to a published run.

    Args:
        given: `parts` and `dead_letters`.
        job: What is asked for.
    """
    config = job.config
    exclude = functools.partial(_exclude, job.place("exclude.txt")) if config.exclude else None
    policies, tail = surveyed(config), tail_policy(config)
    decided = given["parts"] | "Survey" >> Survey(policies, job.place(DECISIONS), job.spool)
    light = {"parts": given["parts"], "decisions": decided} | "Read light rows" >> ReadLight(
        exclude, convicted, config.unit, config.dedup, policies
    )
    fates = {"documents": light, "parts": given["parts"]} | "Deduplicate" >> Deduplicate(
        config.dedup, settle, job.scale, job.spool
    )
    known = {"spill": fates["kept"]} | "Record fates" >> RecordStaging(
        job.staging, "kept", KEPT_RECORD, {"unit": config.unit}, job.spool
    )
    listed = fates["kept"] | "Decide tail" >> Decide(tail, job.place(DECISIONS), job.spool)
    rows = {"kept": fates["kept"]} | _mark_tail(tail, listed, job)
    hosts = _hosts({"parts": given["parts"], "decisions": decided}, policies, job)
    decisions = (decided, listed, hosts) | "All decisions" >> beam.Flatten()
    dealt = {"documents": rows["documents"], "ready": known} | "Rebalance" >> Rebalance(
        config.rebalance, job.scale.light, job.spool
    )
    names = ("assigned", "trimmed", "too_large")
    settled = {
        "parts": given["parts"],
        "kept": fates["kept"],
        "fates": fates["fates"],
        **{name: dealt[name] for name in names},
        "decisions": decisions,
    } | "Settle parts" >> SettleParts(config.unit, job.scale.text, job.spool, published(config))
    temporary = storage.join(job.run or "", TEMPORARY)
    written = {
        "routed": settled["routed"],
        "dropped": settled["dropped"],
        "dead_letters": given["dead_letters"],
        "decisions": decisions,
    } | "Write shards" >> WriteShards(
        temporary,
        promise(config),
        assess_published(config.provenance),
        job.scale.light,
        job.scale.files,
        job.spool,
    )
    plan = dealt["plan"] | "Read plan" >> beam.FlatMap(_plans).with_output_types(dict)
    summaries = {"ledger": settled["ledger"], "plan": plan, "decisions": decisions}
    _ = {**written, **summaries} | "Publish" >> PublishShards(
        publication(job, temporary), job.staging
    )


def _hosts(judged: Collections, policies: tuple[Policy, ...], job: Job) -> beam.PCollection:
    """What is decided of hosts, from all of their pages."""
    prior = round(job.config.synthetic.prior * UNIT)
    names = (*PAGES_OF, "lang", "mixed", "tail")  # the last three are decided, too
    pages = judged | "Read pages" >> ReadRows(names, pages_of, policies)
    hosts = {"pages": pages} | Exchange(
        "Judge hosts",
        {"pages": Input(PAGE, by_hash("host"))},
        job.scale.light,
        functools.partial(judge_hosts, prior=prior),
        ("hosts",),
        job.spool,
    )
    return hosts["hosts"] | "Decide hosts" >> Decide(HOSTS, job.place(DECISIONS), job.spool)


def _mark_tail(tail: Policy, listed: beam.PCollection, job: Job) -> Exchange:
    # An exchange, since its side input descends from another reader of the kept rows.
    return Exchange(
        "Mark tail",
        {"kept": Input(KEPT, by_hash("node"))},
        job.scale.light,
        functools.partial(mark_tail, policy=tail),
        ("documents",),
        job.spool,
        {"decisions": beam.pvalue.AsList(listed)},
    )


def promise(config: Config) -> Promise:
    """What the shards of a run have to keep; the tail is not decided yet."""
    return Promise(
        floors=config.floors,
        caps=config.caps,
        unit=config.unit,
        is_tail=frozenset[str]().__contains__,
        judge=judge_for(config.model_dump(mode="json")),
        repeat_cap=config.repeat_cap,
        threshold=config.dedup.threshold,
    )


def publication(job: Job, temporary: str) -> Publication:
    """Where and under which conditions a run is published."""
    settings = job.config.model_dump(mode="json")
    for place in ("input", "output", "staging", "exclude", "exchange"):
        settings.pop(place)
    for place in ("model", "reference", "previous"):
        settings["synthetic"].pop(place)
    return Publication(
        run=job.run or "",
        temporary=temporary,
        name=job.name,
        config=settings,
        config_digest=job.config_digest,
        promise=promise(job.config),
        dead_policy=job.dead_policy,
        stated=STATED,
    )


def _exclude(path: str) -> Callable[[pa.RecordBatch], pa.BooleanArray]:
    return ExcludeList.read(path).matches


def _plans(batch: pa.RecordBatch) -> Iterator[dict[str, Any]]:
    for text in batch.column("text").to_pylist():
        yield orjson.loads(text)
