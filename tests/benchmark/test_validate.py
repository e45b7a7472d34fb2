"""`rapport validate`: figures worked out by hand, thresholds, files, bad input, a plugged-in scorer."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import mannwhitneyu, rankdata

from conftest import DIALOGUES, write_dialogues
from rapport_bench.cli.main import _run
from rapport_bench.statistics.resampling import Resampler
from rapport_bench.validity.act_arms import (
    chance_arm,
    length_arm,
    lexicon_arm,
    load_scorer,
    scored_arm,
)
from rapport_bench.validity.acts import confusion, measure
from rapport_bench.validity.agreement import auc, count_correlation, length_strata, macro_f1
from rapport_bench.validity.continuity import REAL, RIVALS, rivals, win_values
from rapport_bench.validity.labelled import (
    LabelledDialogue,
    Utterance,
    read_shifts,
    read_utterances,
)
from rapport_bench.validity.run import FIGURES
from rapport_bench.validity.shifts import measure as measure_shifts
from rapport_tasks.common.errors import BadInput
from rapport_tasks.dialogues.dialogue import Dialogue, Message
from rapport_tasks.metrics.topic_shift import Boundary

Rapport = Callable[..., tuple[int, str, str]]

UTTERANCES = [
    ("advice", "你应该多出去走走。"),
    ("advice", "你可以试试写日记。"),
    ("advice", "别再联系他了。"),
    ("advice", "不妨早点睡。"),
    ("empathy", "我理解你的感受。"),
    ("empathy", "听起来你很委屈。"),
    ("empathy", "难怪你会睡不着。"),
    ("empathy", "你不应该承受这些。"),
    ("question", "你觉得丈夫应该如何应对呢？"),
    ("other", "认知行为疗法是一种常见的心理治疗方法。"),
    ("chatter", "今天天气不错。"),
]
CHATS = [
    {
        "id": f"s-{n}",
        "messages": [
            {"role": "user", "content": f"我和妈妈又吵架了，第{n}次，心里很难受。"},
            {"role": "assistant", "content": "和妈妈吵架之后，心里一定不好过吧。"},
            {"role": "user", "content": "是啊，她总觉得我什么都做不好。"},
            {
                "role": "assistant",
                "content": ["被妈妈这样说很伤人。", "周末的球赛你看了吗？"][n % 2],
            },
        ],
        "labels": [0, 0, 0, n % 2],
    }
    for n in range(8)
]


@pytest.fixture
def rapport(capsys, tmp_path, monkeypatch) -> Rapport:
    """Run a command in an empty folder; returns (exit code, standard output, standard error)."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = _run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture
def utterances(tmp_path: Path) -> Path:
    rows = [
        {"id": f"u-{n}", "utterance": text, "label": label}
        for n, (label, text) in enumerate(UTTERANCES)
    ]
    return write_dialogues(tmp_path / "said.jsonl", rows)


@pytest.fixture
def chats(tmp_path: Path) -> Path:
    return write_dialogues(tmp_path / "chats.jsonl", CHATS)


def test_auc_is_the_mann_whitney_statistic_and_weights_are_repetitions() -> None:
    rng = np.random.default_rng(1)
    scores, positive = rng.integers(0, 6, 60) / 6, rng.random(60) < 0.4
    weights = rng.integers(0, 4, 60).astype(float)
    for counts in (np.ones(60), weights):
        s, p = (np.repeat(x, counts.astype(int)) for x in (scores, positive))
        u = mannwhitneyu(s[p], s[~p]).statistic
        assert auc(scores, positive)(counts) == pytest.approx(u / (p.sum() * (~p).sum()))
    assert auc([1.0, 2.0], [True, True])(np.ones(2)) is None


def test_length_matching_compares_like_with_like_alone() -> None:
    # Long texts score high whatever they are: between strata all is right, within them nothing.
    scores, positive = [0.9, 0.9, 0.9, 0.1, 0.1, 0.1], [True, True, False, True, False, False]
    lengths = [80, 80, 80, 8, 8, 8]
    assert auc(scores, positive)(np.ones(6)) == pytest.approx((4 * 1 + 2 * 0.5 + 2 * 0.5) / 9)
    assert auc(scores, positive, length_strata(lengths))(np.ones(6)) == 0.5
    assert length_strata([100, 104]) == length_strata([100, 100])


def test_macro_f1_counts_the_labels_that_occur() -> None:
    # a: hit 1 of 2 labelled, 1 found -> 2/3; b: hit 1 of 1, 1 found -> 1; c is nobody's label.
    assert macro_f1(["a", "a", "b"], ["a", "c", "b"])(np.ones(3)) == pytest.approx(5 / 6)


def test_counts_correlate_with_length_taken_out_of_both() -> None:
    rng = np.random.default_rng(2)
    length = rng.integers(4, 20, 50)
    predicted, reference = (length // 3 + rng.integers(0, 4, 50) for _ in range(2))
    weights = rng.integers(0, 3, 50)
    for counts in (np.ones(50, dtype=int), weights):
        ranks = [rankdata(np.repeat(row, counts)) for row in (predicted, reference, length)]
        design = np.column_stack([np.ones(counts.sum()), ranks[2]])
        left = [r - design @ np.linalg.lstsq(design, r, rcond=None)[0] for r in ranks[:2]]
        expected = np.corrcoef(left)[0, 1]
        found = count_correlation(predicted, reference, length)(counts.astype(float))
        assert found == pytest.approx(expected)
    assert count_correlation([1, 2, 3], [2, 1, 3], [1, 2, 3])(np.ones(3)) is None  # length decides
    assert count_correlation([0, 0, 0], [2, 1, 3], [1, 3, 2])(np.ones(3)) is None
    assert count_correlation([1, 2, 3], [2, 4, 6], [5, 5, 5])(np.ones(3)) == pytest.approx(1)


def test_resampling_takes_clusters_whole_and_pairs_differences() -> None:
    rng = np.random.default_rng(3)
    values = rng.random(40)
    clusters = [f"c{n}" for n in range(40)]
    single = Resampler(clusters).mean(values).figure()
    doubled = Resampler([*clusters, *clusters]).mean([*values, *values]).figure()
    assert doubled.value == pytest.approx(single.value)
    assert doubled.ci == pytest.approx(single.ci)  # twice the lines, no more evidence
    assert Resampler(clusters[::-1]).mean(values[::-1]).figure().ci == pytest.approx(single.ci)
    by_statistic = Resampler(clusters).sample(lambda w: float(w @ values / w.sum())).figure()
    assert by_statistic.ci == pytest.approx(single.ci)
    half = 1.96 * values.std(ddof=1) / np.sqrt(40)
    assert single.ci == pytest.approx((values.mean() - half, values.mean() + half), abs=0.02)
    over = Resampler(clusters)
    better = over.mean(values + 0.01).minus(over.mean(values))
    assert better.value == pytest.approx(0.01)
    assert (better.ci, better.reason) == (None, "no spread between resamples")
    noisy = over.mean(values + rng.normal(0.05, 0.01, 40)).minus(over.mean(values))
    assert noisy.ci is not None
    assert 0 < noisy.ci[0] < 0.05 < noisy.ci[1] < 0.06
    assert noisy.p is not None
    assert noisy.p < 0.01
    few = Resampler(clusters[:5]).mean(values[:5]).figure()
    assert (few.ci, few.reason) == (None, "fewer than 6 clusters")


def test_an_utterance_scores_by_the_evidence_of_its_sentences() -> None:
    table = {
        "一。": {"advice": 0.6, "empathy": 0.2, "question": 0.1, "other": 0.1},
        "二。": {"advice": 0.0, "empathy": 0.1, "question": 0.9, "other": 0.0},
        "三。": {"advice": 0.0, "empathy": 0.0, "question": 0.4, "other": 0.6},
    }
    arm = scored_arm("table", lambda sentences: [table[s] for s in sentences],
                     ["一。", "一。二。", "一。一。二。", "三。"])  # fmt: skip
    assert arm.scores == pytest.approx([0.75, 0.6 / 0.9, 0.6 / 0.9, 0.5])
    assert arm.predicted == ["advice", "question", "question", "other"]
    assert arm.found == [True, True, True, False]


def test_figures_of_acts_by_hand() -> None:
    kinds = [("advice", 10), ("advice", 40), ("empathy", 10), ("empathy", 40), ("question", 5)]
    said = [
        Utterance("字" * (n - 1) + str(i), label, f"c{i}") for i, (label, n) in enumerate(kinds)
    ]
    rows = [
        {"advice": p, "empathy": 0.9 - p, "question": 0.1, "other": 0.0}
        for p in (0.8, 0.4, 0.2, 0.5)
    ]
    rows.append({"advice": 0.0, "empathy": 0.1, "question": 0.9, "other": 0.0})
    arm = scored_arm("own", lambda s: [rows[int(x[-1])] for x in s], [u.text for u in said])
    labels = [u.label for u in said]
    figures = measure(said, [arm, chance_arm(labels)])["own"]
    # .8 and .4 against .2 and .5: three of four pairs; of like length 1 of 1 and 0 of 1.
    assert figures["auc"].value == 0.75
    assert figures["auc_length_matched"].value == 0.5
    # predicted: advice, empathy, empathy, advice, question
    assert figures["accuracy"].value == pytest.approx(3 / 5)
    assert figures["macro_f1"].value == pytest.approx((0.5 + 0.5 + 1) / 3)
    assert figures["coverage"].value == 1
    assert confusion(labels, arm.predicted or [])["advice"] == {
        "advice": 1, "empathy": 1, "question": 0, "other": 0,
    }  # fmt: skip


def test_baselines_of_acts() -> None:
    lexicon = lexicon_arm(["你应该早睡。", "听起来很辛苦。", "嗯。", "You should sleep?"])
    assert lexicon.predicted == ["advice", "empathy", "other", "question"]
    assert lexicon.scores[0] > lexicon.scores[2] == 0.5 > lexicon.scores[1]
    assert lexicon.found == [True, True, False, True]
    labels = ["advice", "empathy", "empathy"]
    assert length_arm(["长长长长", "短", "短短"], labels).scores == [4, 1, 2]
    assert length_arm(["短", "长长长长", "短短"], labels).scores == [-1, -4, -2]
    assert chance_arm(labels).predicted == ["empathy"] * 3


def test_utterances_know_their_cluster(tmp_path: Path) -> None:
    rows = [
        {"id": 1, "utterance": "好。", "label": "other", "dialogue_id": "d"},
        {"id": 2, "utterance": "好。", "label": "other", "dialogue_id": "d", "context": "x"},
        {"id": 3, "utterance": "好。", "label": "other", "context": "x"},
        {"id": 4, "utterance": "好。", "label": "other", "context": "x "},
        {"id": 5, "utterance": "好。", "label": "other", "context": " "},
        {"id": 6, "utterance": "好。", "label": "weather"},
    ]
    found, left_out = read_utterances(write_dialogues(tmp_path / "u.jsonl", rows))
    names = [u.cluster for u in found]
    assert names[0] == names[1] != names[2] == names[3] != names[4]
    assert left_out == {"weather": 1}


def labelled(contents: str, labels: list[int], name: str) -> LabelledDialogue:
    messages = tuple(
        Message("assistant" if n % 2 else "user", text) for n, text in enumerate(contents)
    )
    return LabelledDialogue(Dialogue(name, messages), tuple(map(bool, labels)))


def test_figures_of_shifts_by_hand() -> None:
    dialogues = [
        labelled("abcdefgh", [0, 0, 0, 0, 1, 0, 0, 0], "one"),
        labelled("abcdef", [0, 1, 0, 0, 0, 0], "two"),
    ]
    decided = [[0, 0, 0, 0, 0, 1, 0, 0], [0, 1, 0, 0, 0, 0]]
    scores = [[0.1, 0.2, 0.1, 0.3, 0.4, 0.6, 0.1, 0.1], [0.1, 0.7, 0.1, 0.1, 0.1, 0.1]]
    found = [
        [Boundary(None, None), *(Boundary(s, bool(d)) for s, d in zip(a[1:], b[1:], strict=True))]
        for a, b in zip(scores, decided, strict=True)
    ]
    arms = measure_shifts(dialogues, found)
    assert list(arms) == ["rapport", "none", "even", "random"]
    ours, none = arms["rapport"], arms["none"]
    # "one", k = 2: the boundary at 4 is found at 5, two of six windows see only one of them.
    assert ours["pk"].value == pytest.approx((2 / 6 + 0) / 2)
    assert none["pk"].value == pytest.approx((2 / 6 + 1 / 4) / 2)  # window (0, 2] of "two" alone
    assert (ours["window_f1"].value, none["window_f1"].value) == (1, 0)
    # Boundaries .4 and .7 against ten others, of which .6 alone lies above .4.
    assert ours["auc"].value == pytest.approx((9 + 10) / 20)
    assert none["auc"].value == 0.5
    assert ours["rate"].value == pytest.approx(10 * 2 / 12)
    # Assistant turns alone: one = [0, 0, 1, 0] found, none labelled; two = [1, 0, 0] both.
    assert ours["assistant_window_f1"].value == pytest.approx((0 + 1) / 2)
    assert ours["assistant_auc"].value == 1
    assert ours["assistant_rate"].value == pytest.approx(10 * 2 / 7)
    assert ours["coverage"].value == 1
    # length explains the counts of two dialogues entirely
    assert ours["count_r"].value is None


def test_corruptions_and_wins() -> None:
    dialogues = [Dialogue.from_json(d) for d in DIALOGUES]
    made = rivals(dialogues[1], dialogues[2], random.Random(0))
    assert set(made) == {REAL, *RIVALS}
    own = [reply for _, _, reply in made[REAL]]
    assert [reply for _, _, reply in made["parrot"]] == [
        dialogues[1].last_user(turn) for turn in dialogues[1].assistant_turns()
    ]
    assert sorted(r for _, _, r in made["shuffled"]) == sorted(own)
    assert [r for _, _, r in made["shuffled"]] != own
    assert made["half_parrot"][0][2].startswith("你说")
    inf = float("inf")
    assert win_values([0.2, 0.2, 0.2, -inf, -inf], [0.1, 0.2, -inf, 0.1, -inf]) == [
        1,
        0.5,
        1,
        0,
        0.5,
    ]


def test_every_subcommand_has_help_with_an_example(rapport: Rapport) -> None:
    for what in ("acts", "shifts", "continuity"):
        code, out, _ = rapport("validate", what, "--help")
        assert code == 0
        assert f"Example: rapport validate {what}" in out
        assert {name.removeprefix("assistant_") for name in FIGURES[what]} <= set(
            re.findall(r"\w+", out)
        )


def test_acts_prints_figures_beside_baselines_and_saves_them(
    rapport: Rapport, utterances: Path
) -> None:
    code, out, _ = rapport("validate", "acts", utterances, "--min", "auc=.9", "--max", "accuracy=1")
    assert code == 0, out
    for expected in ("used 10", "left out: chatter 1", "lexicon", "length", "chance", "auc_length_matched",
                     "rapport minus", "met: said: auc"):  # fmt: skip
        assert expected in out, expected
    (path,) = Path("results/validity").iterdir()
    saved = json.loads(path.read_text(encoding="utf-8"))
    assert path.name.startswith("acts-said-")
    assert saved["data"]["labels"] == {"advice": 4, "empathy": 4, "question": 1, "other": 1}
    assert saved["figures"]["rapport"]["auc"]["value"] == 1
    assert set(saved["differences"]) == {"lexicon", "length", "chance"}
    before = path.read_bytes()
    text = before.decode()
    assert not [said for _, said in UTTERANCES if said[:4] in text]
    assert str(Path.cwd()) not in text
    assert rapport("validate", "acts", utterances.name)[0] == 0  # the same, named otherwise
    assert list(Path("results/validity").iterdir()) == [path]
    assert path.read_bytes() == before


def test_missed_thresholds_exit_with_one(rapport: Rapport, utterances: Path) -> None:
    code, out, _ = rapport("validate", "acts", utterances, "--min", "auc=.5", "--max", "auc=.9")
    assert code == 1
    assert "met: said: auc 1.000 ≥ 0.5" in out
    assert "MISSED: said: auc 1.000 ≤ 0.9" in out
    code, out, _ = rapport("validate", "acts", utterances, "--max", "auc=.9", "--json")
    envelope = json.loads(out)
    assert (code, envelope["ok"], envelope["exit_code"]) == (1, False, 1)
    (report,) = envelope["data"]["reports"]
    assert report["thresholds"] == [{"figure": "auc", "max": 0.9, "met": False, "value": 1.0}]
    assert Path(report["path"]).is_file()


def test_an_undefined_figure_meets_no_threshold(rapport: Rapport, tmp_path: Path) -> None:
    rows = [{"id": n, "utterance": "好。", "label": "other"} for n in range(8)]
    only = write_dialogues(tmp_path / "only.jsonl", rows)
    code, out, _ = rapport("validate", "acts", only, "--max", "auc=1")
    assert code == 1
    assert "MISSED: only: auc –" in out


def test_a_plugged_in_scorer_is_validated_and_compared(
    rapport: Rapport, utterances: Path, tmp_path: Path
) -> None:
    (tmp_path / "my_scorer_a.py").write_text(
        "def upside_down(sentences):\n"
        "    return [{'advice': .1 if '应该' in s or '可以' in s or '别' in s or '不妨' in s else .7,\n"
        "             'empathy': .2, 'question': 0, 'other': 0} | {} for s in sentences]\n"
        "def flat(sentences):\n"
        "    return [dict.fromkeys(('advice', 'empathy', 'question', 'other'), .25) for _ in sentences]\n",
        encoding="utf-8",
    )
    code, out, _ = rapport(
        "validate", "acts", utterances, "--acts", "my_scorer_a:flat", "--min", "auc=.9", "--json"
    )
    report = json.loads(out)["data"]["reports"][0]
    assert code == 1  # the plugged-in scorer is what the threshold is about
    assert report["validated"] == "my_scorer_a:flat"
    assert report["figures"]["my_scorer_a:flat"]["auc"]["value"] == 0.5
    assert report["figures"]["rapport"]["auc"]["value"] == 1
    assert report["differences"]["rapport"]["auc"]["value"] == -0.5
    assert len(report["scorer"]["module_sha256"]) == 64
    code, out, _ = rapport("validate", "acts", utterances, "--acts", "my_scorer_a:flat")
    assert code == 0
    assert "my_scorer_a:flat minus" in out
    code, _, err = rapport("validate", "acts", utterances, "--acts", "my_scorer_a:upside_down")
    assert code == 2
    assert "no set of probabilities" in err


@pytest.mark.parametrize(
    ("body", "name", "message"),
    [
        ("", "plug", "not a function"),
        ("", "no_such_module_here:f", "cannot be imported (ModuleNotFoundError"),
        ("1 / 0", "{m}:f", "cannot be imported (ZeroDivisionError at {m}.py:1)"),
        ("def score(s): return []", "{m}:scor", "no function 'scor'"),
        ("def f(s): return []", "{m}:f", "0 results for 2 sentences"),
        ("def f(s): return None", "{m}:f", "NoneType for 2 sentences"),
        ("def f(s): raise KeyError(s[0])", "{m}:f", "failed: KeyError at {m}.py:1"),
        ("def f(s): return [{'advice': 1}] * 2", "{m}:f", "result 0 lacks an act"),
    ],
)
def test_a_bad_plug_in_is_told_what_to_return(
    body: str, name: str, message: str, tmp_path: Path, monkeypatch, request
) -> None:
    module = f"plug_{abs(hash(request.node.name))}"
    (tmp_path / f"{module}.py").write_text(body + "\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(BadInput) as caught:
        scored_arm("mine", load_scorer(name.format(m=module)), ["很难过。好吧。"])
    assert message.format(m=module) in caught.value.message
    assert caught.value.remedy
    assert "难过" not in caught.value.message


def test_shifts_from_file_to_table(rapport: Rapport, chats: Path) -> None:
    code, out, _ = rapport(
        "validate", "shifts", chats, "--max", "pk=1", "--min", "assistant_auc=.9"
    )
    assert code == 0, out
    for expected in ("dialogues 8", "assistant shifts 4", "none", "even", "random", "assistant_pk"):
        assert expected in out, expected
    (path,) = Path("results/validity").iterdir()
    saved = json.loads(path.read_text(encoding="utf-8"))
    assert saved["figures"]["rapport"]["assistant_auc"]["value"] == 1
    assert saved["figures"]["none"]["assistant_auc"]["value"] == 0.5
    assert saved["settings"]["encoder"] == "embedded"
    assert "妈妈" not in path.read_text(encoding="utf-8")


def test_continuity_makes_its_own_corruptions(rapport: Rapport, data: Path) -> None:
    single = {"id": "short", "messages": DIALOGUES[0]["messages"][:2]}
    blank = {"id": "blank", "messages": [{"role": "user", "content": " "}]}
    data = write_dialogues(data, [single, *DIALOGUES, blank])
    code, out, _ = rapport("validate", "continuity", data, "--min", "parrot=1", "--json")
    assert code == 0, out
    (report,) = json.loads(out)["data"]["reports"]
    assert report["data"]["dialogues"] == 6
    assert report["data"]["left_out"] == {"blank_message": 1, "one_assistant_turn": 1}
    ours = report["figures"]["rapport"]
    assert ours["parrot"]["value"] == 1  # nothing of a parrot is scored, and that is a loss
    assert report["figures"]["cosine"]["parrot"]["value"] == 0
    assert report["figures"]["bigrams"]["parrot"]["value"] == 0
    low, high = ours["parrot"]["ci"]
    assert (round(low, 3), high) == (0.541, 1.0)  # Clopper-Pearson: .025 ** (1 / 6)
    assert set(RIVALS) < set(ours)
    code, out, _ = rapport("validate", "continuity", data, "--limit", "3")
    assert code == 0
    assert "dialogues 3" in out
    assert rapport("validate", "continuity", data, "--limit", "1")[0] == 2


UTTERANCE = '{"id": "a", "utterance": "很难过。", "label": "other"}'
CHAT = '{"id": "a", "messages": [{"role": "user", "content": "很难过"}], "labels": %s}'


@pytest.mark.parametrize(
    ("what", "text", "message"),
    [
        ("acts", UTTERANCE + "\n{broken", "bad.jsonl:2: line: not JSON"),
        ("acts", UTTERANCE + "\n[]", "bad.jsonl:2: line: a JSON list"),
        ("acts", UTTERANCE + "\n" + UTTERANCE, "bad.jsonl:2: id: stands on line 1"),
        ("acts", '{"utterance": "很难过。", "label": "other"}', "bad.jsonl:1: id: missing"),
        ("acts", '{"id": "a", "label": "other"}', "bad.jsonl:1: utterance: missing"),
        ("acts", '{"id": "a", "utterance": [], "label": "other"}', "utterance: list"),
        ("acts", '{"id": "a", "utterance": " ", "label": "other"}', "utterance: blank"),
        ("acts", '{"id": "a", "utterance": "很难过。"}', "bad.jsonl:1: label: missing"),
        ("acts", '{"id": "a", "utterance": "很难过。", "label": 3}', "label: not a label"),
        ("acts", '{"id": "a", "utterance": "\\ud800", "label": "other"}', "unpaired surrogate"),
        ("acts", '{"id": "a", "utterance": "很难过。", "label": "x"}', "no utterance with a known"),
        ("acts", "", "no utterance with a known label"),
        ("shifts", CHAT % "null", "labels: missing or not a list"),
        ("shifts", CHAT % "[0, 1]", "labels: 2 of them for 1 messages"),
        ("shifts", CHAT % "[2]", "labels[0]: neither 0 nor 1"),
        ("shifts", CHAT % "[1]", "labels[0]: 1"),
        ("shifts", '{"id": "a", "messages": [{"role": "me"}]}', "messages[0].role"),
        ("shifts", "", "no dialogue in this file"),
        ("continuity", '{"id": "a", "messages": []}', "0 dialogues with two assistant turns"),
    ],
)
def test_bad_files_are_named_with_line_field_and_remedy(
    what: str, text: str, message: str, rapport: Rapport, tmp_path: Path
) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(text, encoding="utf-8")
    code, _, err = rapport("validate", what, path)
    assert code == 2, err
    assert message in err
    assert len(err.strip().split("\n")) == 2  # the message, and a remedy under it
    assert "难过" not in err
    assert not Path("results").exists()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["acts", "said.jsonl", "--min", "acu=.8"], "Did you mean 'auc'?"),
        (["shifts", "said.jsonl", "--max", "pkk=.8"], "Did you mean 'pk'?"),
        (["acts", "said.jsonl", "--min", "auc"], "no value"),
        (["acts", "said.jsonl", "--min", "auc=high"], "not a number"),
        (["acts", "said.jsonl", "--min", "auc=nan"], "not a number"),
        (["acts", "sad.jsonl"], "Did you mean 'said.jsonl'?"),
        (["acts", "said.jsonl", "said.jsonl"], "named twice"),
        (["acts"], "Missing argument"),
        (["axts", "said.jsonl"], "axts"),
    ],
)
def test_bad_options_are_told(
    arguments: list[str], expected: str, rapport: Rapport, utterances: Path
) -> None:
    code, _, err = rapport("validate", *arguments)
    assert code == 2
    assert expected in err


def test_labels_of_shifts_are_read(chats: Path) -> None:
    found = read_shifts(chats)
    assert [sum(item.labels) for item in found] == [0, 1] * 4
    assert found[1].labels == (False, False, False, True)
