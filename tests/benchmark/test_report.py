"""The report from hand-made results: verdicts, pictures, case studies, text, hostile words."""

from __future__ import annotations

import base64
import hashlib
import html.parser
import itertools
import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from made_results import columns, result
from rapport_bench.arms.text_sources import Sources
from rapport_bench.arms.texts import Found, find_texts
from rapport_bench.cli.main import _run
from rapport_bench.judging.compare import compare
from rapport_bench.page import pictures
from rapport_bench.page.case_text import ArmText, case_texts
from rapport_bench.page.cases import cases
from rapport_bench.page.forest import forest
from rapport_bench.page.layout import json_block
from rapport_bench.page.make import DRAWN
from rapport_bench.page.scatter import scatter
from rapport_bench.page.subject import MOST_CANDIDATES, Subject, labels_of, short_name, subject
from rapport_bench.page.wording import words
from rapport_bench.results.result import Result, save
from rapport_tasks.common.errors import BadInput
from rapport_tasks.dialogues.dialogue import Dialogue
from report_material import COMMAND, DIALOGUES, TURNS, arm, reseal, stored, suite_with_text

HOSTILE = (
    '</title><script>alert("name")</script>', '" onmouseover="alert(1)', "\u202egnp.exe", "a|b\nc",
    "<img src=x onerror=alert(1)>", "$\\frac{1}{2}$", "情感 😀", "x" * 300, "{{ 7*7 }}", "../../etc",
)  # fmt: skip


def report(results: list[Result], **options: object):
    return subject(results, by="aer_share", **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def arms() -> list[Result]:
    """A base, a better, a worse and an equal arm, gold and a bot."""
    made = {"base": 0.0, "better": -0.1, "worse": 0.1, "same": 0.0}
    kinds = {"base": "base"}
    found = [
        result(name, columns(1 if name in ("base", "same") else seed, nll=nll), kind=kinds.get(name, "adapter"))
        for seed, (name, nll) in enumerate(made.items(), start=1)
    ]  # fmt: skip
    return [
        *found,
        result("gold", columns(8), kind="gold"),
        result("parrot", columns(9), kind="bot"),
    ]


@pytest.fixture(scope="module")
def found(arms) -> Subject:
    """The three against the base."""
    return report(arms)


class Page(html.parser.HTMLParser):
    """What a browser would make of a page: elements with attributes, and the text of scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.text = ""
        self._in = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._in = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._in = ""

    def handle_data(self, data: str) -> None:
        if self._in == "script":
            self.scripts[-1] += data
        elif self._in != "style":
            self.text += data

    @property
    def data(self) -> dict:
        return json.loads(self.scripts[0])


def page_of(*arguments: str) -> Page:
    assert _run(["report", *arguments, "-o", "out/page.html"]) == 0
    return Page(Path("out/page.html").read_text(encoding="utf-8"))


@pytest.fixture
def saved(tmp_path, monkeypatch, arms) -> str:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("rapport_bench.page.make.DRAWN", ())
    for made in arms[:2]:
        save(made, "results")
    return "results"


# --- who is compared with whom ------------------------------------------------------------------


def test_candidates_are_set_against_the_base(found):
    assert found.baseline.name == "base"
    assert {c.candidate.name for c in found.comparisons} == {"better", "worse", "same"}
    assert found.why_no_verdict == ""
    assert found.gold.name == "gold"


def test_verdicts_are_those_of_compare(found):
    for comparison in found.comparisons[:2]:
        full = compare(comparison.candidate, found.baseline)
        for item in comparison.metrics:
            assert item == full.by_name(item.metric.name)
        assert {i.metric.name for i in full.metrics if i.verdict} == {
            i.metric.name for i in comparison.metrics
        }


def test_named_arms_by_name_id_and_file(arms, tmp_path):
    file = save(arms[2], tmp_path)[0]
    kept = [*arms[:2], file, *arms[3:]]
    for reference in ("worse", arms[2].result_id[:8], str(file.path)):
        found = report(kept, baseline="better", candidates=[reference, "gold", reference])
        assert [c.candidate.name for c in found.comparisons] == ["worse", "gold"]
        assert found.baseline.name == "better"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"baseline": "bse"}, "no arm 'bse'"),
        ({"candidates": ["base"]}, "both candidate and baseline"),
        ({"suite": "zz"}, "0 suites match"),
    ],
)
def test_unknown_arms_are_refused(arms, options, message):
    with pytest.raises(BadInput, match=message):
        report(arms, **options)


def test_two_arms_of_one_name_need_an_id(arms):
    twin = result("better", columns(77), kind="adapter")
    with pytest.raises(BadInput, match="2 results of the suite are called 'better'"):
        report([*arms, twin], candidates=["better"])
    labels = labels_of([*arms, twin])
    assert labels[twin.result_id] == f"better ({twin.result_id[:8]})"
    assert len(set(labels.values())) == len(labels)


def test_of_several_bases_the_one_with_most_arms_counts():
    def on(name: str, weights: str, kind: str, seed: int) -> Result:
        base = {
            "name": "b",
            "weights_sha256": weights * 64,
            "quantization": "none",
            "dtype": "float32",
        }
        return reseal(result(name, columns(seed), kind=kind), arm={"base": base})

    arms = [on("a", "1", "base", 1), on("z", "2", "base", 2), on("ad", "2", "adapter", 3)]
    assert report(arms).baseline.name == "z"


def test_without_a_base_or_a_candidate_the_page_says_what_is_missing(arms):
    no_base = words(report(arms[1:]), "results")
    assert "--baseline ARM" in no_base.headline
    alone = words(report(arms[:1]), "results")
    assert "base has no adapter, model or replies" in alone.headline
    assert words(report(arms[1:], baseline="gold"), "results").each


def test_many_candidates_are_cut_to_the_first_of_the_board():
    arms = [result("base", columns(0, 8), kind="base")]
    arms += [result(f"a{i}", columns(i + 1, 8), kind="adapter") for i in range(MOST_CANDIDATES + 2)]
    found = report(arms)
    ranked = [a.name for a in found.arms if a.kind == "adapter"]
    assert [c.candidate.name for c in found.comparisons] == ranked[:MOST_CANDIDATES]
    assert [left.name for left in found.not_compared] == ranked[MOST_CANDIDATES:]


# --- the verdict in words -----------------------------------------------------------------------


def test_one_candidate_is_a_sentence(arms):
    said = words(report(arms, candidates=["better"]), "results")
    assert said.tone == "better"
    assert said.headline.startswith("\u2068better\u2069 is better on NLL per token; ")
    assert said.headline.endswith(", against \u2068base\u2069.")
    assert said.each == ()


def test_several_candidates_are_counted_and_listed(found):
    said = words(found, "results")
    assert said.tone == "worse"
    assert said.headline.startswith(
        "Of 3 candidates against \u2068base\u2069: 1 worse somewhere (\u2068worse\u2069)"
    )
    assert sorted(sign for sign, _ in said.each) == ["=", "▲", "▼"]
    assert any("Holm" in line for line in said.meaning)
    assert any(line.startswith("Do not put") for line in said.meaning)
    commands = [one.command for one in said.next if one.command]
    assert commands[0].endswith("--results results")


def test_a_regressed_metric_names_the_dialogues_that_made_it_worse():
    ours, theirs = columns(1, 8), columns(2, 8)
    theirs["nll_sum"] = ours["nll_sum"].copy()
    ours["nll_sum"] = ours["nll_sum"] + np.array([9, 9, 20, 9, 9, 30, 9, 15.0])
    found = report([result("base", theirs, kind="base"), result("new", ours, kind="adapter")])
    (step,) = [one for one in words(found, "results").next if one.cases]
    assert "worse on NLL per token" in step.text
    assert step.cases == (5, 2, 7)


def test_silence_is_traced_to_its_dialogues():
    ours, theirs = columns(1, 60), columns(1, 60)
    ours["continuity_n"] = ours["continuity_n"] - np.where(np.arange(60) % 2, 1, 0)
    ours["continuity_n"][7] -= 1
    found = report([result("base", theirs, kind="base"), result("mute", ours, kind="adapter")])
    said = words(found, "results")
    assert "silent too often to be judged on continuity" in said.headline
    assert any(
        "leaves much unscored on continuity" in one.text and one.cases[0] == 7 for one in said.next
    )


def test_differences_are_turned_and_put_in_margins(found):
    comparison = next(c for c in found.comparisons if c.candidate.name == "better")
    item = comparison.by_name("nll_per_token")
    value, (low, high) = item.in_margins
    assert value == pytest.approx(item.difference.value / 0.02)
    assert low < value < high < -1
    continuity = comparison.by_name("continuity")
    assert continuity.in_margins[0] == pytest.approx(-continuity.difference.value / 0.02)


# --- pictures -----------------------------------------------------------------------------------


def test_picture_files_are_the_same_bytes_each_time(found, tmp_path):
    one, other = forest(found), forest(found)
    pictures.inline_svg(one)  # drawing once more must not move anything
    paths = [pictures.save(picture, tmp_path / str(n)) for n, picture in enumerate((one, other))]
    for ours, theirs in zip(*paths, strict=True):
        assert ours.read_bytes() == theirs.read_bytes()
        assert b"Date" not in ours.read_bytes()


def test_inline_pictures_follow_the_theme_and_have_ids_of_their_own(found):
    svg = pictures.inline_svg(forest(found))
    assert "var(--ink)" in svg
    assert not re.search(r"#[0-9a-f]{6}\b(?![^<]*clip)", svg)
    assert all(found.startswith("forest-") for found in re.findall(r'\bid="([^"]*)"', svg))
    assert 'aria-labelledby="forest-title"' in svg
    assert "<style" not in svg
    assert "<?xml" not in svg


def test_names_that_the_font_lacks_become_numbers():
    names = pictures.Names()
    assert [names("plain"), names("情感"), names("$x$"), names("情感"), names("感")] == ["plain", "#1", "$x$", "#1", "#2"]  # fmt: skip
    assert names.key == (("#1", "情感"), ("#2", "感"))


def test_what_cannot_be_drawn_is_left_out(arms):
    alone = report(arms[:1])
    assert forest(alone) is None
    assert scatter(alone) is not None


# --- case studies -------------------------------------------------------------------------------


def test_numbers_of_each_dialogue_and_arm(arms, found):
    made = cases(found, None)
    assert made.arms == ("base", *[c.candidate.name for c in found.comparisons], "gold")
    first = made.data["cases"][0]
    nll = made.metrics.index("NLL per token")
    value = arms[0].columns["nll_sum"][0] / arms[0].columns["tokens"][0]
    assert first["v"][0][nll] == pytest.approx(value, rel=1e-3)
    assert not made.with_text
    assert "turns" not in first
    json.loads(json_block(made.data))


def test_undefined_values_are_null_not_zero(arms):
    none = columns(3) | {
        "advice": np.zeros(60),
        "empathy": np.zeros(60),
        "empathy_grounded": np.zeros(60),
    }
    made = cases(report([arms[0], result("mute", none, kind="adapter")]), None)
    assert made.data["cases"][0]["v"][1][made.metrics.index("AER share")] is None


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("text")
    suite_with_text(folder)
    return folder


def sources(folder: Path) -> Sources:
    return Sources(
        str(folder / "data.jsonl"), str(folder / "store.sqlite"), (str(folder / "mine.jsonl"),)
    )


def loaded(folder: Path) -> list[Result]:
    from rapport_bench.judging.leaderboard import load_results

    return load_results(folder / "results")[0]


def test_replies_come_from_store_data_and_files(text):
    by_name = {made.name: made for made in loaded(text)}
    found = find_texts(list(by_name.values()), sources(text))
    assert found.missing == ()
    said = {name: found.texts[made.result_id]["d1", 3] for name, made in by_name.items()}
    assert said["base"] == ["你应该早点睡。别想了。"]
    assert said["mine"] == ["嗯。"]
    assert said["gold"] == [DIALOGUES[1]["messages"][3]["content"]]
    assert said["parrot"] == [DIALOGUES[1]["messages"][2]["content"]]


def test_replies_that_are_gone_name_the_command(text, tmp_path):
    stored(tmp_path / "other.sqlite", loaded(text)[0], {})
    found = find_texts(
        loaded(text), Sources(str(text / "data.jsonl"), str(tmp_path / "other.sqlite"))
    )
    gone = {line.split(":")[0]: line for line in found.missing}
    assert gone.keys() == {"base", "tuned", "mine"}
    assert COMMAND in gone["base"]
    assert "--replies FILE" in gone["mine"]
    half = {key: ["嗯。"] for key in TURNS[:5]}
    base = next(made for made in loaded(text) if made.name == "base")
    stored(tmp_path / "half.sqlite", base, half)
    partly = find_texts([base], Sources(str(text / "data.jsonl"), str(tmp_path / "half.sqlite")))
    assert "some replies are gone" in partly.missing[0]
    assert len(partly.texts[base.result_id]) == 5


def test_other_data_than_the_suites_are_refused(text, tmp_path):
    with pytest.raises(BadInput, match="dialogues of your own") as caught:
        find_texts(loaded(text), Sources(store=str(text / "store.sqlite")))
    assert "--data FILE" in caught.value.remedy
    other = tmp_path / "other.jsonl"
    lines = (text / "data.jsonl").read_text().replace("妈妈", "爸爸")
    other.write_text(lines)
    with pytest.raises(BadInput, match="not the 12 dialogues"):
        find_texts(loaded(text), Sources(str(other)))
    with pytest.raises(BadInput, match="no such file"):
        find_texts(loaded(text), Sources(str(text / "data.jsonl"), str(tmp_path / "none.sqlite")))


def test_a_users_megabyte_is_clipped_too():
    long = "很累。" * 350_000
    messages = [{"role": "user", "content": long}, {"role": "assistant", "content": "嗯。"}]
    dialogue = Dialogue.from_json(DIALOGUES[0] | {"messages": messages})
    found = Found((dialogue,), {}, ())
    (turn,) = case_texts([ArmText(arm("mine", "replies", 3), shifts=True)], found, lambda *_: None)[
        0
    ]["turns"]
    assert joined(turn["user"]["s"]) == long[:3000]
    assert turn["user"]["r"] == long[3000:]
    assert "cut" not in turn["user"]


def one_reply(reply: str) -> dict:
    made = reseal(arm("mine", "replies", 3), arm={"arm_id": "9" * 64})
    dialogue = Dialogue.from_json(DIALOGUES[0])
    found = Found((dialogue,), {made.result_id: {("d0", 1): [reply]}}, ())
    return case_texts([ArmText(made, shifts=True)], found, lambda *_: None)[0]["turns"][0]["arms"][
        "0"
    ][0]


def joined(rows: list) -> str:
    return "".join(r if isinstance(r, str) else r[1] for row in rows for r in row[1:])


def test_sentences_carry_act_and_markers():
    reply = one_reply("你应该早点睡。 我理解你。\n今天星期三。你呢？")
    assert [row[0] for row in reply["s"]] == [0, -1, 1, -1, 3, 2]
    assert reply["s"][0][1] == [0, "你应该"]
    assert joined(reply["s"]) == "你应该早点睡。 我理解你。\n今天星期三。你呢？"
    assert reply["l"] == "zh"


@pytest.mark.parametrize(
    "text", ["", "   ", "😀你应该睡。", "a\u2028b", "\ud800x", "\x00", "\u202eabc"]
)
def test_sentences_join_to_the_reply(text):
    assert joined(one_reply(text)["s"]) == text.replace("\ud800", "\ufffd").replace(
        "\x00", "\ufffd"
    )


def test_topic_boundaries_are_those_of_the_scorer(text):
    from rapport_tasks.metrics.scorers import boundary_scorer

    dialogue = Dialogue.from_json(DIALOGUES[0])
    far = "今天的股票涨了不少，新能源汽车的销量也创了新高，你买基金了吗？"
    replies = {("d0", turn): [text] for turn, text in ((1, dialogue.messages[1].content), (3, far))}
    expected = [
        bool(
            boundary_scorer().score_reply(dialogue.messages[:turn], replies["d0", turn][0]).boundary
        )
        for turn in (1, 3)
    ]
    assert any(expected)
    made = arm("mine", "replies", 3)
    found = Found((dialogue,), {made.result_id: replies}, ())
    for asked in (True, False):
        turns = case_texts([ArmText(made, shifts=asked)], found, lambda *_: None)[0]["turns"]
        marked = ["b" in turn["arms"]["0"][0] for turn in turns]
        assert marked == (expected if asked else [False, False])


def test_a_megabyte_is_kept_whole_and_many_are_cut(monkeypatch):
    reply = one_reply("很累。" * 350_000)
    assert len(joined(reply["s"])) == 3000
    assert len(reply["r"]) == 1_050_000 - 3000
    assert "cut" not in reply
    monkeypatch.setattr("rapport_bench.page.case_text.PAGE_TEXT", 10_000)
    cut = one_reply("很累。" * 350_000)
    kept = len(joined(cut["s"])) + len(cut["r"])
    assert 9_900 < kept < 10_000
    assert cut["cut"] == 1_050_000 - kept


# --- the page -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def standard(arms, tmp_path_factory) -> tuple[Path, Page]:
    """The folder with the results, and its page."""
    folder = tmp_path_factory.mktemp("standard")
    for made in arms:
        save(made, folder / "results")
    assert _run(["report", str(folder / "results"), "-o", str(folder / "page.html")]) == 0
    return folder, Page((folder / "page.html").read_text(encoding="utf-8"))


def test_the_page_holds_every_section_and_nothing_from_outside(standard):
    page = standard[1]
    headings = [attrs.get("id") for tag, attrs in page.elements if tag == "section"]
    assert headings == ["verdict", "pictures", "board", "cases", "provenance"]
    policy = next(a["content"] for t, a in page.elements if a.get("http-equiv"))
    assert policy.startswith("default-src 'none'; ")
    assert "http" not in policy
    for tag, attributes in page.elements:
        for name in ("src", "href", "action", "srcset"):
            value = attributes.get(name) or ""
            assert value.startswith(("#", "data:,")) or not value, (tag, value)
        assert not [name for name in attributes if name.startswith("on")], (tag, attributes)
    assert "sha256-" in policy
    assert len(page.scripts) == 2


def test_the_policy_names_this_very_script(standard):
    page = standard[1]
    digest = base64.b64encode(hashlib.sha256(page.scripts[1].encode()).digest()).decode()
    policy = next(a["content"] for t, a in page.elements if a.get("http-equiv"))
    assert f"script-src 'sha256-{digest}'" in policy


def test_headings_are_in_order_and_ids_unique(standard):
    page = standard[1]
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.elements:
        for name in ("aria-labelledby", "aria-describedby"):
            assert set((attributes.get(name) or "").split()) <= set(ids)
    tables = [tag for tag, _ in page.elements if tag in ("table", "caption")]
    assert tables.count("table") == tables.count("caption")


def test_the_same_results_give_the_same_bytes(standard):
    page = standard[0] / "page.html"
    first = page.read_bytes()
    # Another process: ids that come from addresses or from salted hashes would show.
    command = [sys.executable, "-m", "rapport_bench", "report", str(standard[0] / "results")]
    subprocess.run([*command, "-o", str(page)], check=True, capture_output=True)
    assert page.read_bytes() == first


def test_hostile_names_stay_text(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save(result("base", columns(0, 12), kind="base"), "results")
    for seed, name in enumerate(HOSTILE, start=1):
        made = result(name, columns(seed, 12), kind="adapter")
        save(reseal(made, volatile={"command": f"rapport run --adapter {name}"}), "results")
    page = page_of("results")
    tags = {tag for tag, _ in page.elements}
    assert "img" not in tags
    assert len(page.scripts) == 2
    assert not [a for _, a in page.elements if any(name.startswith("on") for name in a)]
    raw = Path("out/page.html").read_text(encoding="utf-8")
    assert "\u202e" not in raw
    assert "alert(1)" in page.text
    assert "{{ 7*7 }}" in page.text
    assert '</title><script>alert("name")</sc' in page.text
    assert "\u2068" + '</title><script>alert("name")' in page.text


def test_hostile_replies_and_users_stay_text(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("rapport_bench.page.make.DRAWN", ())
    monkeypatch.chdir(tmp_path)
    bad = "</script><script>alert(1)</script><!--\u202e\u2028<img src=x onerror=alert(1)>"
    page = page_of(*suite_with_text(tmp_path, {TURNS[0]: bad}), "--candidate", "mine")
    assert len(page.scripts) == 2
    assert "img" not in {tag for tag, _ in page.elements}
    turn = page.data["cases"][0]["turns"][0]["arms"]["1"][0]
    assert joined(turn["s"]) == bad
    raw = Path("out/page.html").read_text(encoding="utf-8")
    assert not {"\u202e", "\u2028"} & set(raw)
    assert "alert(1)" not in capsys.readouterr().err


def test_with_text_says_what_it_means_and_is_for_the_owner(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("rapport_bench.page.make.DRAWN", ())
    monkeypatch.chdir(tmp_path)
    options = suite_with_text(tmp_path)
    page = page_of(*options)
    said = capsys.readouterr()
    assert "intimate dialogues" in said.err
    assert "do not share it" in said.err
    assert "This page quotes intimate dialogues." in page.text
    assert stat.S_IMODE(Path("out/page.html").stat().st_mode) == 0o600
    assert stat.S_IMODE(Path("out").stat().st_mode) & 0o100
    assert joined(page.data["cases"][0]["turns"][0]["arms"]["1"][0]["s"]).startswith("我理解你")
    plain = page_of(options[0])
    raw = Path("out/page.html").read_text(encoding="utf-8")
    assert not [words for d in DIALOGUES for m in d["messages"] if (words := m["content"]) in raw]
    assert "我理解" not in raw
    assert "This page quotes" not in plain.text
    assert stat.S_IMODE(Path("out/page.html").stat().st_mode) & 0o044


def test_replies_that_are_gone_are_said_on_the_page(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("rapport_bench.page.make.DRAWN", ())
    monkeypatch.chdir(tmp_path)
    options = suite_with_text(tmp_path)
    place = options.index("--replies")
    page = page_of(*options[:place], *options[place + 2 :])
    assert "mine: its replies were imported" in page.text
    assert "mine: its replies were imported" in capsys.readouterr().err


def test_broken_files_and_other_suites_are_said(saved, capsys):
    save(result("elsewhere", columns(5, n=20), suite="1" * 64), saved)
    (next(Path(saved).glob("v1/*/*")) / "broken@00000000.json").write_text("{")
    page = page_of(saved)
    assert "broken@00000000.json" in page.text
    assert "elsewhere" in page.text.split("Scored on another suite")[1]
    other = page_of(saved, "--suite", "1111")
    assert "No verdict yet: elsewhere" in other.text


def test_one_arm_alone_makes_a_page(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save(result("only", columns(1), kind="base"), "results")
    page = page_of("results")
    assert "No verdict yet: only" in page.text
    assert next(a.get("id") for tag, a in page.elements if tag == "section") == "verdict"


def test_bad_calls(saved, tmp_path, capsys):
    for arguments, message in (
        (["nowhere"], "no results"),
        ([saved, "--baseline", "bettr"], "Did you mean 'better'?"),
        ([saved, "--adapter", str(tmp_path)], "no adapter_model.safetensors"),
        ([saved, "--store", "s.sqlite"], "add --with-text"),
        ([saved, "--with-text"], "--data FILE"),
        ([saved, "-o", "/proc/no/page.html"], "/proc/no/page.html"),
    ):
        assert _run(["report", *arguments]) == 2, arguments
        error = capsys.readouterr().err
        assert message in error
        assert "Traceback" not in error


def test_json_names_what_was_written(saved, capsys, monkeypatch):
    monkeypatch.setattr("rapport_bench.page.make.DRAWN", DRAWN)
    assert (
        _run(
            [
                "report",
                saved,
                "-o",
                "a.html",
                "--pictures",
                "pics",
                "--candidate",
                "better",
                "--json",
            ]
        )
        == 0
    )
    envelope = json.loads(capsys.readouterr().out)
    data = envelope["data"]
    assert data["baseline"]["name"] == "base"
    assert data["verdict"].startswith("better is better on NLL per token")
    assert data["comparisons"][0]["metrics"]["nll_per_token"]["verdict"] == "improved"
    assert {Path(f).name for f in data["files"]} == {
        "a.html", *(f"{n}.{k}" for n in ("forest", "scatter") for k in ("svg", "png")),
    }  # fmt: skip
    assert all(Path(file).stat().st_size > 1000 for file in data["files"])


def test_training_is_shown_where_an_adapter_is_named(saved, capsys):
    from safetensors.numpy import save_file

    from rapport_tasks.weights.hashes import weights_sha256

    folder = Path("adapter")
    folder.mkdir()
    save_file({"a": np.ones(2, dtype=np.float32)}, folder / "adapter_model.safetensors")
    lines = [
        {"step": 0, "validation_nll_per_token": 5.5},
        {"step": 1, "loss": 5.0, "grad_norm": 1.0},
    ]
    lines += [{"step": 2, "loss": 4.0}, {"step": 2, "validation_nll_per_token": 4.25}]
    log = "\n".join(map(json.dumps, lines)) + '\n{"step": 3, "lo'
    (folder / "training.jsonl").write_text(log)
    (folder / "training.json").write_text(
        json.dumps({"corpus": {"name": "<b>c", "dialogues": 1099}})
    )
    page = page_of(saved, "--adapter", "adapter")
    assert "Validation loss went from 5.50 to 4.25" in page.text
    assert "<b>c" in page.text
    assert "1,099" in page.text
    assert "No arm of this page has these weights" in page.text
    adapter = {"weights_sha256": weights_sha256(folder), "config_sha256": "0" * 64, "rank": 4,
               "proof": {"max_logit_change": 1.0, "base_restored_exactly": True}}  # fmt: skip
    save(reseal(result("trained", columns(33), kind="adapter"), arm={"adapter": adapter}), saved)
    page = page_of(saved, "--adapter", "adapter")
    assert "Training of trained" in page.text
    (folder / "training.jsonl").write_text("{}\n{}\n")
    assert _run(["report", saved, "--adapter", "adapter"]) == 2
    assert "training.jsonl:1: not a line of a training log" in capsys.readouterr().err


def test_left_out_browser_tests_are_counted():
    tests = Path(__file__).with_name("test_report_browser.py")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tests)]
    root = tests.parent.parent.parent
    done = subprocess.run(
        command, cwd=root, env=os.environ | {"PATH": "/nonexistent"}, capture_output=True, text=True
    )
    assert done.returncode == 0
    left_out = re.search(r"browser tests left out: (\d+) \(.*no Chromium", done.stdout)
    assert left_out is not None
    assert f"{left_out.group(1)} skipped" in done.stdout


def test_short_names():
    assert short_name("a\nb\u202e") == "a b"
    assert short_name("x" * 300) == "x" * 39 + "…"
    assert short_name("\u202e") == "unnamed"


def test_the_leaderboard_alone_is_a_page(saved, capsys):
    save(result("gold", columns(8), kind="gold"), saved)
    save(result("elsewhere", columns(5, n=20), suite="1" * 64), saved)
    assert _run(["leaderboard", saved, "--format", "html", "--by", "continuity"]) == 0
    page = Page(capsys.readouterr().out)
    sortable = [attrs for tag, attrs in page.elements if tag == "th" and "aria-sort" in attrs]
    assert len(sortable) == 8
    assert "by continuity" in page.text
    assert "reference: gold" in page.text
    assert "elsewhere" in page.text
    assert len(page.scripts) == 1
