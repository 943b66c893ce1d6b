"""The job's graph: annotate documents into staging, select from staging into shards."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import apache_beam as beam
import orjson
import pyarrow as pa

from pipelines.bridges import assess_published, mark_tail, settle
from pipelines.job import DECISIONS, TEMPORARY, TOKENIZER, Job, promise, publication
from pipelines.policies import HOSTS, published, surveyed, tail_policy
from transforms import storage
from transforms.dedup.beam import Deduplicate, Fingerprint
from transforms.dedup.index.beam import ReadIndex
from transforms.dedup.rows import KEPT
from transforms.exchange import Exchange, Input
from transforms.ingest.beam import ReadDocuments
from transforms.ingest.exclude import ExcludeList
from transforms.ingest.listing import INPUTS
from transforms.langid.beam import IdentifyLanguage
from transforms.partition import by_hash
from transforms.provenance.beam import AssessProvenance
from transforms.rare.beam import CountRareTypes, FollowRareTypes
from transforms.rare.rows import HOLDER, RARE
from transforms.rebalance.beam import Rebalance
from transforms.shards.beam import PublishShards, WriteShards
from transforms.staging.beam import ReadStaging, RecordStaging, SettleParts, StageDocuments
from transforms.staging.boilerplate.beam import CutBoilerplate
from transforms.staging.reading.beam import ReadLight, ReadRows
from transforms.staging.record import ANNOTATED, KEPT_RECORD
from transforms.staging.survey.beam import Decide, Survey
from transforms.staging.survey.decisions import Policy
from transforms.synthetic.beam import TagSynthetic
from transforms.synthetic.hosts import PAGE
from transforms.synthetic.policy import PAGES_OF, judge_hosts, pages_of
from transforms.synthetic.posterior import UNIT
from transforms.synthetic.tag import convicted
from transforms.tokens.beam import CountTokens

__all__ = ["annotate", "select", "staged"]

Collections = dict[str, beam.PCollection]


def annotate(pipeline: beam.Pipeline, job: Job) -> Collections:
    """Adds annotation to a pipeline: from `inputs.jsonl` to staging.

    Returns:
        `parts` (dedup.rows.PART), `dead_letters` (records.DEAD_LETTERS), `skipped`
        (records.SKIPPED) and `ready`: one row once the staging folder is whole.
    """
    config = job.config
    inputs = pipeline | "Inputs" >> beam.Create([job.place(INPUTS)])
    read = inputs | "Read documents" >> ReadDocuments(config.ingest, job.commits)
    documents = (
        read["documents"]
        | "Identify language" >> IdentifyLanguage(config.langid)
        | "Tag synthetic" >> TagSynthetic(config.synthetic)
        | "Assess provenance" >> AssessProvenance(config.provenance)
        | "Fingerprint" >> Fingerprint(config.dedup)
    )
    if "tokenizer" in job.models:
        counting = CountTokens(job.place(TOKENIZER), job.models["tokenizer"])
        documents |= "Tokens" >> counting
    parts = documents | "Stage documents" >> StageDocuments(job.place("parts"), job.commits)
    facts = {
        "annotation": job.annotation,
        "models": dict(job.models),
        "config": config.annotation,
    }
    skipped = {"skipped": read["skipped"]}
    recorded = {"spill": read["dead_letters"], "parts": parts, **skipped} | (
        "Record annotation"
        >> RecordStaging(job.staging, "dead_letters", ANNOTATED, facts, job.spool, job.dead_policy)
    )
    return {"parts": parts, "dead_letters": read["dead_letters"], "ready": recorded, **skipped}


def staged(pipeline: beam.Pipeline, job: Job) -> Collections:
    """Adds the reading of a finished staging folder to a pipeline."""
    place = pipeline | "Staging" >> beam.Create([job.staging])
    return place | "Read staging" >> ReadStaging()  # type: ignore[no-any-return]


def select(given: Collections, job: Job) -> None:
    """Adds selection to a pipeline: from staging to a published run.

    Args:
        given: `parts`, `dead_letters` and `skipped`.
        job: What is asked for.
    """
    config = job.config
    exclude = functools.partial(_exclude, job.place("exclude.txt")) if config.exclude else None
    policies, tail = surveyed(config), tail_policy(config)
    decided = given["parts"] | "Survey" >> Survey(policies, job.place(DECISIONS), job.spool)
    seen, told = _seen(given["parts"], job)
    light = {"parts": seen, "decisions": decided} | "Read light rows" >> ReadLight(
        exclude, convicted, config.unit, config.dedup, policies
    )
    compared = {"documents": light, "parts": seen, **_index(light.pipeline, job)}
    fates = compared | "Deduplicate" >> Deduplicate(config.dedup, settle, job.comparing, job.spool)
    known = {"spill": fates["kept"]} | "Record fates" >> RecordStaging(
        job.staging, "kept", KEPT_RECORD, {"unit": config.unit}, job.spool
    )
    listed = fates["kept"] | "Decide tail" >> Decide(tail, job.place(DECISIONS), job.spool)
    counted = _count_rare(given["parts"], fates["kept"], job)
    rows = {"kept": fates["kept"], **counted} | _mark_tail(tail, listed, counted, job)
    hosts = _hosts({"parts": given["parts"], "decisions": decided}, policies, job)
    decisions = (decided, listed, hosts) | "All decisions" >> beam.Flatten()
    dealt = {"documents": rows["documents"], "ready": known} | "Rebalance" >> Rebalance(
        config.rebalance, job.scale.light, job.spool
    )
    names = ("assigned", "trimmed", "too_large")
    if counted:
        told["rare_types"] = {**counted, "assigned": dealt["assigned"]} | (
            "Follow rare types" >> FollowRareTypes(job.scale.light, job.spool)
        )
    settled = {
        "parts": given["parts"],
        "kept": fates["kept"],
        "fates": fates["fates"],
        **{name: dealt[name] for name in names},
        "decisions": decisions,
    } | "Settle parts" >> SettleParts(
        config.unit, job.scale.text, job.spool, published(config), job.pinned
    )
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
        job.pinned is not None,
        job.recorder,
        config.format,
    )
    plan = dealt["plan"] | "Read plan" >> beam.FlatMap(_plans).with_output_types(dict)
    summaries = {"ledger": settled["ledger"], "plan": plan, "undecided": fates["undecided"]}
    summaries |= {"decisions": decisions, "parts": given["parts"], "skipped": given["skipped"]}
    _ = {**written, **summaries, **told} | "Publish" >> PublishShards(
        publication(job, temporary), job.staging
    )


def _seen(parts: beam.PCollection, job: Job) -> tuple[beam.PCollection, Collections]:
    """The parts as near-deduplication sees them, and what to say of boilerplate."""
    config = job.config.dedup
    if config.boilerplate.min_documents is None:
        return parts, {}
    looked = parts | "Boilerplate" >> CutBoilerplate(
        config,
        job.place("boilerplate.arrow"),
        storage.join(job.spool.directory, "boilerplate"),
        job.scale.text,
        job.spool,
    )
    return looked["parts"], {"boilerplate": looked["summary"]}


def _index(pipeline: beam.Pipeline, job: Job) -> Collections:
    """What earlier runs published, as far as this one compares with it."""
    if job.pinned is None:
        return {}
    place = pipeline | "Pinned" >> beam.Create([job.pinned])
    return place | "Read index" >> ReadIndex()  # type: ignore[no-any-return]


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


def _count_rare(parts: beam.PCollection, kept: beam.PCollection, job: Job) -> Collections:
    """Which types few originals hold; nothing where that is not asked."""
    if not job.config.rare_types:
        return {}
    counting = "Count rare types" >> CountRareTypes(job.scale, job.spool)
    return {"parts": parts, "kept": kept} | counting  # type: ignore[no-any-return]


def _mark_tail(tail: Policy, listed: beam.PCollection, counted: Collections, job: Job) -> Exchange:
    # An exchange, since its side input descends from another reader of the kept rows.
    taken = {"kept": KEPT} | ({"holders": HOLDER, "rare": RARE} if counted else {})
    sides = {"decisions": listed} | ({"usual": counted["usual"]} if counted else {})
    return Exchange(
        "Mark tail",
        {name: Input(schema, by_hash("node")) for name, schema in taken.items()},
        job.scale.light,
        functools.partial(mark_tail, policy=tail, unit=job.config.unit),
        ("documents",),
        job.spool,
        {name: beam.pvalue.AsList(side) for name, side in sides.items()},
    )


def _exclude(path: str) -> Callable[[pa.RecordBatch], pa.BooleanArray]:
    return ExcludeList.read(path).matches


def _plans(batch: pa.RecordBatch) -> Iterator[dict[str, Any]]:
    for text in batch.column("text").to_pylist():
        yield orjson.loads(text)
