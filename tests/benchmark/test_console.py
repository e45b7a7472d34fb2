"""What a person sees: at every width, without colour, in a pipe, and when names are hostile."""

from __future__ import annotations

import io
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from rich.cells import cell_len
from rich.console import Console

from made_results import columns, result
from rapport_bench.cli.main import _run
from rapport_bench.judging.compare import Comparison, compare, compare_metric
from rapport_bench.judging.contributions import shares_of_difference, worst_dialogues
from rapport_bench.results.metrics import BY_NAME
from rapport_bench.results.result import Result, save
from rapport_bench.statistics.paired import Difference
from rapport_bench.terminal import arms as arm_tables
from rapport_bench.terminal import comparison as comparison_view
from rapport_bench.terminal import console, layout
from rapport_bench.words import formatting, next_steps
from rapport_bench.words.signs import VERDICTS

WIDTHS = (60, 80, 100, 120, 200)
NAMES = ("NLL per token", "AER share", "continuity")


@pytest.fixture(scope="module")
def base() -> Result:
    return result("base", columns(1), kind="base")


@pytest.fixture(scope="module")
def arms(base: Result) -> list[Result]:
    made = [
        result(
            f"empathy-r16-emotion-v{i}",
            columns(2 + i, nll=0.02 * (i % 5 - 2), covered=0.8 if i == 1 else 1.0),
            kind="adapter",
        )
        for i in range(19)
    ]
    return [base, *made]


@pytest.fixture(scope="module")
def comparisons(arms: list[Result]) -> dict[str, Comparison]:
    return {arm.result_id: compare(arm, arms[0]) for arm in arms[1:]}


@pytest.fixture(scope="module")
def comparison(arms: list[Result], comparisons: dict[str, Comparison]) -> Comparison:
    return comparisons[arms[2].result_id]  # regressed by coverage


def printed(*what: object, width: int) -> str:
    out = Console(file=io.StringIO(), width=width, highlight=False)
    for item in what:
        out.print(item)
    return out.file.getvalue()


# --- widths -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", WIDTHS)
def test_a_comparison_fits_and_nothing_in_it_is_cut(comparison, width) -> None:
    text = printed(comparison_view.comparison_table(comparison, width=width), width=width)
    assert max(map(cell_len, text.split("\n"))) <= width
    assert "…" not in text
    for item in comparison.metrics:
        ends = item.ratio.ci if item.ratio else item.difference.ci
        assert formatting.interval(ends) in text
        if item.verdict:
            assert item.verdict.split()[0] in text
            assert formatting.number(item.metric.margin) in text
    assert "(coverage)" in text
    drop = comparison.by_name("continuity").coverage.value
    assert f"coverage {formatting.signed(drop)}" in text
    for word in ("emotion-v1", "detectable", "p = ", *NAMES[2:]):
        assert word in text


def test_a_wide_console_has_a_line_a_row(comparison) -> None:
    wide = printed(comparison_view.comparison_table(comparison, width=200), width=200)
    (line,) = [line for line in wide.split("\n") if "NLL per token" in line]
    nll = comparison.by_name("nll_per_token")
    for figure in (
        formatting.interval(nll.difference.ci),
        formatting.p_value(nll.p_adjusted),
        "0.020",
    ):
        assert figure in line


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("count", [2, 3, 6, 20])
def test_arms_fit_and_none_is_lost(arms, comparisons, width, count) -> None:
    shown = arms[:count]
    tables = arm_tables.summary_tables(shown, comparisons, width=width)
    text = printed(*tables, width=width)
    assert max(map(cell_len, text.split("\n"))) <= width
    assert len(text.split("\n")) < 120
    joined = re.sub(r"\s+", "", text)
    for arm in shown[1:]:
        pieces = layout.folded(arm.name).split("\n")
        assert all(piece in joined for piece in pieces)
    for name in ("continuity", "equivalent", *(["regressed", "improved"] if count > 5 else [])):
        assert name in joined
    nll = comparisons[shown[1].result_id].by_name("nll_per_token").difference.value
    assert formatting.signed(nll) in text


def test_many_arms_become_rows_unless_everything_is_asked_for(arms, comparisons) -> None:
    (table,) = arm_tables.summary_tables(arms, comparisons, width=100)
    assert table.row_count == len(arms)
    assert "--all-metrics" in str(table.caption)
    blocks = arm_tables.summary_tables(arms, comparisons, width=100, everything=True)
    assert len(blocks) > 2
    heads = [str(block.columns[1].header) for block in blocks]
    assert heads == ["base"] * len(blocks)  # the baseline stands in each
    assert sum(len(block.columns) - 2 for block in blocks) == len(arms) - 1
    assert len(arm_tables.summary_tables(arms[:1], {}, width=80)) == 1


@pytest.mark.parametrize("width", WIDTHS)
def test_reference_arms_fit(width) -> None:
    bots = [
        result(name, columns(i), kind="bot")
        for i, name in enumerate(("gold", "user-quote-stuffer"))
    ]
    text = printed(*arm_tables.bots_tables(bots, width=width), width=width)
    assert max(map(cell_len, text.split("\n"))) <= width
    for word in ("user-quote-stuffer", "continuity", "grounded", "token"):
        assert word in text


def test_wide_characters_count_twice() -> None:
    assert layout.folded("共情" * 10, 16).split("\n") == ["共情" * 4, "共情" * 4, "共情" * 2]
    assert layout.folded("a/b_c d", 4).split("\n") == ["a/b_", "c d"]


# --- colour, pipes ----------------------------------------------------------------------------------


@pytest.fixture
def saved(tmp_path, monkeypatch, arms) -> Path:
    monkeypatch.chdir(tmp_path)
    for variable in ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TERM"):
        monkeypatch.delenv(variable, raising=False)
    for arm in arms[:3]:
        save(arm, "results")
    return tmp_path


COMPARE = ["compare", "empathy-r16-emotion-v1", "base"]


def test_piped_output_is_plain_and_as_wide_as_columns_says(saved, capsys, monkeypatch) -> None:
    assert _run(COMPARE) == 0
    text = capsys.readouterr().out
    assert "\x1b" not in text
    assert 80 < max(map(cell_len, text.split("\n"))) <= 120
    monkeypatch.setenv("COLUMNS", "60")
    assert _run(COMPARE) == 0
    assert max(map(cell_len, capsys.readouterr().out.split("\n"))) <= 60
    for silly in ("0", "-5", "wide", "２"):
        monkeypatch.setenv("COLUMNS", silly)
        assert console.output().width >= 40


def test_no_color_and_dumb_terminals_get_no_escapes(saved, capsys, monkeypatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    assert _run(COMPARE) == 0
    coloured = capsys.readouterr().out
    assert "\x1b[1;31m" in coloured
    monkeypatch.setenv("NO_COLOR", "1")
    assert _run(COMPARE) == 0
    plain = capsys.readouterr().out
    assert "\x1b" not in plain
    assert plain == re.sub(r"\x1b\[[\d;]*m", "", coloured)  # colour adds nothing but colour
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert _run(COMPARE) == 0
    assert "\x1b" not in capsys.readouterr().out


def test_verdicts_differ_by_sign_and_never_by_red_and_green() -> None:
    signs = {verdict.split()[0]: look.sign for verdict, look in VERDICTS.items()}
    assert len(set(signs.values())) == len(signs) == 4
    assert not [look for look in VERDICTS.values() if "green" in look.style]


# --- in words ---------------------------------------------------------------------------------------


def test_the_verdict_comes_first_and_what_to_do_last(saved, capsys) -> None:
    assert _run(COMPARE) == 0
    lines = capsys.readouterr().out.strip().split("\n")
    assert lines[0].startswith("empathy-r16-emotion-v1 against base: worse on 1, ")
    assert lines[0].endswith(" of 3 metrics")
    assert lines[1] == "  ▼ regressed (coverage): continuity"
    (worst,) = [line for line in lines if line.startswith("continuity regressed most")]
    assert re.search(r"in dialogues d\d+, d\d+, d\d+$", worst)
    assert lines[-1].startswith(
        "Next: rapport gate --candidate empathy-r16-emotion-v1 --baseline base"
    )


def test_an_undecided_metric_says_what_would_decide() -> None:
    few = result("few", columns(1, 8)), result("few too", columns(2, 8, advice=0.34))
    found = compare(few[1], few[0])
    lines = list(next_steps.after_comparison(found, "my results"))
    (line,) = [line for line in lines if "AER share is undecided" in line]
    assert re.search(r"about \d+ dialogues would decide \(has 8\)", line)
    # A name that a shell would split is called by its id.
    assert f"--candidate {few[1].result_id[:8]} --baseline few " in lines[-1]
    assert lines[-1].endswith("--results 'my results'")


def test_dialogues_that_decide_in_words() -> None:
    assert next_steps.to_decide(Difference(0.0, mde=0.06, clusters=50), 0.02) == (
        "about 450 dialogues would decide (has 50)"
    )
    near = next_steps.to_decide(Difference(0.02, mde=0.01, clusters=50), 0.02)
    assert near.startswith("the difference lies near the margin of 0.020")
    for nothing in (None, Difference(None), Difference(0.1, clusters=1)):
        assert "could not be estimated" in next_steps.to_decide(nothing, 0.02)


def test_what_cannot_be_compared_is_said(base) -> None:
    lacking = result("lacking", {k: v for k, v in columns(2).items() if k.startswith("marker") or "chars" in k or k == "turns" or "replies" in k})  # fmt: skip
    found = compare(lacking, base)
    assert "no metric can be compared" in comparison_view.verdict_lines(found).plain
    other = compare(result("other", columns(2), tokenizer="1" * 64), base)
    for width in WIDTHS:
        text = printed(comparison_view.comparison_table(other, width=width), width=width)
        assert "not compared:" in text
        assert "different_tokenizer" in text


# --- which dialogues --------------------------------------------------------------------------------


def test_shares_add_up_to_the_difference_by_hand() -> None:
    # R_b = 2/8; shares (3 - 1)/8 - 0 and (1 - .5)/8 ... of unequal denominators.
    shares = shares_of_difference([3, 1], [4, 2], [1, 1], [4, 4])
    assert shares == pytest.approx([(3 - 1) / 6, (1 - 0.5) / 6])
    assert shares.sum() == pytest.approx(4 / 6 - 2 / 8)
    with pytest.raises(ValueError, match="denominator"):
        shares_of_difference([0], [0], [1], [1])


def test_the_worst_dialogues_are_those_in_the_bad_direction(base) -> None:
    made = columns(1)
    worse = dict(made)
    worse["nll_sum"] = made["nll_sum"] + np.eye(60)[7] * 9 + np.eye(60)[3] * 30 - np.eye(60)[5] * 90
    worse["continuity_sum"] = made["continuity_sum"] - np.eye(60)[2]
    worse["advice"] = made["advice"] + np.eye(60)[11] * made["empathy"]
    worse["empathy"] = made["empathy"] - np.eye(60)[11] * made["empathy"]
    arm = result("worse", worse)

    def worst(candidate, baseline, name):
        item = compare_metric(BY_NAME[name], candidate, baseline)
        return worst_dialogues(item, candidate, baseline)

    nll = worst(arm, base, "nll_per_token")
    assert [(one.place, one.dialogue) for one in nll] == [(3, "d3"), (7, "d7")]  # d5 is better
    assert nll[0].share == pytest.approx(30 / made["tokens"].sum())
    (one,) = worst(arm, base, "continuity")
    assert (one.dialogue, one.share < 0) == ("d2", True)
    # More advice than gold: bad is up. Less than gold: the same change is good.
    none = {"gold_advice": made["gold_advice"] * 0}
    up = worst(result("more", worse | none), result("b", made | none), "aer_share")
    assert up[0].dialogue == "d11"
    gold = {
        "gold_advice": made["gold_advice"] + made["gold_empathy"],
        "gold_empathy": made["turns"] * 0,
    }
    assert not worst(result("more", worse | gold), result("b", made | gold), "aer_share")


# --- hostile names ----------------------------------------------------------------------------------

HOSTILE = (
    "[bold red]x[/] [link=http://evil]y[/link]", "a\x1b]0;title\x07\x1b[31mb", "x\r\ny\x00z\x9b31m",
    "\u202egnp.exe\u2066", "=1+1", "😀" * 60, "名" * 300, "[/]", "   ",
)  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_text(name, base, tmp_path, capsys) -> None:
    arm = result(name, columns(2), kind="adapter")
    found = compare(arm, base)
    for width in (60, 120):
        out = Console(file=io.StringIO(), width=width, highlight=False)
        comparison_view.show(found, str(tmp_path), out)
        for table in arm_tables.summary_tables([base, arm], {arm.result_id: found}, width=width):
            out.print(table)
        text = out.file.getvalue()
        assert not set("\x1b\x00\r\x07\x9b\u202e\u2066") & set(text)
        tables = text.split("Next:")[-1]
        assert max(map(cell_len, tables.split("\n")[2:])) <= width
        if "[" in name and "\x1b" not in name:
            assert name[:3] in text  # markup is shown, not obeyed


# --- the picture ------------------------------------------------------------------------------------


def test_the_picture_has_the_same_bytes_every_time_and_needs_no_network(saved, capsys) -> None:
    assert _run([*COMPARE, "--svg", "pictures/a.svg"]) == 0
    assert _run([*COMPARE, "--svg", "b.svg", "--json"]) == 0
    text = Path("b.svg").read_text(encoding="utf-8")
    assert text == Path("pictures/a.svg").read_text(encoding="utf-8")
    root = ElementTree.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert re.findall("https?://[^\"']+", text) == ["http://www.w3.org/2000/svg"]
    assert "@font-face" not in text
    assert "url(" not in re.sub(r"url\(#[\w-]+\)", "", text)
    shown = " ".join(root.itertext()).replace("\xa0", " ")
    for words in (
        "▼ regressed (coverage): continuity",
        "rapport compare empathy-r16-emotion-v1 base",
    ):
        assert words in shown
    assert len(text) < 60_000
    capsys.readouterr()
    assert _run([*COMPARE, "--svg", "results"]) == 2
    assert "results" in capsys.readouterr().err


def test_a_hostile_name_is_no_markup_in_the_picture(base, tmp_path) -> None:
    from rapport_bench.terminal.svg import write_comparison

    arm = result("<script>alert(1)</script>\x1b\u202e", columns(2))
    write_comparison(compare(arm, base), '"><script>', tmp_path / "a.svg")
    root = ElementTree.parse(tmp_path / "a.svg").getroot()
    assert not [e for e in root.iter() if e.tag.endswith("script")]
