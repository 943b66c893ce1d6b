"""What a job is asked for, and what it publishes by."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from pipelines.bridges import days
from pipelines.config import UNTOLD, Config
from pipelines.policies import STATED, judge_for
from transforms import storage
from transforms.commits import Commits
from transforms.dead import DeadPolicy
from transforms.dedup.index.pins import Facts
from transforms.dedup.index.write import Recorder
from transforms.dedup.partitions import Scale
from transforms.exchange import Carrier, Spool
from transforms.ingest.listing import INPUTS
from transforms.shards.promise import Promise
from transforms.shards.publication import Publication

__all__ = ["DECISIONS", "TEMPORARY", "TOKENIZER", "Job", "asked", "promise", "publication"]

TEMPORARY = "_temporary"
"""Folder of a run for what is not published yet."""
DECISIONS = "decisions"
"""Folder of staging for what was decided from the statistics of the run."""
TOKENIZER = "tokenizer.json"
"""Staging's copy of the tokenizer, where every worker can read it."""

_PUBLISHED = 25_000
"""Published documents whose bands fill a partition: about 17 MB of 21 bands each."""


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
        unpinned: The run's name but for what an index holds.
        index: What the run compares with and appends to; None without an index.
        attempt: Of this attempt alone: with it the places are claimed.
        input: What is read, whatever it is called (`identity.input_facts`).
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
    unpinned: str = ""
    index: Facts | None = None
    attempt: str = ""
    input: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def place(self, *names: str) -> str:
        """A path in staging."""
        return storage.join(self.staging, *names)

    @property
    def commits(self) -> Commits:
        """Splits that are annotated and staged for good."""
        return Commits(self.staging, self.annotation)

    @property
    def dead_policy(self) -> DeadPolicy:
        """When too much of the input is unreadable."""
        most = self.config.ingest.max_dead_fraction
        return DeadPolicy(most, self.input_bytes, self.place("dead_letters"))

    @property
    def pinned(self) -> str | None:
        """The staging folder, where it pins what the run compares with; else None."""
        return self.staging if self.index else None

    @property
    def comparing(self) -> Scale:
        """Numbers of partitions where published documents are compared with, too."""
        documents = self.index.documents if self.index else 0
        return dataclasses.replace(self.scale, light=self.scale.light + documents // _PUBLISHED)

    @property
    def recorder(self) -> Recorder | None:
        """What writes the run's index files; None where nothing is appended."""
        if self.index is None or not self.index.append:
            return None
        return Recorder(self.index.index, self.name, self.config.dedup, days)

    @property
    def spool(self) -> Spool:
        """How rows travel, and where they are put down."""
        return Spool(self.carrier, self.place("spool"), self.staging)


def promise(config: Config) -> Promise:
    """What the shards of a run have to keep; the tail is not decided yet."""
    return Promise(
        floors=config.floors,
        caps=config.caps,
        concentration=config.concentration,
        unit=config.unit,
        is_tail=frozenset[str]().__contains__,
        judge=judge_for(config.model_dump(mode="json")),
        repeat_cap=config.repeat_cap,
        threshold=config.dedup.least_threshold,
    )


def asked(job: Job) -> dict[str, Any]:
    """What tells a run from others, as its manifest has it."""
    settings = job.config.model_dump(mode="json")
    for place in (
        *("input", "output", "staging", "exclude", "index", "tokenizer", "exchange"),
        *UNTOLD,
    ):
        settings.pop(place)
    for place in ("model", "reference", "previous"):
        settings["synthetic"].pop(place)
    digest = job.config_digest
    return {"config": settings, "input": dict(job.input), "config_digest": digest}


def publication(job: Job, temporary: str) -> Publication:
    """Where and under which conditions a run is published."""
    settings = asked(job)["config"]
    return Publication(
        run=job.run or "",
        temporary=temporary,
        name=job.name,
        config=settings,
        config_digest=job.config_digest,
        promise=promise(job.config),
        dead_policy=job.dead_policy,
        pinned=job.pinned,
        stated=STATED,
        models=job.models,
        written_as=job.config.format,
        label=job.config.run_name or job.name,
        input=dict(job.input),
        claim=(job.attempt, (str(job.run), job.staging)) if job.attempt else None,
        latest=job.config.latest,
        inputs=job.place(INPUTS),
    )
