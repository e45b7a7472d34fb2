"""Results as one tidy table: a row for every arm and metric, as CSV or Parquet.

Rows are sorted by suite, base, arm, result and metric, and a row is made from its result alone, so
that the same results give the same bytes and another result beside them changes no row.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

from rapport_bench.common.escape import csv_text
from rapport_bench.results.figures import NamedFigure, figures
from rapport_bench.results.metrics import METRICS
from rapport_bench.results.result import Result

COLUMNS: tuple[tuple[str, str], ...] = (
    ("suite", "text"),
    ("suite_id", "text"),
    ("arm", "text"),
    ("kind", "text"),
    ("arm_id", "text"),
    ("base", "text"),
    ("quantization", "text"),
    ("adapter_rank", "integer"),
    ("metric", "text"),
    ("family", "text"),
    ("direction", "text"),
    ("value", "number"),
    ("se", "number"),
    ("ci_low", "number"),
    ("ci_high", "number"),
    ("n", "integer"),
    ("clusters", "integer"),
    ("coverage", "number"),
    ("distance", "number"),
    ("distance_ci_low", "number"),
    ("distance_ci_high", "number"),
    ("margin", "number"),
    ("device", "text"),
    ("dtype", "text"),
    ("created", "time"),
    ("result_id", "text"),
)
"""(name, kind) of every column. Undefined is an empty cell, or null.

``direction`` is lower, higher, band (near the gold replies' rate; ``distance`` says how far off) or
none; ``margin`` the smallest change that matters; ``n`` counts turns, ``clusters`` dialogues.
"""

Row = dict[str, Any]
_MARGINS = {metric.name: metric.margin or None for metric in METRICS}


def tidy_rows(results: Iterable[Result]) -> Iterator[Row]:
    """The rows of all results, in the table's order."""

    def key(result: Result) -> tuple[str, ...]:
        base = result.arm.base
        name = base.name if base else ""
        return result.suite.name, result.suite_id, name, result.name, result.result_id

    for result in sorted(results, key=key):
        shared = _of_result(result)
        for figure in figures(result):
            row = shared | _of_figure(figure)
            yield {name: row[name] for name, _ in COLUMNS}


def _of_result(result: Result) -> Row:
    base, adapter, numerics = result.arm.base, result.arm.adapter, result.numerics or {}
    return {
        "suite": result.suite.name,
        "suite_id": result.suite_id,
        "arm": result.name,
        "kind": result.kind,
        "arm_id": result.arm.arm_id,
        "base": base and base.name,
        "quantization": base and base.quantization,
        "adapter_rank": adapter and adapter.rank,
        "device": _text(numerics.get("device")),
        "dtype": _text(numerics.get("dtype") or (base and base.dtype)),
        "created": result.created,
        "result_id": result.result_id,
    }


def _of_figure(figure: NamedFigure) -> Row:
    saved, distance = figure.saved, figure.distance
    low, high = saved.ci or (None, None)
    nearest, furthest = (distance.ci if distance else None) or (None, None)
    return {
        "metric": figure.name,
        "family": figure.family,
        "direction": figure.direction,
        "value": saved.value,
        "se": saved.se,
        "ci_low": low,
        "ci_high": high,
        "n": saved.n,
        "clusters": saved.clusters,
        "coverage": saved.coverage,
        "distance": distance.value if distance else None,
        "distance_ci_low": nearest,
        "distance_ci_high": furthest,
        "margin": _MARGINS.get(figure.name),
    }


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def to_csv(rows: Iterable[Row]) -> str:
    """UTF-8 CSV with a header. Texts that a spreadsheet would take for formulas get an apostrophe."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(name for name, _ in COLUMNS)
    for row in rows:
        writer.writerow(_cell(row[name], kind) for name, kind in COLUMNS)
    return file.getvalue()


def _cell(value: Any, kind: str) -> Any:
    if value is None:
        return ""
    if kind == "text":
        return csv_text(value)
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if kind == "time" else value


def to_parquet(rows: Iterable[Row]) -> bytes:
    """A Parquet file with typed columns: 64-bit floats and integers, UTC times, null for undefined."""
    import pyarrow
    from pyarrow import parquet

    types = {
        "text": pyarrow.string(),
        "integer": pyarrow.int64(),
        "number": pyarrow.float64(),
        "time": pyarrow.timestamp("ms", tz="UTC"),
    }
    schema = pyarrow.schema([(name, types[kind]) for name, kind in COLUMNS])
    table = pyarrow.Table.from_pylist(list(rows), schema=schema)
    sink = pyarrow.BufferOutputStream()
    parquet.write_table(table, sink)
    content: bytes = sink.getvalue().to_pybytes()
    return content
