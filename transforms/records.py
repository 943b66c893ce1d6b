"""Schemas of the rows that move through the job.

The unit of exchange is `pa.RecordBatch`. A schema below is a contract between
two rooms; a column means the same wherever it appears:

=================  ==============  ======================================================
column             type            meaning
=================  ==============  ======================================================
node               uint64          where a row lies in staging, or in the index: part << 24 | row
text               string          the document, character for character as it was read
id, url, source    string          as given; null where the input has none
host               string          host name of `url`, lower case; null without one
date               string          ISO 8601 (`2021-03-04` or `2021-03-04T05:06:07Z`); as
                                   precise as given (`2021`); null when undated
date_day           int32           the last day that `date` can mean, as a proleptic
                                   Gregorian ordinal (`datetime.date.toordinal`)
metadata           string          JSON object, keys sorted: every other input field
lang_declared      string          language as the input says; evidence of nothing
origin_declared    string          origin as the input says: `human`, `synthetic` or null
doc_id             binary          16 bytes, XXH3-128 of all input fields, length-prefixed
text_hash          binary          16 bytes, XXH3-128 of the normal form
lang               string          `swh_Latn`, `und` (abstains) or `zxx` (no language): in
                                   staging by the row alone, published by the whole run
lang_best          string          the model's best label, whatever it is worth; null for a
                                   text that gives it nothing to read
lang_score         float32         its probability, a multiple of 1/10,000 (as all of these):
                                   the mean over the text's segments that hold language
lang_second        string          runner-up label; null without one
lang_margin        float32         score of `lang_best` minus that of `lang_second`
script             string          script of most letters of the text; null without letters
script_share       float32         share of the letters in the script of `lang_best`
letter_share       float32         share of the characters that are letters or marks
zxx_score          float32         probability that there is no language in the text
lang_agreement     float32         share of the segments whose own best is `lang_best`
lang_other         string          surest other label of a segment; null where all agree
lang_other_score   float32         its probability in that segment; null with it
lang_words         float32         share of words on the list of `lang_best`; null without a
                                   list, or with too few words
mixed              bool            more than one language, by the text's segments
tail               bool            low-resource language (never `und`, `zxx`, mixed): in
                                   staging by the registry, published by the run's list
origin             string          `anchor`, `unverified` or `synthetic`
origin_tier        string          `A`, `B` or null
origin_evidence    list<string>    what the tier rests on, or what speaks against one
p_synthetic        float32         calibrated probability; null where nobody knows
p_synthetic_host   float32         the same for the document's host
synthetic_tag      string          `synthetic`, `likely_synthetic`, `unverified` or
                                   `uncalibrated`
synthetic_evidence list<string>    objective artefacts found in the text
synthetic_score    int16           margin of the classifier, in thousandths; null for short
                                   text and for languages that it was not trained for
synthetic_words    int16           evidence of the words per window, in thousandths of a
                                   nat; null as above
synthetic_letters  int16           letters of a word, the mean in hundredths; null where the
                                   classifier has no score
weight             int32           selection weight (1 - p_synthetic)^gamma, in millionths
n_chars, n_bytes   int32           size in Unicode code points and in UTF-8 bytes
n_tokens           int32           size in tokens; null without a tokenizer
signature          binary          MinHash signature, uint32 little-endian; null for a
                                   document without tokens
copies             int64           records that a kept document stands for, itself included
copies_original    int64           how many of those were original
first_date         string          the first and the last `date_day` of those records, as
last_date                          ISO dates; null when none is dated
repeat             int32           0 for a document's first appearance in the output
=================  ==============  ======================================================
"""

from __future__ import annotations

from typing import Literal

import pyarrow as pa

Unit = Literal["chars", "bytes", "docs", "tokens"]
"""What sizes and shares are measured in."""

EVIDENCE = pa.list_(pa.string())

DECLARED_COPY = "declared_copy"
"""What `origin_evidence` gains in rows that a copy's declaration has changed."""

INGESTED = pa.schema(
    [
        pa.field("node", pa.uint64(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
        ("id", pa.string()),
        ("url", pa.string()),
        ("host", pa.string()),
        ("source", pa.string()),
        ("date", pa.string()),
        ("date_day", pa.int32()),
        ("metadata", pa.string()),
        ("lang_declared", pa.string()),
        ("origin_declared", pa.string()),
    ]
)
"""What `ingest` makes of an input record."""

CONTENT = pa.schema(
    [
        pa.field("doc_id", pa.binary(), nullable=False),
        pa.field("text_hash", pa.binary(), nullable=False),
        pa.field("n_chars", pa.int32(), nullable=False),
        pa.field("n_bytes", pa.int32(), nullable=False),
        ("n_tokens", pa.int32()),
    ]
)
"""Identity and size, added by `dedup.fingerprint`."""

LANGUAGE = pa.schema(
    [
        pa.field("lang", pa.string(), nullable=False),
        ("lang_best", pa.string()),
        pa.field("lang_score", pa.float32(), nullable=False),
        ("lang_second", pa.string()),
        ("lang_margin", pa.float32()),
        ("script", pa.string()),
        pa.field("script_share", pa.float32(), nullable=False),
        pa.field("letter_share", pa.float32(), nullable=False),
        pa.field("zxx_score", pa.float32(), nullable=False),
        pa.field("lang_agreement", pa.float32(), nullable=False),
        ("lang_other", pa.string()),
        ("lang_other_score", pa.float32()),
        ("lang_words", pa.float32()),
        pa.field("mixed", pa.bool_(), nullable=False),
        pa.field("tail", pa.bool_(), nullable=False),
    ]
)
"""Added by `langid`."""

SYNTHETIC = pa.schema(
    [
        ("p_synthetic", pa.float32()),
        ("p_synthetic_host", pa.float32()),
        pa.field("synthetic_tag", pa.string(), nullable=False),
        pa.field("synthetic_evidence", EVIDENCE, nullable=False),
        ("synthetic_score", pa.int16()),
        ("synthetic_words", pa.int16()),
        ("synthetic_letters", pa.int16()),
        pa.field("weight", pa.int32(), nullable=False),
    ]
)
"""Added by `synthetic`. The scores are staged; what is made of them (the probabilities,
the tag, the weight) is decided in selection, from the scores of the whole run."""

ORIGIN = pa.schema(
    [
        pa.field("origin", pa.string(), nullable=False),
        ("origin_tier", pa.string()),
        pa.field("origin_evidence", EVIDENCE, nullable=False),
    ]
)
"""Added by `provenance`, after `synthetic`."""

SIGNATURE = pa.schema([("signature", pa.binary())])
"""Added by `dedup.fingerprint`."""


def _join(*schemas: pa.Schema) -> pa.Schema:
    return pa.schema([field for schema in schemas for field in schema])


STAGED = _join(INGESTED, CONTENT, LANGUAGE, SYNTHETIC, ORIGIN, SIGNATURE)
"""A row of staging: text, annotations, fingerprints."""

PUBLISHED = pa.schema(
    [STAGED.field(name) for name in ("doc_id", "text_hash", "text")]
    + [STAGED.field(name) for name in ("id", "url", "host", "source", "date", "metadata")]
    + [STAGED.field(name) for name in ("lang_declared", "origin_declared")]
    + list(LANGUAGE)
    + list(ORIGIN)
    + list(SYNTHETIC)
    + [STAGED.field(name) for name in ("n_chars", "n_bytes", "n_tokens")]
    + [
        pa.field("copies", pa.int64(), nullable=False),
        pa.field("copies_original", pa.int64(), nullable=False),
        ("first_date", pa.string()),
        ("last_date", pa.string()),
        pa.field("repeat", pa.int32(), nullable=False),
    ]
)
"""A row of a published shard."""

DROPPED = pa.schema(
    [
        pa.field("doc_id", pa.binary(), nullable=False),
        ("url", pa.string()),
        pa.field("reason", pa.string(), nullable=False),
        ("witness", pa.binary()),
        ("similarity", pa.float64()),
        ("witness_run", pa.string()),
        ("witness_shard", pa.string()),
        ("similarity_kind", pa.string()),
    ]
)
"""A row of `dropped/`: one document read and not published, and why.

`witness_run` and `witness_shard` (its path within that run) say where a witness is that
an earlier run published; both are null for a witness of this run. `similarity_kind` is
`exact`, or `estimated` where the earlier run's text was gone and signatures had to do;
null without a witness.
"""

DEAD_LETTERS = pa.schema(
    [
        pa.field("file", pa.string(), nullable=False),
        pa.field("position", pa.int64(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("excerpt", pa.string(), nullable=False),
        pa.field("n_bytes", pa.int64(), nullable=False),
    ]
)
"""A row of `dead_letters/`: one record, or the unreadable rest of a file.

`position` is the row in a Parquet file, the byte at which the record starts in
the decompressed stream of a JSON Lines, CSV or TSV file, the byte on storage at which the
record of a web archive or its compressed member starts, and -1 for a whole file. `n_bytes`
is the size of what was lost, on storage for a whole file, a member or the rest of a file.
"""

SKIPPED = pa.schema(
    [
        pa.field("file", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("records", pa.int64(), nullable=False),
    ]
)
"""A row of `ledger/skipped.parquet`: records of a web archive that are no documents by what
they are, and why: their type (`request`, `revisit`, …), `http_status`, `content_type`,
`not_http`, `no_text`, `segmented`, `unknown_type`.
"""

REASONS = (
    "excluded",
    "too_large",
    "exact_duplicate",
    "near_duplicate",
    "not_selected",
    "trimmed",
)
"""Every reason for which a document that was read may be missing from the shards."""

PART_BITS = 24
"""Bits of `node` that count rows within one part of staging."""

INDEX_PART = 1 << 39
"""First part number of the index. The n-th shard that a run compares with has the part
`INDEX_PART + n`, and its documents the nodes `INDEX_PART + n << 24 | row`: the highest
bit of `node` is set for them, and for no document of staging."""
