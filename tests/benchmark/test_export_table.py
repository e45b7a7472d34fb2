"""`rapport export csv` and `parquet`: tidy, typed, deterministic, harmless in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path

import pandas as pd
import pytest

from made_results import columns, result
from rapport_bench.cli.main import _run
from rapport_bench.export.table import COLUMNS, tidy_rows, to_csv, to_parquet
from rapport_bench.results.figures import figures
from rapport_bench.results.result import Result, save, seal

NAMES = [name for name, _ in COLUMNS]


def arm(name: str = "mine", seed: int = 1, *, created: str = "2026-11-22T10:00:00Z") -> Result:
    data = result(name, columns(seed, 12), kind="adapter").to_json()
    data["arm"]["base"] = {"name": "=base", "weights_sha256": "b" * 64, "quantization": "nf4",
                           "dtype": "bfloat16"}  # fmt: skip
    data["arm"]["adapter"] = {"weights_sha256": "a" * 64, "config_sha256": "c" * 64, "rank": 16,
                              "proof": {"max_logit_change": 1.31, "base_restored_exactly": True}}  # fmt: skip
    data["numerics"] = {"device": "cuda", "dtype": "float16"}
    data["volatile"] = {"created": created}
    return seal(data)


def bot() -> Result:
    made = {k: v for k, v in columns(3, 12).items() if k not in ("nll_sum", "gold_advice")}
    made |= {"continuity_n": 0 * made["turns"], "continuity_sum": 0.0 * made["turns"]}
    return result("parrot", made, kind="bot")


def test_a_row_for_every_arm_and_metric():
    rows = list(tidy_rows([arm(), bot()]))
    assert [row["arm"] for row in rows] == ["parrot"] * len(bot().metrics) + ["mine"] * len(arm().metrics)  # fmt: skip
    assert all(list(row) == NAMES for row in rows)
    (row,) = (row for row in rows if (row["arm"], row["metric"]) == ("mine", "aer_share"))
    saved = arm().metrics["aer_share"]
    distance = next(f.distance for f in figures(arm()) if f.name == "aer_share")
    expected = {
        "suite": "made", "suite_id": "0" * 64, "kind": "adapter", "base": "=base",
        "quantization": "nf4", "adapter_rank": 16, "family": "confirmatory", "direction": "band",
        "value": saved.value, "se": saved.se, "ci_low": saved.ci[0],
        "ci_high": saved.ci[1], "n": saved.n, "clusters": 12, "coverage": 1.0,
        "distance": distance.value, "distance_ci_low": distance.ci[0],
        "distance_ci_high": distance.ci[1], "margin": 0.03, "device": "cuda", "dtype": "float16",
        "result_id": arm().result_id,
    }  # fmt: skip
    assert {key: row[key] for key in expected} == expected


def test_undefined_stays_undefined():
    (row,) = (row for row in tidy_rows([bot()]) if row["metric"] == "continuity")
    assert row["value"] is None
    assert row["n"] == 0
    (row,) = (row for row in tidy_rows([bot()]) if row["metric"] == "marker_hedge")
    assert all(row[key] is None for key in ("base", "adapter_rank", "distance", "device", "dtype", "created", "margin"))  # fmt: skip
    frame = pd.read_csv(io.StringIO(to_csv(tidy_rows([bot()]))))
    assert math.isnan(frame.set_index("metric").loc["continuity", "value"])


def test_order_and_bytes_depend_on_nothing_but_the_results():
    results = [arm("b", 2), bot(), arm("a", 1)]
    for write in (to_csv, to_parquet):
        assert write(tidy_rows(results)) == write(tidy_rows(results[::-1]))
    alone = [row for row in tidy_rows(results) if row["arm"] == "a"]
    assert alone == list(tidy_rows([arm("a", 1)]))


def test_pandas_and_datasets_open_both(tmp_path):
    from datasets import load_dataset

    rows = list(tidy_rows([arm(), bot()]))
    (tmp_path / "r.csv").write_text(to_csv(rows), encoding="utf-8")
    (tmp_path / "r.parquet").write_bytes(to_parquet(rows))
    table = pd.read_csv(tmp_path / "r.csv")
    typed = pd.read_parquet(tmp_path / "r.parquet")
    assert list(table) == list(typed) == NAMES
    assert len(table) == len(typed) == len(rows)
    for name in ("value", "ci_low", "distance", "coverage"):
        pd.testing.assert_series_equal(table[name], typed[name])
    assert str(typed["created"].dtype) == "datetime64[ms, UTC]"
    assert typed["created"].dropna().iloc[0] == pd.Timestamp("2026-11-22T10:00:00Z")
    for kind in ("csv", "parquet"):
        file = str(tmp_path / f"r.{kind}")
        loaded = load_dataset(kind, data_files=file, split="train", cache_dir=str(tmp_path / "c"))
        assert loaded.num_rows == len(rows)
        assert loaded.column_names == NAMES
    dtypes = {name: loaded.features[name].dtype for name in ("value", "n", "arm", "created")}
    assert dtypes == {"value": "float64", "n": "int64", "arm": "string", "created": "timestamp[ms, tz=UTC]"}  # fmt: skip


HOSTILE = (
    "=cmd|'/c calc'!A1", "+1", "-1", "@x", " =1", "\t=1", "\u202e=1", 'a"b,c;d', "a\nb", "../..",
    "<b>", "🙂" * 60, "x" * 300,
)  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_no_cell_of_the_csv_is_a_formula(name):
    text = to_csv(tidy_rows([arm(name)]))
    table = list(csv.reader(io.StringIO(text)))
    assert {len(row) for row in table} == {len(NAMES)}
    assert len(table) == 1 + len(arm().metrics)
    texts = [place for place, (_, kind) in enumerate(COLUMNS) if kind == "text"]
    for row in table[1:]:
        assert not any(row[place].lstrip()[:1] in tuple("=+-@") for place in texts if row[place])
    exact = pd.read_parquet(io.BytesIO(to_parquet(tidy_rows([arm(name)]))))
    assert set(exact["arm"]) == {name}  # no spreadsheet reads it, nothing is changed


@pytest.fixture
def rapport(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = _run(["export", *map(str, arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def test_the_commands_write_files_or_print(rapport):
    save(arm(), "results")
    code, printed, err = rapport("csv")
    assert (code, err) == (0, "")
    code, out, _ = rapport("csv", "results", "-o", "out/r.csv")
    count = len(arm().metrics)
    assert (code, out) == (0, f"{count} rows, 1 results → out/r.csv\n")
    assert Path("out/r.csv").read_text(encoding="utf-8") == printed
    code, out, _ = rapport("parquet", "-o", "r.parquet", "--json")
    assert json.loads(out)["data"] == {"out": "r.parquet", "rows": count}
    assert len(pd.read_parquet("r.parquet")) == count
    assert rapport("csv", "--json")[0] == 2
    assert rapport("parquet")[0] == 2


def test_broken_files_are_left_out_and_said(rapport):
    code, out, err = rapport("csv")
    assert (code, out) == (2, "")
    assert "no results" in err
    saved, _ = save(arm(), "results")
    for name, text in (("cut", "{"), ("newer", '{"schema_version": "2.0"}'),
                       ("edited", saved.path.read_text().replace('"rank": 16', '"rank": 8'))):  # fmt: skip
        saved.path.with_name(f"{name}@00000000.json").write_text(text)
    (saved.path.parent / "foreign.txt").touch()
    code, out, err = rapport("parquet", "-o", "r.parquet")
    assert code == 0
    assert set(pd.read_parquet("r.parquet")["result_id"]) == {saved.result_id}
    assert len(err.splitlines()) == 3
    for said in ("cut@00000000.json: not a result", "schema version 2.0", "edited@00000000.json"):
        assert said in err
