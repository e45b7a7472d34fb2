"""Result files: where they lie, how they are found, and what is refused."""

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest

from rapport_bench.cli.main import _run
from rapport_bench.results.columns import summarise
from rapport_bench.results.result import (
    Result,
    find,
    load,
    load_all,
    path_of,
    require_comparable,
    result_id,
    save,
    seal,
    slug,
)
from rapport_tasks.common.errors import BadInput, Incomplete, NotComparable

COLUMNS: dict[str, list[float]] = {
    "advice": [2, 0],
    "empathy": [3, 0.5],
    "acted_replies": [2, 1],
    "aer_replies": [2, 1],
    "gold_advice": [1, 0],
    "gold_empathy": [1, 1],
}
CONTENT: dict[str, Any] = {
    "suite": {
        "name": "rapport-zh", "version": "1.0.0", "suite_id": "0" * 64, "data_sha256": "1" * 64,
        "dialogues": 2,
        "tasks": {"rapport_aer": {"version": "1.0", "metric_sha256": "2" * 64}},
        "protocol": {
            "history": "gold", "overlong": "skip",
            "generation": {"method": "greedy", "max_new_tokens": 128, "seeds": [0]},
        },
    },
    "arm": {
        "name": "empathy-r16", "kind": "adapter", "arm_id": "3" * 64,
        "base": {
            "name": "Qwen/Qwen1.5-1.8B", "weights_sha256": "4" * 64, "quantization": "nf4",
            "dtype": "bfloat16",
        },
        "adapter": {
            "weights_sha256": "5" * 64, "config_sha256": "6" * 64, "rank": 16,
            "proof": {"max_logit_change": 1.31, "base_restored_exactly": True},
        },
        "tokenizer_sha256": "7" * 64, "chat_template_sha256": None,
    },
    "numerics": {"device": "cpu", "batch_tokens": 4096},
    "metrics": summarise(COLUMNS),
    "dialogues": {
        "id": ["d-1", "d-2"],
        "group": {"domain": ["情绪", None], "crisis": [False, True]},
        "columns": COLUMNS,
    },
    "unscored": [{"dialogue": "d-2", "turn": 3, "metric": "aer", "reason": "crisis"}],
    "volatile": {"created": "2026-11-22T10:00:00Z"},
}  # fmt: skip


def content(**changes: Any) -> dict[str, Any]:
    """`CONTENT` with nested values changed: ``arm__name="x"``."""
    data = copy.deepcopy(CONTENT)
    for where, value in changes.items():
        *above, key = where.split("__")
        place = data
        for step in above:
            place = place[step]
        place[key] = value
    return data


def result(**changes: Any) -> Result:
    return seal(content(**changes))


def edit(path: Path, **changes: Any) -> None:
    """Change a file behind the program's back."""
    data = json.loads(path.read_text())
    for where, value in changes.items():
        *above, key = where.split("__")
        place = data
        for step in above:
            place = place[step]
        place[key] = value
    path.write_text(json.dumps(data))


# --- saving ------------------------------------------------------------------------------------


def test_a_result_lies_under_suite_base_and_arm(tmp_path):
    saved, new = save(result(), tmp_path)
    assert new
    where = f"v1/rapport-zh/Qwen-Qwen1.5-1.8B/empathy-r16@{saved.result_id[:8]}.json"
    assert saved.path == tmp_path / where
    assert load(saved.path).to_json() == saved.to_json()
    bot = result(arm__name="parrot", arm__kind="bot", arm__base=None, arm__adapter=None)
    assert path_of(bot, tmp_path).parent == tmp_path / "v1" / "rapport-zh" / "reference"


def test_a_base_called_human_is_no_study(tmp_path):
    base = CONTENT["arm"]["base"] or {
        "weights_sha256": "0" * 64,
        "quantization": "none",
        "dtype": "float32",
    }
    made = seal(
        copy.deepcopy(CONTENT) | {"arm": CONTENT["arm"] | {"base": base | {"name": "human"}}}
    )
    assert path_of(made, tmp_path).parent == tmp_path / "v1" / "rapport-zh" / "human-"


def test_an_identical_run_leaves_the_file_untouched(tmp_path):
    first, _ = save(result(), tmp_path)
    before = first.path.read_bytes(), first.path.stat().st_mtime_ns, first.path.stat().st_ino
    again, new = save(result(volatile={"created": "later", "seconds": 99.5}), tmp_path)
    assert not new
    assert before == (
        first.path.read_bytes(), first.path.stat().st_mtime_ns, first.path.stat().st_ino,
    )  # fmt: skip
    assert again.to_json()["volatile"] == CONTENT["volatile"]
    assert len(list(load_all(tmp_path))) == 1


def test_another_result_in_its_place_is_not_overwritten(tmp_path):
    mine = result()
    other, _ = save(result(metrics={}), tmp_path)
    path_of(mine, tmp_path).write_bytes(other.path.read_bytes())
    with pytest.raises(BadInput, match="another result"):
        save(mine, tmp_path)
    assert load(path_of(mine, tmp_path)).result_id == other.result_id


def test_the_identity_ignores_what_changes_from_run_to_run():
    one = result()
    assert one.result_id == result(volatile={}).result_id == result_id(one.to_json())
    for changed in (result(numerics=None), result(arm__name="x"), result(unscored=[])):
        assert changed.result_id != one.result_id


@pytest.mark.parametrize(
    "changes",
    [
        {"arm__kind": "robot"},
        {"metrics__aer_share__value": float("nan")},
        {"dialogues__columns__advice": [1]},
        {"dialogues__group__crisis": [False]},
        {"suite__dialogues": 3},
        {"arm__adapter__proof__base_restored_exactly": False},
        {"dialogues__columns__advice": ["我很累", "text"]},
    ],
)
def test_an_invalid_result_is_never_made(changes):
    with pytest.raises(ValueError, match=r"schema|JSON"):
        result(**changes)


def test_a_results_folder_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(BadInput):
        save(result(), tmp_path / "file")


def test_a_full_disk_leaves_no_half_result(tmp_path, monkeypatch):
    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(Incomplete):
        save(result(), tmp_path)
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


# --- loading -----------------------------------------------------------------------------------


def test_a_result_shows_what_is_in_it(tmp_path):
    loaded = load(save(result(), tmp_path)[0].path)
    assert (loaded.name, loaded.kind, loaded.suite_id) == ("empathy-r16", "adapter", "0" * 64)
    assert loaded.columns["empathy"] == [3, 0.5]
    assert loaded.metrics["aer_share"].value == pytest.approx(2 / 5.5)
    assert loaded.dialogue_ids == ["d-1", "d-2"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"metrics__aer_share__value": 0.1}, "does not match its result_id {id}: edited"),
        ({"metrics__aer_share__value": float("nan")}, "result"),
        ({"arm__name": "better"}, "edited"),
        ({"schema_version": "2.0"}, "schema version 2.0, this program reads 1.0"),
        ({"schema_version": "1.1"}, "schema version 1.1, this program reads 1.0"),
        ({"schema_version": "0.9"}, "not a result: schema_version"),
        ({"metrics__aer_share__n": -1}, "not a result: metrics/aer_share/n"),
        ({"dialogues__columns__advice": [1, 2, 3]}, "columns of lengths"),
        ({"replies": ["text"]}, "not a result: top level"),
    ],
)
def test_a_file_that_was_edited_or_is_of_another_version_is_refused(tmp_path, changes, message):
    path = save(result(), tmp_path)[0].path
    edit(path, **changes)
    with pytest.raises(BadInput, match=re.escape(path.name)) as caught:
        load(path)
    assert message.format(id=result().result_id[:8]) in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dialogues__id": ["d-1", 2]}, "dialogues/id/1"),
        ({"dialogues__id": ["d-1", ""]}, "dialogues/id/1"),
        ({"dialogues__id": ["d-1", "x" * 501]}, "dialogues/id/1"),
        ({"dialogues__id": ["d-1", "d-1"]}, "dialogues/id"),
        ({"dialogues__id": []}, "dialogues/id"),
        ({"dialogues__id": "ab"}, "dialogues/id"),
        ({"dialogues__group__crisis": [True, 1]}, "dialogues/group/crisis/1"),
        ({"dialogues__group__crisis": [False, None]}, "dialogues/group/crisis/1"),
        ({"dialogues__group__domain": [None, "x" * 101]}, "dialogues/group/domain/1"),
        ({"dialogues__group__domain": [None, ["a"]]}, "dialogues/group/domain/1"),
        ({"dialogues__columns__advice": [1, True]}, "dialogues/columns/advice/1"),
        ({"dialogues__columns__advice": [1, "2"]}, "dialogues/columns/advice/1"),
    ],
)
def test_every_entry_of_a_dialogue_is_checked(tmp_path, changes, message):
    """Not all are walked by the schema's validator, which would take too long."""
    path = save(result(), tmp_path)[0].path
    edit(path, **changes)
    with pytest.raises(BadInput, match=f"not a result: {message}: "):
        load(path)


def test_a_result_that_says_it_is_not_complete_is_incomplete(tmp_path):
    path = save(result(), tmp_path)[0].path
    edit(path, status="partial")
    with pytest.raises(Incomplete, match="status is not complete"):
        load(path)


def test_an_edit_that_cannot_change_a_number_is_no_edit(tmp_path):
    path = save(result(), tmp_path)[0].path
    edit(path, volatile={"note": "moved"})
    assert load(path).name == "empathy-r16"


@pytest.mark.parametrize("text", ['{"schema_version": "1.0", ', "", "\xff", "[]", "null", '"1.0"'])
def test_a_broken_file_is_refused(tmp_path, text):
    path = tmp_path / "broken.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(BadInput, match=r"broken\.json: not (JSON|a result)"):
        load(path)
    with pytest.raises(BadInput, match="No such file"):
        load(tmp_path / "missing.json")


# --- finding -----------------------------------------------------------------------------------


def test_a_result_is_found_by_path_id_and_name(tmp_path):
    adapter, _ = save(result(), tmp_path)
    save(result(arm__name="other"), tmp_path)
    references = (str(adapter.path), adapter.result_id, adapter.result_id[:8], "empathy-r16")
    for reference in (*references, adapter.result_id[:12]):
        assert find(reference, tmp_path).result_id == adapter.result_id
    wrong_tail = adapter.result_id[:12] + ("0" if adapter.result_id[12] != "0" else "1")
    with pytest.raises(BadInput, match="no result"):
        find(wrong_tail, tmp_path)


def test_names_that_share_a_file_name_are_told_apart(tmp_path):
    for name in ("a/b", "a b"):
        save(result(arm__name=name), tmp_path)
    assert find("a/b", tmp_path).name == "a/b"
    with pytest.raises(BadInput, match="no result 'a-b'"):
        find("a-b", tmp_path)


def test_a_name_that_several_results_have_is_refused_with_their_ids(tmp_path):
    ids = [save(result(suite__name=suite), tmp_path)[0].result_id[:8] for suite in ("zh-a", "zh-b")]
    with pytest.raises(BadInput, match="2 results are called 'empathy-r16'") as caught:
        find("empathy-r16", tmp_path)
    for name, identity in zip(("zh-a", "zh-b"), ids, strict=True):
        assert f"{identity} ({name})" in str(caught.value)


def test_an_unknown_name_gets_the_nearest_one(tmp_path):
    save(result(), tmp_path)
    with pytest.raises(BadInput, match="no result 'empathy-16'") as caught:
        find("empathy-16", tmp_path)
    assert "'empathy-r16'?" in caught.value.remedy
    with pytest.raises(BadInput, match="no result"):
        find("empathy-r16", tmp_path / "elsewhere")


def test_a_name_is_not_taken_for_the_start_of_another_results_id(tmp_path):
    other, _ = save(result(), tmp_path)
    named, _ = save(result(arm__name=other.result_id[:2]), tmp_path)
    assert find(named.name, tmp_path).result_id == named.result_id


def test_an_empty_reference_names_nothing(tmp_path):
    save(result(), tmp_path)
    with pytest.raises(BadInput, match="no result"):
        find("", tmp_path)


# --- comparing ---------------------------------------------------------------------------------


def test_results_of_one_suite_are_comparable_across_machines_and_bases():
    other = result(arm__name="x", arm__base=None, numerics={"device": "cuda"}, metrics={})
    require_comparable(result(), other)


def test_the_refusal_lists_all_that_differs_and_nothing_else():
    other = result(
        suite__suite_id="f" * 64,
        suite__data_sha256="e" * 64,
        suite__protocol__generation={"method": "greedy", "max_new_tokens": 64, "seeds": [0]},
        suite__tasks={},
    )
    with pytest.raises(NotComparable) as caught:
        require_comparable(result(), other)
    assert caught.value.exit_code == 3
    listed = str(caught.value).split("different suites: ")[1].split("; ")
    assert listed == [
        "data_sha256 111111111111 / eeeeeeeeeeee",
        "protocol.generation.max_new_tokens 128 / 64",
        f"tasks.rapport_aer {CONTENT['suite']['tasks']['rapport_aer']} / None",
    ]


def test_results_over_other_dialogues_are_not_paired():
    with pytest.raises(NotComparable, match="dialogue ids"):
        require_comparable(result(), result(dialogues__id=["d-1", "d-3"]))


# --- names as file names -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Qwen/Qwen1.5-1.8B", "Qwen-Qwen1.5-1.8B"),
        ("../x", "x"),
        ("..", "unnamed"),
        ("", "unnamed"),
        ("🙂🙂", "unnamed"),
        ("🙂 ok", "ok"),
        ("=cmd|'/c calc'!A1", "cmd-c-calc-A1"),
        (".hidden", "hidden"),
        ("-rf", "rf"),
        ("a@b:c\\d\ne\0f", "a-b-c-d-e-f"),
        ("温柔的小鹿 v2", "温柔的小鹿-v2"),
        ("ｆｕｌｌ", "full"),
        ("x" * 300, "x" * 80),
        ("y" * 79 + "--z", "y" * 79),
    ],
)
def test_any_name_is_a_safe_file_name(name, expected):
    assert slug(name) == expected


@pytest.mark.parametrize(
    "name", ["../x", ".hidden", "=cmd", "🙂", "长" * 300, "𠮷" * 300, "名\n行"]
)
def test_a_result_of_any_name_is_saved_below_its_folder_and_found_again(tmp_path, name):
    folder = tmp_path / "results"
    saved, _ = save(result(arm__name=name, arm__base__name=name, suite__name=name), folder)
    assert saved.path.resolve().is_relative_to(folder.resolve() / "v1")
    assert len(saved.path.relative_to(folder).parts) == 4
    assert [r.name for r in load_all(folder)] == [name]
    assert find(name, folder).result_id == saved.result_id


@pytest.mark.parametrize(
    "damage", [lambda text: "{", lambda text: text.replace('"advice": [', '"advice": [9, ', 1)]
)
def test_a_damaged_file_is_named_where_it_may_be_what_is_asked_for(tmp_path, damage):
    good, _ = save(result(), tmp_path)
    bad, _ = save(result(arm__arm_id="8" * 64), tmp_path)
    other, _ = save(result(arm__name="other"), tmp_path)
    bad.path.write_text(damage(bad.path.read_text()))
    assert find("other", tmp_path).to_json() == other.to_json()
    assert find(good.result_id[:8], tmp_path).to_json() == good.to_json()
    for asked in ("empathy-r16", bad.result_id[:8], str(bad.path)):
        with pytest.raises(BadInput, match=re.escape(str(bad.path))) as caught:
            find(asked, tmp_path)
    assert "git" in caught.value.remedy
    with pytest.raises(BadInput) as caught:
        find("empathy-r16", tmp_path)
    assert f"Or ask for {good.result_id[:8]}" in caught.value.remedy


RESEALED = {
    "huge": {"advice": [1e300, 0]},
    "negative": {"advice": [-1, 0]},
    "zero": {"advice": [0, 0], "empathy": [0, 0]},
    "other": {"advice": [1, 0]},
    "short": {"advice": [2]},
    "missing": {"acted_replies": None},
    "volatile": {"volatile": {"seconds": 10**300}},
}


@pytest.mark.parametrize("how", RESEALED)
@pytest.mark.parametrize(
    "command",
    [
        ["compare", "BAD", "other"], ["compare", "other", "BAD"], ["results", "show", "BAD"],
        ["gate", "--candidate", "BAD", "--baseline", "other", "--policy", "gate.toml"],
        ["gate", "--candidate", "other", "--baseline", "BAD", "--policy", "gate.toml"],
        ["leaderboard", "results"], ["report", "results"], ["export", "csv", "results"],
        ["export", "lm-eval", "results", "-o", "out"], ["results", "list", "results"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_resealed_result_is_refused_or_left_out_by_every_command(
    tmp_path, monkeypatch, capsys, command, how
):
    """An honest hash over columns that give other figures, or none, makes no result of them."""
    monkeypatch.chdir(tmp_path)
    policy = '[metrics.aer_share]\ndirection = "higher"\nmargin = 0.02\n'
    Path("gate.toml").write_text(policy)
    save(result(arm__name="other"), "results")
    bad, _ = save(result(), "results")
    data = json.loads(bad.path.read_text())
    changes = dict(RESEALED[how])
    data["volatile"] |= changes.pop("volatile", {})
    columns = data["dialogues"]["columns"] | changes
    data["dialogues"]["columns"] = {k: v for k, v in columns.items() if v is not None}
    data["result_id"] = result_id(data)
    bad.path.unlink()
    path = bad.path.with_name(f"empathy-r16@{data['result_id'][:8]}.json")
    path.write_text(json.dumps(data))
    code = _run([str(path) if word == "BAD" else word for word in command])
    captured = capsys.readouterr()
    assert code == (2 if "BAD" in command else 0), captured.err
    assert path.name in captured.err
