"""The report, the console, the run's last lines and the gate say the same of the same pairs."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from rich.console import Console

from made_results import columns, result
from rapport_bench.cli.main import _run
from rapport_bench.judging.compare import Comparison, compare, compare_metric
from rapport_bench.judging.gate import run_gate
from rapport_bench.judging.gate_policy import Policy, Rule
from rapport_bench.page.forest import forest
from rapport_bench.page.subject import subject
from rapport_bench.page.wording import Words, words
from rapport_bench.results.metrics import BY_NAME, CONFIRMATORY
from rapport_bench.results.result import Result, save
from rapport_bench.terminal import comparison as comparison_view
from rapport_bench.terminal import gate as gate_view
from rapport_bench.words import next_steps
from rapport_bench.words.signs import TONES

PHRASES = {
    "worse on": "regressed",
    "silent too often to be judged on": "regressed (coverage)",
    "better on": "improved",
    "the same, within the margin, on": "equivalent",
    "undecided on": "inconclusive",
}

SIGNS = {
    "regressed": "▼", "regressed (coverage)": "▼", "improved": "▲", "equivalent": "=",
    "inconclusive": "?",
}  # fmt: skip


def made(seed: int = 1, n: int = 60, **more: object) -> dict[str, np.ndarray]:
    """Columns with topic shifts, whose gold rate is 2.5 of 10."""
    given = {k: more.pop(k) for k in ("nll", "advice", "covered") if k in more}
    found = columns(seed, n, **given)  # type: ignore[arg-type]
    rng, ones = np.random.default_rng(seed), np.ones(n)
    found |= {
        "shifts": rng.binomial(4, 0.25, n), "shift_opportunities": 4 * ones, "shift_turns": 4 * ones,
        "gold_shifts": ones, "gold_shift_opportunities": 4 * ones,
    }  # fmt: skip
    return found | {name: np.asarray(values) for name, values in more.items()}


def one_dialogue(n: int, place: int, size: float) -> np.ndarray:
    return np.eye(n)[place] * size


BASE = made()
ZERO = np.zeros(60)
PAIRS: dict[str, tuple[dict[str, np.ndarray], dict[str, np.ndarray]]] = {
    "no change at all": (BASE, BASE),
    "only noise": (BASE, made(2)),
    "regressed": (BASE, made(2, nll=0.1)),
    "regressed by a little": (BASE, made(2, nll=0.024)),
    "improved": (BASE, made(2, nll=-0.1)),
    "just below the margin": (BASE, made(2, nll=0.0195)),
    "just above the margin": (BASE, made(2, nll=0.0205)),
    "better, just below the margin": (BASE, made(2, nll=-0.0195)),
    "one dialogue": (BASE, BASE | {"nll_sum": BASE["nll_sum"] + one_dialogue(60, 7, 300)}),
    "one dialogue, six dialogues in all": (made(1, 6), made(2, 6, nll=0.05)),
    "five dialogues": (made(1, 5), made(2, 5, nll=0.5, advice=0.9)),
    "two dialogues": (made(1, 2), made(2, 2)),
    "eight noisy dialogues": (made(1, 8), made(2, 8, advice=0.34)),
    "far more advice than gold": (BASE, made(2, advice=0.8)),
    "far less advice than gold": (BASE, made(2, advice=0.02)),
    "from too much to too little": (made(1, advice=0.8), made(2, advice=0.02)),
    "from too little to too much": (made(1, advice=0.1), made(2, advice=0.7)),
    "from too much to gold": (made(1, advice=0.8), made(2)),
    "at the edge of the band": (BASE, made(2, advice=0.345)),
    "more shifts than gold": (BASE, made(2, shifts=np.full(60, 3))),
    "no shifts": (BASE, made(2, shifts=ZERO)),
    "silent": (BASE, made(3, covered=0.7)),
    "silent and worse": (BASE, made(3, covered=0.7, nll=0.2)),
    "less continuity": (BASE, BASE | {"continuity_sum": BASE["continuity_sum"] * 0.5}),
    "more continuity": (BASE, BASE | {"continuity_sum": BASE["continuity_sum"] * 1.5}),
    "less continuity in some": (
        BASE,
        BASE | {"continuity_sum": BASE["continuity_sum"] - np.resize([0.0, 0.0, 0.4], 60)},
    ),
    "no continuity": (BASE, BASE | {"continuity_sum": ZERO, "continuity_n": ZERO}),
    "no continuity in either": (
        BASE | {"continuity_sum": ZERO, "continuity_n": ZERO},
        made(2) | {"continuity_sum": ZERO, "continuity_n": ZERO},
    ),
    "no tokens": (BASE, made(2) | {"tokens": ZERO}),
}


def pair(name: str) -> tuple[Result, Result]:
    before, after = PAIRS[name]
    other = "1" * 64 if name == "only noise" else "0" * 64  # a tokenizer of its own
    return result("base", before, kind="base"), result(
        "new", after, kind="adapter", tokenizer=other
    )


@pytest.fixture(params=PAIRS)
def arms(request: pytest.FixtureRequest) -> tuple[Result, Result]:
    return pair(request.param)


def on_the_console(comparison: Comparison) -> str:
    out = Console(file=io.StringIO(), width=200, highlight=False, soft_wrap=True)
    comparison_view.show(comparison, "results", out)
    return out.file.getvalue()  # type: ignore[attr-defined]


def in_the_report(arms: tuple[Result, Result]) -> Words:
    return words(subject(arms, by="aer_share"), "results")


def console_verdicts(text: str) -> dict[str, tuple[str, str]]:
    """Metric -> its verdict and sign."""
    found = {}
    for sign, verdict, labels in re.findall(r"^  (.) ([a-z ()]+): (.*)$", text, re.MULTILINE):
        found |= dict.fromkeys(labels.split(", "), (verdict, sign))
    return found


def report_verdicts(said: Words) -> dict[str, str]:
    sentence = said.headline.split(" is ", 1)[1].rsplit(", against", 1)[0]
    found = {}
    for part in sentence.split("; "):
        (phrase,) = [phrase for phrase in PHRASES if part.startswith(phrase)]
        labels = re.split(", | and ", part.removeprefix(f"{phrase} "))
        found |= dict.fromkeys(labels, PHRASES[phrase])
    return found


def gravest(signs: set[str]) -> str:
    """The page has one sign for a candidate."""
    return next(sign for sign in "▼▲?=" if sign in signs)


def test_the_pairs_are_of_every_kind() -> None:
    assert len(PAIRS) > 20
    seen: set[str] = set()
    for name in PAIRS:
        before, after = pair(name)
        for item in compare(after, before).metrics:
            if item.metric.family == "confirmatory":
                band = " of a band" if item.metric.gold and item.verdict == "regressed" else ""
                seen.add(f"{item.verdict}{band}")
    assert seen == {*SIGNS, "regressed of a band", "None"}


def test_verdicts_and_signs(arms) -> None:
    comparison = compare(arms[1], arms[0])
    console, said = console_verdicts(on_the_console(comparison)), in_the_report(arms)
    assert {label: verdict for label, (verdict, _) in console.items()} == report_verdicts(said)
    for verdict, sign in console.values():
        assert sign == SIGNS[verdict]
    assert TONES[said.tone] == gravest({sign for _, sign in console.values()})
    for item in comparison.metrics:
        if item.verdict in ("regressed", "improved"):
            assert item.in_margins is not None
            assert (item.in_margins[0] > 1) == (item.verdict == "regressed")
            assert abs(item.in_margins[0]) > 1


def test_dialogues_that_would_decide(arms) -> None:
    comparison, said = compare(arms[1], arms[0]), in_the_report(arms)
    pattern = r"^(.+) is undecided: (.+)$"
    console = re.findall(pattern, on_the_console(comparison), re.MULTILINE)
    report = [
        found.groups()
        for one in said.next
        if (found := re.fullmatch(r"\S+ is undecided on (.+?): (.+)\.", one.text))
    ]
    run = list(next_steps.after_run(arms, {arms[1].result_id: comparison}, "results"))
    assert console == report
    assert [re.fullmatch(pattern, line).groups() for line in run if "is undecided" in line] == report  # type: ignore[union-attr]  # fmt: skip
    undecided = {i.metric.label for i in comparison.metrics if i.verdict == "inconclusive"}
    assert {label for label, _ in console} == undecided


def test_the_gate_asks_for_as_many(arms) -> None:
    rules = tuple(Rule(BY_NAME[name], margin=BY_NAME[name].margin) for name in CONFIRMATORY)
    gate = run_gate([arms[1]], arms[0], Policy(rules))
    undecided = next_steps.undecided(compare(arms[1], arms[0]))
    told = {item.metric.label: said.replace(",", "") for item, said in undecided}
    rows = [line.split(" | ") for line in gate_view.markdown(gate).splitlines() if "| " in line]
    cells = {row[0].strip("| "): row[-1].strip(" |") for row in rows}
    for metric in gate.arms[0].metrics:
        label = metric.rule.metric.label
        if metric.verdict != "inconclusive" or metric.difference is None:
            continue
        (cell,) = [text for head, text in cells.items() if head.startswith(label)]
        numbers = [text.replace(",", "") for text in re.findall(r"[\d,]+", cell)]
        if cell.startswith("over"):
            assert told[label].endswith(f"more than the {numbers[0]} dialogues would decide")
        elif numbers:
            assert told[label] == "about {} dialogues would decide (has {})".format(*numbers)
        else:
            assert told[label] == "the difference or its spread could not be estimated"


def test_worst_dialogues(arms) -> None:
    comparison, said = compare(arms[1], arms[0]), in_the_report(arms)
    ids = arms[0].dialogue_ids
    pattern = r"^(.+) regressed most in dialogues (.+)$"
    console = re.findall(pattern, on_the_console(comparison), re.MULTILINE)
    report = [
        (found[1], ", ".join(ids[place] for place in one.cases))
        for one in said.next
        if (found := re.search(r"(?:is worse|much unscored) on (.+?)(?:;|,) .*:$", one.text))
    ]
    assert console == report
    regressed = [i for i in comparison.metrics if (i.verdict or "").startswith("regressed")]
    assert [label for label, _ in console] == [item.metric.label for item in regressed]


def test_with_the_baselines_reply_in_its_worst_dialogue_a_candidate_is_less_bad(arms) -> None:
    before, after = arms
    for item, worst in next_steps.regressions(compare(after, before)):
        mended = {
            name: np.where(np.eye(len(values))[worst[0].place] == 1, before.columns[name], values)
            for name, values in after.columns.items()
        }
        again = compare_metric(item.metric, result("mended", mended), before)
        if item.verdict == "regressed":
            assert again.worse.value < item.worse.value  # type: ignore[union-attr, operator]
        else:
            assert again.coverage.value > item.coverage.value  # type: ignore[union-attr, operator]


@pytest.mark.parametrize("name", ["regressed", "improved", "less continuity", "more continuity"])
def test_the_picture_has_worse_on_the_left_and_better_on_the_right(name) -> None:
    found = subject(pair(name), by="aer_share")
    picture = forest(found)
    assert picture is not None
    (comparison,) = found.comparisons
    shown = [item for item in comparison.metrics if item.in_margins]
    assert len(picture.figure.axes) == len(shown)
    sides = set()
    for axis, item in zip(picture.figure.axes, shown, strict=True):
        (place,) = [line.get_xdata()[0] for line in axis.lines if line.get_marker() in "^vso"]
        if item.verdict in ("regressed", "improved"):
            sides.add(item.verdict)
            assert place < -1 if item.verdict == "regressed" else place > 1
    assert sides


@pytest.mark.parametrize("name", ["regressed", "improved", "just below the margin", "silent"])
def test_commands_print_what_the_page_shows(name, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("rapport_bench.page.make.DRAWN", ())
    before, after = pair(name)
    for arm in (before, after):
        save(arm, "results")
    assert _run(["compare", "new", "base"]) == 0
    console = console_verdicts(capsys.readouterr().out)
    assert _run(["report", "results", "-o", "page.html"]) == 0
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    (sign,) = re.findall(r'<p class="verdict \w+"><span class="sign"[^>]*>(.)</span>', page)
    assert sign == gravest({sign for _, sign in console.values()})
    plain = re.sub("<[^>]+>", "", page)
    for label, (verdict, _) in console.items():
        (phrase,) = [phrase for phrase, found in PHRASES.items() if found == verdict]
        assert re.search(rf"{phrase} [^;.]*{re.escape(label)}", plain)
