"""Manifests as tables for people."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from transforms.dedup.index.show import Shown
from transforms.records import REASONS
from transforms.redact import printable, redact
from transforms.shards.promise import counted_as

__all__ = [
    "columns",
    "console",
    "print_checks",
    "print_failures",
    "print_index",
    "print_languages",
    "print_plan",
    "print_run",
    "print_summary",
    "print_verdict",
]

_MOST = 40
_FINDINGS = 20
_PIPE_WIDTH = 160


class _Plain(Console):
    """Text as it is: no markup, no control characters, nothing that gives access."""

    def render_str(self, text: str, **settings: Any) -> Text:
        """What becomes of every string that is printed, in tables, too."""
        return super().render_str(printable(redact(text)), **(settings | {"markup": False}))


def console(*, stderr: bool = False) -> Console:
    """Standard output or error; wide enough for paths where it is no terminal."""
    stream = sys.stderr if stderr else sys.stdout
    return _Plain(stderr=stderr, width=None if stderr or stream.isatty() else _PIPE_WIDTH)


def columns(title: str, *names: str) -> Table:
    """An empty table: the first column to the left, the others to the right."""
    table = Table(title=title, title_justify="left", show_edge=False, pad_edge=False)
    for number, column in enumerate(names):
        table.add_column(column, justify="left" if number == 0 else "right")
    return table


def _shares(manifest: Mapping[str, Any]) -> Table:
    table = columns(f"shares by {manifest['size_unit']}", "share", "promised", "worst shard", "all")
    total = sum(shard["size"] for shard in manifest["shards"]) or 1
    for kind, sign, pick in (("floors", ">=", min), ("caps", "<=", max)):
        for name, share in manifest[kind].items():
            counted = counted_as(kind, name)
            shares = [shard["shares"][counted] for shard in manifest["shards"]]
            worst = f"{pick(shares):.4f}" if shares else "no shard"
            every = sum(shard["members"][counted] for shard in manifest["shards"]) / total
            table.add_row(name, f"{sign} {share:.4g}", worst, f"{every:.4f}")
    return table


def _ledger(manifest: Mapping[str, Any]) -> Table:
    ledger = manifest["ledger"]
    table = columns("ledger", "documents", "count")
    table.add_row("read", f"{ledger['read']:,}")
    table.add_row("kept", f"{ledger['kept']:,}")
    for reason in REASONS:
        if ledger["dropped"].get(reason):
            table.add_row(f"dropped: {reason}", f"{ledger['dropped'][reason]:,}")
    table.add_row("dead letters", f"{ledger['dead_letters']:,}")
    return table


def print_summary(manifest: Mapping[str, Any], where: str, console: Console) -> None:
    """The end of a run: what was read, kept and dropped, the shares, and where it is."""
    console.print(_ledger(manifest))
    if skipped := manifest.get("skipped"):
        told = ", ".join(f"{reason} {count:,}" for reason, count in skipped.items())
        console.print(f"records of archives that are no documents: {told}", soft_wrap=True)
    if manifest["floors"] or manifest["caps"]:
        console.print(_shares(manifest))
    size = sum(shard["size"] for shard in manifest["shards"])
    console.print(
        f"{len(manifest['shards'])} shards, {size:,} {manifest['size_unit']} in {where}",
        soft_wrap=True,
    )


def print_run(manifest: Mapping[str, Any], where: str, console: Console) -> None:
    """A whole manifest."""
    written_as = manifest.get("format", "parquet")
    console.print(
        f"run {manifest['run']}, holdfast {manifest['versions']['holdfast']}, format {written_as}"
    )
    print_summary(manifest, where, console)
    if facts := manifest.get("index"):
        console.print(
            f"compared with {facts['documents']:,} documents of {len(facts['pinned'])} earlier "
            f"runs, index {facts['path']}",
            soft_wrap=True,
        )
    if told := manifest.get("boilerplate"):
        _print_boilerplate(told, console)
    names = [counted_as(kind, name) for kind in ("floors", "caps") for name in manifest[kind]]
    shards = columns("shards", "path", "documents", "size", *names)
    for shard in manifest["shards"][:_MOST]:
        shares = [f"{shard['shares'][name]:.4f}" for name in names]
        shards.add_row(shard["path"], f"{shard['documents']:,}", f"{shard['size']:,}", *shares)
    console.print(shards)
    ranked = sorted(manifest["languages"].items(), key=lambda item: (-item[1]["size"], item[0]))
    console.print(_trust(manifest, ranked[:_MOST]))
    console.print(_TRUST, soft_wrap=True)
    if told := manifest.get("rare_types"):
        console.print(_rare(told, [lang for lang, _ in ranked[:_MOST]]))
    for name, rows in (("shards", manifest["shards"]), ("languages", ranked)):
        if len(rows) > _MOST:
            console.print(f"{len(rows) - _MOST} more {name} in manifest.json")


def _print_boilerplate(told: Mapping[str, Any], console: Console) -> None:
    """Paragraphs that recur, and what they are of each language."""
    done = "left out of what was compared" if told["cut"] else "found, and compared all the same"
    console.print(
        f"boilerplate: {told['paragraphs']:,} paragraphs that recur, {told['characters']:,} "
        f"characters of {told['documents']:,} documents, {done}",
        soft_wrap=True,
    )
    table = columns("boilerplate", "language", "documents", "characters")
    ranked = sorted(told["by_language"].items(), key=lambda item: (-item[1]["characters"], item[0]))
    for lang, facts in ranked[:_MOST]:
        table.add_row(lang, f"{facts['documents']:,}", f"{facts['characters']:,}")
    if ranked:
        console.print(table)


_TRUST = (
    "largest: share of the largest source; least: score that the run asks for; words: whether "
    "listed words have to prove the language; wrong: estimated share of other languages' texts; "
    "right: estimated precision of the label at this prevalence, before words are asked for"
)


def _trust(manifest: Mapping[str, Any], ranked: list[tuple[str, dict[str, Any]]]) -> Table:
    """What is known of each language, and how far to trust it."""
    table = columns("languages", "language", "tail", "documents", "size", "sources", "largest")
    for column in ("least", "words", "wrong", "right"):
        table.add_column(column, justify="right")
    decided = manifest["decisions"].get("langid", {"label": []})
    place = {label: number for number, label in enumerate(decided["label"])}
    for lang, facts in ranked:
        share = facts.get("largest_source_size", 0) / (facts["size"] or 1)
        row = [
            lang,
            manifest["tail"].get(lang, ""),
            f"{facts['documents']:,}",
            f"{facts['size']:,}",
        ]
        row += [f"{facts.get('sources', 0):,}", f"{share:.3f}"]
        if lang in place:
            found = {name: values[place[lang]] for name, values in decided.items()}
            row += [
                f"{found['least_score'] / 10_000:.2f}",
                "yes" if found["words_required"] else "",
            ]
            row += [_share(found["contamination_left"]), _share(found["precision"])]
        table.add_row(*row)
    return table


def _rare(told: Mapping[str, Any], langs: Sequence[str]) -> Table:
    """What became of the words that few originals of a language hold."""
    title = f"rare types: words of at most {told['most_documents']} originals"
    table = columns(title, "language", "originals", "types", "survived", "by chance")
    for lang in (lang for lang in langs if lang in told["by_language"]):
        facts = told["by_language"][lang]
        figures = (facts["originals"], facts["types"], facts["survived"], facts["expected"])
        table.add_row(lang, *(f"{figure:,}" for figure in figures))
    table.add_row("all", "", *(f"{told[name]:,}" for name in ("types", "survived", "expected")))
    return table


def _share(ten_thousandths: int | None) -> str:
    return "" if ten_thousandths is None else f"{ten_thousandths / 10_000:.3f}"


def print_plan(plan: Mapping[str, Any], console: Console) -> None:
    """What a plan takes of each cell, and what binds it."""
    table = columns("plan", "cell", "documents", "unique", "taken", "appearances")
    for cell in plan["cells"]:
        figures = (cell["documents"], cell["unique"], cell["quota"], cell["appearances"])
        table.add_row(cell["name"], *(f"{figure:,}" for figure in figures))
    console.print(table)
    unit = plan["config"]["unit"]
    console.print(_planned_languages(plan["languages"]))
    console.print(
        f"{plan['total']:,} {unit} in {plan['shards']} shards; {plan['unique']:,} unique, worth "
        f"{plan['effective']:,} to a model",
        soft_wrap=True,
    )
    console.print(f"largest feasible: {plan['feasible']:,} {unit}", soft_wrap=True)
    console.print(f"binding: {'; '.join(plan['binding'])}", soft_wrap=True)
    for note in plan["notes"]:
        console.print(note, soft_wrap=True)


def _planned_languages(languages: Mapping[str, Sequence[int]]) -> Table:
    """What is taken of each language, and how often its text is seen on average."""
    table = columns("languages", "language", "documents", "unique", "taken", "times")
    ranked = sorted(languages.items(), key=lambda item: (-item[1][2], item[0]))
    for lang, (documents, unique, taken) in ranked[:_MOST]:
        times = f"{taken / unique:.2f}" if unique else ""
        table.add_row(lang, *(f"{figure:,}" for figure in (documents, unique, taken)), times)
    return table


def print_verdict(
    checked: Sequence[str],
    findings: Sequence[str],
    good: str,
    console: Console,
    unchecked: Sequence[str] = (),
) -> None:
    """What a check recomputed and what not, the first of what is wrong, or that all is well."""
    told = [f"checked: {line}" for line in checked]
    for line in (*told, *(f"not checked: {line}" for line in unchecked)):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    print_failures(findings, console)
    if not findings:
        console.print(good, soft_wrap=True)


def print_failures(findings: Sequence[str], console: Console) -> None:
    """The first of what was found wrong."""
    for finding in findings[:_FINDINGS]:
        console.print(
            f"FAILED: {finding}", style="red", markup=False, highlight=False, soft_wrap=True
        )
    if len(findings) > _FINDINGS:
        console.print(f"and {len(findings) - _FINDINGS} more")


def print_index(
    made: Mapping[str, Any], shown: Sequence[Shown], compacted: int, where: str, console: Console
) -> None:
    """The segments of an index, and how its signatures are made."""
    table = columns("segments", "run", "shards", "documents", "bytes", "state", "published in")
    table.columns[-1].overflow = "fold"
    for segment in shown:
        figures = (segment.shards, segment.documents, segment.bytes)
        texts = [f"{figure:,}" for figure in figures]
        table.add_row(segment.run, *texts, segment.state, segment.folder)
    console.print(table)
    counting = [segment for segment in shown if segment.state == "counts"]
    size = compacted + sum(segment.bytes for segment in shown)
    console.print(
        f"{sum(segment.documents for segment in counting):,} documents of {len(counting)} runs, "
        f"{size:,} bytes in {where}",
        soft_wrap=True,
    )
    if len(shown) > len(counting):
        console.print(f"{len(shown) - len(counting)} segments do not count", soft_wrap=True)
    told = ", ".join(f"{name} {value}" for name, value in sorted(made.items()))
    console.print(told, soft_wrap=True, highlight=False)


def print_languages(languages: list[Any], console: Console) -> None:
    """Rows of the language registry, a line each."""
    line = "{:6}{:36}{:24}{:6}{:>6}  {:6}{:>14}"
    rows = [line.format("code", "name", "scripts", "in", "class", "tail", "speakers")]
    for language, tail in languages:
        speakers = "" if language.speakers is None else f"{language.speakers:,}"
        scripts, name = " ".join(language.scripts)[:22], language.name[:34]
        marks = (str(language.joshi), "yes" if tail else "", speakers)
        rows.append(line.format(language.code, name, scripts, language.macrolanguage, *marks))
    console.file.write("\n".join(row.rstrip() for row in rows) + "\n")


def print_checks(checks: Iterable[tuple[str, bool, str]], console: Console) -> None:
    """What was checked, whether it is as it should be, and what there is to say of it."""
    table = Table(title="checks", title_justify="left", show_edge=False, pad_edge=False)
    for name in ("check", "result", "told"):
        table.add_column(name, overflow="fold")
    for what, good, told in checks:
        table.add_row(what, "[green]pass" if good else "[red]FAIL", escape(told))
    console.print(table)
