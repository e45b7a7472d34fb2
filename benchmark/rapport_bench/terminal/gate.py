"""A gate's outcome for people and for CI: terminal, JUnit XML, GitHub step summary."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

from rich.text import Text

from rapport_bench.common.escape import markdown_text, one_line, xml_text
from rapport_bench.common.files import write_atomically
from rapport_bench.judging.gate import ArmGate, Gate, GateOutcome, MetricGate
from rapport_bench.terminal import console
from rapport_bench.terminal.layout import simple_table
from rapport_bench.words import formatting
from rapport_bench.words.signs import OUTCOMES
from rapport_bench.words.tables import TextTable, markdown_lines
from rapport_tasks.common.errors import BadInput

_COLUMNS = (
    "metric",
    "difference [95 %]",
    "margin",
    "verdict",
    "non-inferior",
    "detectable",
    "dialogues to decide",
)
_LEGEND = (
    "difference = candidate − baseline, paired by dialogue; non-inferior = the one-sided 95 % bound "
    "of worse lies below the margin; detectable = smallest true difference found with power .8; "
    "dialogues to decide = with so many, a difference as large as the margin would be found"
)


def show(gate: Gate) -> None:
    """Print the outcome of every candidate with a row a metric."""
    out = console.output()
    for arm in gate.arms:
        head = Text(f"{one_line(arm.candidate.name)} against {one_line(gate.baseline.name)}: ")
        out.print(head.append(_told(arm.outcome), style=OUTCOMES[arm.outcome].style))
        table = simple_table(_COLUMNS, left=("metric", "verdict", "non-inferior"))
        for metric in arm.metrics:
            table.add_row(*map(Text, _row(metric)))
        out.print(table)
        for warning in arm.warnings:
            out.print(f"note: {one_line(warning)}", style="yellow", markup=False)
    out.print(_LEGEND, style="dim")


def _told(outcome: GateOutcome) -> str:
    return f"{OUTCOMES[outcome].sign} {outcome.upper()}"


def _row(metric: MetricGate) -> tuple[str, ...]:
    name = formatting.metric_label(metric.rule.metric)
    margin = formatting.number(metric.margin)
    difference = metric.difference
    if metric.problem or difference is None:
        problem = f"not compared: {one_line(metric.problem)}"
        return (name, problem, margin, metric.verdict or "", "no", "", "")
    value = formatting.difference(metric.rule.metric, difference)
    coverage = metric.comparison.coverage if metric.comparison else None
    if metric.verdict == "regressed (coverage)" and coverage is not None:
        value += f"; coverage {formatting.signed(coverage.value)}"
    return (
        name,
        value,
        margin,
        metric.verdict or "",
        "yes" if metric.non_inferior else "no",
        formatting.number(difference.mde),
        _deciding(metric),
    )


def _deciding(metric: MetricGate) -> str:
    asked = metric.deciding
    if asked is None:
        return "–"
    # An undecided difference that lies near the margin asks for more than one as large as it.
    near = metric.verdict == "inconclusive" and asked.enough
    return f"{f'over {asked.has:,}' if near else f'{asked.needed:,}'} (has {asked.has:,})"


def markdown(gate: Gate) -> str:
    """The outcome as Markdown, for a pull request."""
    return "\n".join(_markdown_lines(gate)) + "\n"


def _markdown_lines(gate: Gate) -> Iterator[str]:
    suite = gate.baseline.suite
    yield f"## rapport gate: {_told(gate.outcome)}"
    yield ""
    yield (
        f"Suite {markdown_text(suite.name)}, {suite.dialogues} dialogues, baseline "
        f"{markdown_text(gate.baseline.name)} (`{gate.baseline.result_id[:8]}`)."
    )
    for arm in gate.arms:
        yield ""
        yield (
            f"### {markdown_text(arm.candidate.name)} (`{arm.candidate.result_id[:8]}`): "
            f"{_told(arm.outcome)}"
        )
        yield ""
        yield from markdown_lines(
            TextTable("", _COLUMNS, tuple(map(_row, arm.metrics)), left=_COLUMNS)
        )
        for warning in arm.warnings:
            yield ""
            yield f"Note: {markdown_text(warning)}"
    yield ""
    yield f"<sub>{markdown_text(_LEGEND)}</sub>"


def append_step_summary(gate: Gate, path: str | Path) -> None:
    """Append the Markdown to the file that ``$GITHUB_STEP_SUMMARY`` names.

    Raises:
        BadInput: The file cannot be written to.
    """
    try:
        with Path(path).open("a", encoding="utf-8", newline="\n") as file:
            file.write(markdown(gate))
    except OSError as error:
        raise BadInput(
            f"GITHUB_STEP_SUMMARY: {path}: {error.strerror}", remedy="Unset it, or name a file."
        ) from None


def write_junit(gate: Gate, path: str | Path, *, allow_inconclusive: bool = False) -> None:
    """Write JUnit XML: a suite a candidate, a case a metric.

    Regressed and inconclusive cases are failures (inconclusive ones skipped where that is allowed);
    what could not be compared is an error.

    Raises:
        BadInput: The file cannot be written to.
    """
    root = ElementTree.Element("testsuites", name="rapport gate")
    for arm in gate.arms:
        root.append(_suite(arm, gate.baseline.name, allow_inconclusive=allow_inconclusive))
    for count in ("tests", "failures", "errors", "skipped"):
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in root)))
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    write_atomically(Path(path), f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n')


def _suite(arm: ArmGate, baseline: str, *, allow_inconclusive: bool) -> ElementTree.Element:
    name = xml_text(arm.candidate.name)
    suite = ElementTree.Element("testsuite", name=name, tests=str(len(arm.metrics)))
    for metric in arm.metrics:
        case = ElementTree.SubElement(
            suite, "testcase", classname=f"rapport.gate.{name}", name=metric.name
        )
        lines = [f"{k}: {v}" for k, v in zip(_COLUMNS, _row(metric), strict=True) if v]
        details = xml_text("\n".join([f"against {baseline}", *lines, *arm.warnings]))
        tag = {"pass": "system-out", "not comparable": "error"}.get(metric.outcome, "failure")
        if metric.outcome == "inconclusive" and allow_inconclusive:
            tag = "skipped"
        found = ElementTree.SubElement(case, tag)
        found.text = details
        if tag != "system-out":
            found.set("message", xml_text(metric.problem or str(metric.verdict)))
        if tag in ("failure", "error"):
            found.set("type", metric.outcome)
    for tag, count in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        suite.set(count, str(len(suite.findall(f"testcase/{tag}"))))
    return suite
