"""`rapport human sheet`: what is refused, what is written, and that nothing in a sheet names an arm."""

from __future__ import annotations

import json
import re
import stat
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest

from made_sheets import two_arms, world
from rapport_bench.cli.human import human
from rapport_bench.cli.main import _run
from rapport_bench.common.files import write_atomically
from rapport_bench.human.sheets import make as sheet_command
from rapport_bench.human.sheets import study as study_file
from rapport_bench.human.sheets.make import NOTICE_FILE
from rapport_bench.human.sheets.scales import NAMES
from rapport_bench.human.sheets.shown import shown_items
from rapport_bench.human.sheets.study import read_key, read_study

ARMS = ("Zephyrine", "Oberonic")


def sheets(made, folder: Path, *options: str, names=ARMS) -> int:
    return _run([*made.arguments(*names), "-o", str(folder), "--study", "pilot", *options])


@pytest.fixture
def made(tmp_path):
    return two_arms(tmp_path / "made")


def everything(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def readable(folder: Path) -> dict[str, str]:
    """All a rater could read."""
    files = sorted((folder / "sheets").iterdir())
    return {path.name: path.read_text(encoding="utf-8") for path in files}


def test_every_subcommand_has_help_with_an_example(capsys) -> None:
    for name in human.commands:
        assert _run(["human", name, "--help"]) == 0
        assert f"Example: rapport human {name} " in capsys.readouterr().out


def test_a_study_is_complete_private_and_consistent(made, tmp_path, capsys) -> None:
    folder = tmp_path / "study"
    assert sheets(made, folder, "--items", "12", "--raters", "4", "--per-item", "2", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["ok"]
    assert said["command"] == "human"
    assert said["data"]["items"] == 12
    study, key = read_study(folder), read_key(folder)
    assert study.raters == ("r01", "r02", "r03", "r04")
    assert {p.name for p in (folder / "sheets").iterdir()} == {
        NOTICE_FILE,
        *(f"{rater}.{kind}" for rater in study.raters for kind in ("html", "csv")),
    }
    for path in folder.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
    by_id = {d.id: d for d in made.dialogues}
    items = shown_items(folder, study)
    names = {arm.result_id: arm.name for arm in key.arms}
    for name, where in key.items.items():
        dialogue = by_id[where.dialogue]
        assert not dialogue.crisis
        assert where.domain == dialogue.domain
        assert where.turn > 1 or len(dialogue.assistant_turns()) == 1
        assert [line.content for line in items[name].context] == [
            m.content for m in dialogue.messages[: where.turn]
        ]
        for reply in items[name].replies:  # the key tells the truth
            arm = names[where.letters[reply.letter]]
            side = {"Zephyrine": "左边", "Oberonic": "右边"}[arm]
            assert reply.content.startswith(f"{side}说：第{where.dialogue[2:]}段第{where.turn}句")
    for again, original in key.repeats.items():
        assert items[again].context == items[original].context
        assert items[again].replies == items[original].replies


def test_no_sheet_names_an_arm_a_result_a_model_or_the_seed(made, tmp_path) -> None:
    folder = tmp_path / "study"
    assert sheets(made, folder, "--items", "20", "--seed", "987654321") == 0
    key = read_key(folder)
    secret = [*ARMS, "Secretive-7B", "987654321", key.suite_id, r"\bd-\d+\b"]
    secret += [part for arm in key.arms for part in (arm.result_id[:8], arm.arm_id[:8])]
    secret += [read_study(folder).key_sha256[:8], str(made.folder), "adapter"]
    for name, text in readable(folder).items():
        found = [word for word in secret if re.search(word, text, re.IGNORECASE)]
        assert not found, (name, found)
    public = (folder / "study.json").read_text(encoding="utf-8")
    assert not [word for word in secret[:3] if word in public]
    assert not [arm for arm in key.arms if arm.result_id in public or arm.arm_id in public]


def test_letters_orders_and_loads_are_balanced(made, tmp_path) -> None:
    folder = tmp_path / "study"
    assert sheets(made, folder, "--items", "24", "--raters", "6", "--per-item", "3") == 0
    study, key = read_study(folder), read_key(folder)
    first = key.arms[0].result_id
    as_a = sum(item.letters["A"] == first for item in key.items.values())
    assert abs(as_a - 12) <= 2  # attention checks share in the balance
    letters = {i: key.items[key.repeats.get(i, i)].letters for i in (*key.items, *key.repeats)}
    per_item: dict[str, list[bool]] = {}
    for rater in study.raters:
        ahead = []
        for name, order in zip(study.assignments[rater], study.orders[rater], strict=True):
            if name in letters:
                ahead.append(letters[name][order[0]] == first)
                per_item.setdefault(name, []).append(ahead[-1])
        assert abs(2 * sum(ahead) - len(ahead)) <= 3  # 1, and 2 attention checks
    assert all(abs(2 * sum(seen) - len(seen)) <= 1 for seen in per_item.values())
    proper = {r: [i for i in study.assignments[r] if i in key.items] for r in study.raters}
    assert {len(items) for items in proper.values()} == {12}
    shared = [len({*proper[a]} & {*proper[b]}) for a, b in combinations(study.raters, 2)]
    assert min(shared) > 0
    assert max(shared) - min(shared) <= 2
    assert len({study.assignments[r] for r in study.raters}) == 6


def test_repeats_and_checks_look_like_items(made, tmp_path) -> None:
    folder = tmp_path / "study"
    options = ("--items", "18", "--raters", "3", "--repeats", "4", "--attention", "3")
    assert sheets(made, folder, *options) == 0
    study, key = read_study(folder), read_key(folder)
    assert len(key.attention) == 3
    assert {check.scale for check in key.attention.values()} == set(NAMES)
    assert len({check.expected for check in key.attention.values()}) == 3
    assert 3 not in {check.expected for check in key.attention.values()}
    ids = sorted({*key.items, *key.repeats, *key.attention})
    assert ids == [f"i{n:03d}" for n in range(1, len(ids) + 1)]
    # The numbers do not tell either: checks and repeats are not the last ones.
    assert ids[-7:] != sorted({*key.repeats, *key.attention})
    items = shown_items(folder, study)
    drawn = {item.dialogue for item in key.items.values()}
    for name, check in key.attention.items():
        text = {r.letter: r.content for r in items[name].replies}[check.letter]
        label = {scale.name: scale.label for scale in study.scales}[check.scale]
        assert f"“{label['zh']}”上选 {check.expected}" in text
        assert f"choose {check.expected} for “{label['en']}”" in text
        others = [r.content for r in items[name].replies if r.letter != check.letter]
        assert all(re.match("[左右]边说", other) for other in others)
        about = re.search(r"说：第(\d+)段", others[0])
        assert about
        assert f"d-{about.group(1)}" not in drawn  # while other dialogues are left
    for rater in study.raters:
        assigned = study.assignments[rater]
        assert sum(name in key.repeats for name in assigned) == 4
        assert {*key.attention} <= {*assigned}
        for again, original in key.repeats.items():
            assert assigned.index(again) - assigned.index(original) > 6


def test_the_same_inputs_give_the_same_bytes_and_another_seed_others(made, tmp_path) -> None:
    for name, seed in (("a", "3"), ("b", "3"), ("c", "4")):
        assert sheets(made, tmp_path / name, "--items", "10", "--raters", "2", "--seed", seed) == 0
    one, same, other = (everything(tmp_path / name) for name in "abc")
    assert one == same
    assert one.keys() == other.keys()
    assert not [n for n in one if one[n] == other[n] and NOTICE_FILE not in n]


def test_gold_needs_no_store(tmp_path, capsys) -> None:
    made = world(tmp_path / "made")
    made.arm("gold")
    made.arm("Zephyrine", lambda d, t: "我在听。")
    assert sheets(made, tmp_path / "s", "--items", "5", names=("gold", "Zephyrine")) == 0
    study = read_study(tmp_path / "s")
    gold = [r.content for i in shown_items(tmp_path / "s", study).values() for r in i.replies]
    assert any(text.startswith("原来的回应") for text in gold)
    assert "for you alone" in capsys.readouterr().out


def test_missing_replies_name_the_command_that_brings_them_back(tmp_path, capsys) -> None:
    made = world(tmp_path / "made")
    made.arm("gold")
    made.arm("Zephyrine")
    assert sheets(made, tmp_path / "s", names=("gold", "Zephyrine")) == 2
    assert "no such file" in capsys.readouterr().err
    made.arm("Oberonic", lambda d, t: "嗯。")
    assert sheets(made, tmp_path / "s", names=("gold", "Zephyrine")) == 2
    said = capsys.readouterr().err
    assert "Zephyrine: its replies are gone" in said
    assert "rapport run --base ./Zephyrine-folder --data talks.jsonl" in said
    assert not (tmp_path / "s").exists()


def test_an_arm_that_falls_silent_is_reported(tmp_path, capsys) -> None:
    made = world(tmp_path / "made", 12, crisis=2)
    made.arm("gold")
    made.arm("Zephyrine", lambda d, t: " " if d.id in ("d-0", "d-3") else "嗯，我在听你说。")
    options = ("--items", "8", "--raters", "2", "--json")
    assert sheets(made, tmp_path / "s", *options, names=("gold", "Zephyrine")) == 0
    assert "2 turns could not be drawn because Zephyrine" in " ".join(
        json.loads(capsys.readouterr().out)["warnings"]
    )
    assert sheets(made, tmp_path / "t", "--items", "9", names=("gold", "Zephyrine")) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "only 8 dialogues can be rated" in said
    assert "2 with someone at risk are left out (--include-crisis keeps them)" in said
    assert "Zephyrine has no reply at 2 turns" in said


def test_crisis_dialogues_come_only_when_asked_for_and_raters_are_told(
    made, tmp_path, capsys
) -> None:
    assert sheets(made, tmp_path / "a", "--items", "36", "--attention", "0") == 0
    assert sheets(made, tmp_path / "b", "--items", "37") == 2
    assert sheets(made, tmp_path / "b", "--items", "40", "--include-crisis", "--json") == 0
    crisis = {d.id for d in made.dialogues if d.crisis}
    assert not crisis & {item.dialogue for item in read_key(tmp_path / "a").items.values()}
    assert crisis <= {item.dialogue for item in read_key(tmp_path / "b").items.values()}
    for name, told in (("a", False), ("b", True)):
        page = (tmp_path / name / "sheets" / "r01.html").read_text(encoding="utf-8")
        assert (f'"crisis": {str(told).lower()}' in page) is True
        assert ("自伤" in (tmp_path / name / "sheets" / NOTICE_FILE).read_text()) is told
    assert "at risk" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--items", "0"), "--items 0: not from 1"),
        (("--items", "99"), "only 36 dialogues can be rated"),
        (("--raters", "0"), "--raters 0: not from 1"),
        (("--raters", "3", "--per-item", "4"), "--per-item 4: not from 1 to 3"),
        (("--per-item", "0"), "--per-item 0"),
        (("--raters", "9", "--per-item", "1"), "somebody would have nothing to judge"),
        (("--items", "6", "--repeats", "3"), "Use --repeats 2 or fewer"),
        (("--repeats", "-1"), "--repeats -1"),
        (("--attention", "-1"), "--attention -1"),
        (("--study", " "), "not a name"),
        (("--study", "a\nb"), "not a name"),
        (("--study", "x" * 61), "not a name"),
        (("--study", "oberonic-2"), "names the arm 'Oberonic'"),
        (("--result", "Zephyrine"), "is named twice"),
    ],
)
def test_bad_numbers_and_names_are_refused(made, tmp_path, capsys, options, message) -> None:
    arguments = [*made.arguments(*ARMS), "-o", str(tmp_path / "s"), "--items", "8", *options]
    assert _run(arguments) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert message in said
    assert "Traceback" not in said
    assert not (tmp_path / "s").exists()


def test_results_that_cannot_be_set_side_by_side_are_refused(made, tmp_path, capsys) -> None:
    assert sheets(made, tmp_path / "s", names=("Zephyrine",)) == 2
    assert "nothing to be compared with" in capsys.readouterr().err
    other = made.arm("Zephyrine", lambda d, t: "别处", suite="7" * 64)
    pair = ("Oberonic", other.result_id)
    assert sheets(made, tmp_path / "s", names=pair) == 3
    assert "different suites" in capsys.readouterr().err


def test_two_arms_of_one_name_are_refused(made, tmp_path, capsys) -> None:
    one = made.arm("Zephyrine", lambda d, t: "一")
    data = one.to_json() | {"arm": one.to_json()["arm"] | {"arm_id": "f" * 64}}
    from rapport_bench.results.result import save, seal

    data.pop("result_id")
    two = save(seal(data), made.results)[0]
    assert two.result_id != one.result_id
    assert sheets(made, tmp_path / "s", names=(one.result_id, two.result_id)) == 2
    assert "two results are called 'Zephyrine'" in capsys.readouterr().err


def test_a_study_is_never_overwritten(made, tmp_path, capsys) -> None:
    assert sheets(made, tmp_path / "s", "--items", "6") == 0
    before = everything(tmp_path / "s")
    assert sheets(made, tmp_path / "s", "--items", "6", "--seed", "1") == 2
    assert "would lose their key" in capsys.readouterr().err
    assert everything(tmp_path / "s") == before


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize("writes", [1, 4, 9])
def test_sheets_that_are_interrupted_leave_nothing(
    made, tmp_path, monkeypatch, there, writes
) -> None:
    folder = tmp_path / "s"
    if there:
        folder.mkdir()
        (folder / "mine.txt").write_text("x")
    written = []

    def interrupted(*arguments: object, **named: object) -> None:
        written.append(arguments)
        if len(written) == writes:
            raise KeyboardInterrupt
        write_atomically(*arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(sheet_command, "write_atomically", interrupted)
        patch.setattr(study_file, "write_atomically", interrupted)
        assert sheets(made, folder, "--items", "6", "--raters", "3") == 130
    assert len(written) == writes
    assert folder.exists() == there
    assert [p.name for p in folder.glob("*")] == (["mine.txt"] if there else [])
    assert sheets(made, folder, "--items", "6", "--raters", "3") == 0


def test_designs_that_tell_little_are_said(made, tmp_path, capsys) -> None:
    options = ("--items", "6", "--raters", "3", "--per-item", "1", "--json")
    assert sheets(made, tmp_path / "a", *options) == 0
    assert "no item has two raters" in capsys.readouterr().out
    options = ("--items", "2", "--raters", "6", "--per-item", "3", "--json")
    assert sheets(made, tmp_path / "b", *options) == 0
    assert "do not link all raters" in capsys.readouterr().out


def test_replies_that_name_an_arm_or_are_alike_are_counted(tmp_path, capsys) -> None:
    made = world(tmp_path / "made", 12, crisis=0)
    made.arm("Zephyrine", lambda d, t: "我是 secretive 助手，我在听。")
    made.arm("Oberonic", lambda d, t: "我是 secretive 助手，我在听。")
    assert sheets(made, tmp_path / "s", "--items", "6", "--json") == 0
    warnings = json.loads(capsys.readouterr().out)["warnings"]
    assert any(w.startswith("1 replies name an arm or its base model") for w in warnings)
    assert any(w.startswith("6 of 6 items show two replies of the same text") for w in warnings)


def test_several_arms_take_turns(tmp_path) -> None:
    made = two_arms(tmp_path / "made", 20)
    made.arm("gold")
    options = ("--items", "9", "--raters", "3")
    assert sheets(made, tmp_path / "s", *options, names=("gold", *ARMS)) == 0
    study, key = read_study(tmp_path / "s"), read_key(tmp_path / "s")
    assert study.letters == 3
    ahead = Counter(
        key.items[key.repeats.get(name, name)].letters[order[0]]
        for rater in study.raters
        for name, order in zip(study.assignments[rater], study.orders[rater], strict=True)
        if name not in key.attention
    )
    assert max(ahead.values()) - min(ahead.values()) <= 6
