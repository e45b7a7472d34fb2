"""`rapport results show` and `list`: one result for a person, all of them at a glance."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from made_results import columns, result
from rapport_bench.cli.main import _run
from rapport_bench.results.figures import figures
from rapport_bench.results.result import Result, save, seal
from rapport_bench.statistics.bands import BandArms


@pytest.fixture
def rapport(tmp_path, monkeypatch, capsys):
    """Run a command; returns exit code, output and errors."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = _run(["results", *map(str, arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def adapter(name: str = "mine", seed: int = 1) -> Result:
    data = result(name, columns(seed, 20), kind="adapter").to_json()
    data["arm"]["base"] = {"name": "Qwen/Qwen1.5-1.8B", "weights_sha256": "b" * 64,
                           "quantization": "nf4", "dtype": "bfloat16"}  # fmt: skip
    data["arm"]["adapter"] = {"weights_sha256": "a" * 64, "config_sha256": "c" * 64, "rank": 16,
                              "proof": {"max_logit_change": 1.31, "base_restored_exactly": True}}  # fmt: skip
    data["numerics"] = {"device": "cuda", "torch": "2.13.0"}
    data["unscored"] = [{"dialogue": "d1", "turn": t, "metric": "aer_share", "reason": "no_acts"}
                        for t in (1, 3)]  # fmt: skip
    data["volatile"] = {"created": "2026-11-22T10:00:00Z", "seconds": 81.2, "rapport": "0.1.0",
                        "git": {"commit": "e" * 40, "dirty": True},
                        "command": "rapport run --base Qwen/Qwen1.5-1.8B --adapter mine"}  # fmt: skip
    return seal(data)


def test_a_result_is_shown_with_all_that_made_it(rapport):
    saved, _ = save(adapter(), "results")
    for reference in ("mine", saved.result_id[:8], str(saved.path)):
        code, out, err = rapport("show", reference)
        assert (code, err) == (0, "")
    flat = " ".join(out.split())
    for expected in (
        f"mine · adapter · result {saved.result_id[:8]}",
        "made 1.0.0 · 20 dialogues · suite 00000000",
        "greedy, 8 new tokens, seeds 0",
        "Qwen/Qwen1.5-1.8B · weights bbbbbbbb · bfloat16 · nf4",
        "rank 16 · weights aaaaaaaa · config cccccccc · largest change of a logit 1.31",
        "device cuda · torch 2.13.0",
        "2026-11-22T10:00:00Z · rapport-bench 0.1.0 · commit eeeeeeeeeeee, with changes that are",
        "rapport run --base Qwen/Qwen1.5-1.8B --adapter mine",
        "Gold band: AER share",
        "Not scored: aer_share no_acts 2",
    ):
        assert expected in flat, expected
    value = saved.metrics["nll_per_token"].value
    assert f"NLL per token ↓ {value:.2f} [" in flat
    assert "\x1b" not in out


def test_the_distance_to_the_band_is_shown_and_is_the_bands_own(rapport):
    saved, _ = save(adapter(), "results")
    sums = {name: np.array(values) for name, values in saved.columns.items()}
    acts, gold = sums["advice"] + sums["empathy"], sums["gold_advice"] + sums["gold_empathy"]
    arms = [(sums["advice"], acts)]
    expected = BandArms(
        arms, (sums["gold_advice"], gold), floor=0.05, rng=np.random.default_rng(20_240_101)
    ).estimate(0)
    shown = {figure.name: figure for figure in figures(saved)}
    assert shown["aer_share"].distance == expected
    assert shown["nll_per_token"].distance is None
    data = json.loads(rapport("show", "mine", "--json")[1])["data"]
    assert data["metrics"]["aer_share"]["distance"] == expected.value
    assert data["metrics"]["aer_share"]["distance_ci"] == list(expected.ci)


def test_derived_figures_stand_beside_their_source(rapport):
    names = [figure.name for figure in figures(adapter())]
    assert names.index("perplexity") == names.index("nll_per_token") + 1
    assert names.index("aer_ratio") == names.index("aer_share") + 1
    assert set(names) == set(adapter().metrics)


def test_json_holds_everything_but_the_columns(rapport):
    saved, _ = save(adapter(), "results")
    code, out, _ = rapport("show", "mine", "--json")
    envelope = json.loads(out)
    assert (code, envelope["command"], envelope["ok"]) == (0, "results", True)
    data = envelope["data"]
    assert data["result_id"] == saved.result_id
    assert data["arm"] == saved.to_json()["arm"]
    assert data["made"]["git"]["dirty"] is True
    assert data["unscored"] == [{"metric": "aer_share", "reason": "no_acts", "count": 2}]
    assert set(data["metrics"]) == set(saved.metrics)
    assert "dialogues" not in data


HOSTILE = (
    "a\x1b[31m\x07b", "\u202egnp.exe", "[bold red]x[/]", "[link=file:///]x", "<script>x</script>",
    "=1+1", "../../x", "🙂" * 50, "x" * 300, "a\nb\rc", "[/]",
)  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("width", ["60", "200"])
def test_hostile_names_are_shown_as_harmless_text(rapport, name, width, monkeypatch):
    monkeypatch.setenv("COLUMNS", width)
    saved, _ = save(adapter(name), "results")
    for arguments in (("show", saved.result_id[:8]), ("list",)):
        code, out, _ = rapport(*arguments)
        assert code == 0
        assert not {"\x1b", "\x07", "\u202e", "\r"} & set(out)
        assert name[:3] in out.replace("\n", "") or name[:1] in "a\u202e"
    assert max(map(len, out.splitlines())) <= int(width)


def test_the_list_has_a_line_a_result(rapport):
    ids = [save(adapter(name, seed), "results")[0].result_id for seed, name in enumerate("ab")]
    code, out, _ = rapport("list")
    assert code == 0
    assert all(identity[:8] in out for identity in ids)
    assert len([line for line in out.splitlines() if "made 00000000" in line]) == 2
    Path("results/v1/made/Qwen-Qwen1.5-1.8B/c@00000000.json").write_text("{")
    code, out, err = rapport("list")
    assert code == 0
    assert "warning: left out: " in err
    envelope = json.loads(rapport("list", "results", "--json")[1])
    assert [row["name"] for row in envelope["data"]["results"]] == ["a", "b"]
    assert len(envelope["warnings"]) == 1


def test_bad_references_are_refused(rapport):
    code, _, err = rapport("list")
    assert code == 2
    assert "no results" in err
    save(adapter(), "results")
    code, _, err = rapport("show", "mina")
    assert code == 2
    assert "Did you mean 'mine'?" in err
    Path("newer.json").write_text('{"schema_version": "9.0"}')
    code, _, err = rapport("show", "newer.json")
    assert code == 2
    assert "Update rapport-bench" in err
