from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zstandard

from rapport_tasks.common.errors import BadInput, Incomplete
from rapport_tasks.dialogues.builtin import EVALUATION_ZH, TRAINING_ZH
from rapport_tasks.dialogues.dialogue import read_dialogues
from rapport_training.prepare import PrepareSettings, Resources, pipeline, prepare
from rapport_training.prepare.settings import load_rules

SAMPLES = Path(__file__).parents[4] / "shared" / "data" / "format_samples"
OUTPUTS = ["card.json", "card.md", "histogram.png", "train.jsonl", "validation.jsonl"]
PLAIN = PrepareSettings(anonymise=False)


def sentences(seed: int, size: int) -> list[str]:
    rng = np.random.default_rng(seed)
    return ["".join(map(chr, rng.integers(0x4E00, 0x9000, 30))) for _ in range(size)]


def dialogue(seed: int, exchanges: int = 2, **more: Any) -> dict[str, Any]:
    texts = sentences(seed, 2 * exchanges)
    messages = [
        {"role": "assistant" if i % 2 else "user", "content": text} for i, text in enumerate(texts)
    ]
    return {"id": seed, "topic": "情绪", "messages": messages, **more}


def write(path: Path, records: Sequence[Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(record, ensure_ascii=False) for record in records]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def removed(card: dict[str, Any]) -> dict[str, dict[str, int]]:
    return {row["stage"]: row["removed"] for row in card["stages"] if row["removed"]}


def test_the_outcome_does_not_hang_on_workers_or_memory(tmp_path: Path) -> None:
    records = [dialogue(n % 90) for n in range(120)]
    source = write(tmp_path / "corpus.jsonl", records)
    settings = PrepareSettings(anonymise=False, validation=0.2)
    prepare([source], tmp_path / "one", settings)
    prepare([source], tmp_path / "two", settings, resources=Resources(2, 256 << 20))
    assert list(contents(tmp_path / "one")) == OUTPUTS
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_every_stage_counts_what_it_removes(tmp_path: Path) -> None:
    good = dialogue(1)
    near = json.loads(json.dumps(dialogue(2, 6)))
    near["messages"][-1]["content"] = sentences(99, 1)[0]
    leak = read_dialogues(EVALUATION_ZH)[0].to_json()
    silent = dialogue(3)
    silent["messages"] = silent["messages"][:1]
    turned = dialogue(4)
    turned["messages"].reverse()
    blank = dialogue(5)
    blank["messages"][1]["content"] = "\u200b"
    linked = dialogue(6)
    linked["messages"][1]["content"] += " https://a.example"
    noisy = json.loads(json.dumps(good))
    noisy["messages"][0]["content"] = f"　{noisy['messages'][0]['content']}！！！\r\n"
    records = [
        good, dialogue(2, 6), near, noisy, silent, turned, blank, linked, leak,
        {"what": 1}, dialogue(7, topic="职场"), dialogue(8, 1), dialogue(9),
    ]  # fmt: skip
    source = write(tmp_path / "情绪.jsonl", records)
    with source.open("a", encoding="utf-8") as file:
        file.write('{"id": 1, "messages": [\n')
    settings = PrepareSettings(
        anonymise=False, topics=("情绪", "婚恋"), min_exchanges=2, validation=0
    )
    card = prepare([source], tmp_path / "out", settings)
    assert removed(card) == {
        "parse": {"not_json": 1, "unknown_format": 1},
        "selection": {"other_topic": 1},
        "structure": {"no_assistant_turn": 1, "too_short": 2},
        "alignment": {"blank_message": 1},
        "quality": {"url": 1},
        "exact duplicates": {"same_text": 1},
        "near-duplicates": {"similar_text": 1},
        "contamination": {"evaluation_dialogue": 1},
    }
    assert card["stages"][0]["in"] == card["records"] == 14
    for before, after in zip(card["stages"], card["stages"][1:], strict=False):
        assert before["out"] == after["in"] == before["in"] - sum(before["removed"].values())
    assert card["stages"][-1]["out"] == card["dialogues"]["total"] == 3
    assert card["unreadable"] == ["情绪.jsonl:10: unknown_format", "情绪.jsonl:14: not_json"]
    kept = read_dialogues(tmp_path / "out" / "train.jsonl")
    assert [d.messages[0].content for d in kept] == [
        record["messages"][0]["content"] for record in (good, dialogue(2, 6), dialogue(9))
    ]
    assert not (tmp_path / "out" / "validation.jsonl").exists()


def roles_of(path: Path) -> list[str]:
    return ["".join(m.role[0] for m in d.messages) for d in read_dialogues(path)]


def test_greetings_are_dropped_and_neighbours_joined_unless_refused(tmp_path: Path) -> None:
    plain, greeted, doubled, silent = (dialogue(n) for n in range(4))
    greeted["messages"].insert(0, {"role": "assistant", "content": "你好，想聊点什么？"})
    doubled["messages"] = [
        {"role": m["role"], "content": part}
        for m in doubled["messages"]
        for part in (m["content"][:15], m["content"][15:])
    ]
    silent["messages"] = [m for m in silent["messages"] if m["role"] == "assistant"]
    source = write(tmp_path / "in.jsonl", [plain, greeted, doubled, silent])
    mended = PrepareSettings(anonymise=False, validation=0)
    card = prepare([source], tmp_path / "mend", mended)
    assert card["changed"] == {"greeting_dropped": 1, "same_role_joined": 1}
    assert removed(card) == {"structure": {"starts_with_assistant": 1}}
    assert roles_of(tmp_path / "mend" / "train.jsonl") == ["uaua"] * 3
    kept = read_dialogues(tmp_path / "mend" / "train.jsonl")
    first = doubled["messages"][0]["content"] + "\n" + doubled["messages"][1]["content"]
    assert kept[1].messages[0].content == greeted["messages"][1]["content"]
    assert kept[2].messages[0].content == first
    strict = PrepareSettings(anonymise=False, validation=0, structure="strict")
    card = prepare([source], tmp_path / "strict", strict)
    assert removed(card) == {"structure": {"roles_do_not_alternate": 1, "starts_with_assistant": 2}}
    assert any("--structure mend" in warning for warning in card["warnings"])


def smiling(seed: int) -> dict[str, Any]:
    record = dialogue(seed)
    record["messages"][1]["content"] += "😊"
    return record


def test_emoji_remove_a_dialogue_or_are_taken_out(tmp_path: Path) -> None:
    lone = dialogue(8)
    lone["messages"][2]["content"] = "👍"  # then two replies are neighbours
    linked = smiling(9)
    linked["messages"][0]["content"] += " https://a.example"
    source = write(tmp_path / "in.jsonl", [*map(smiling, range(7)), lone, linked, dialogue(10)])
    settings = PrepareSettings(anonymise=False, validation=0)
    card = prepare([source], tmp_path / "drop", settings)
    assert removed(card) == {"quality": {"emoji": 8, "url": 1}}
    assert card["rules"] == [
        {"rule": "url", "alone": 1, "no_other": 0},
        {"rule": "emoji", "alone": 9, "no_other": 8},
        {"rule": "few_tokens", "alone": 0, "no_other": 0},
    ]
    [warning] = card["warnings"]
    assert warning.startswith("quality: emoji alone removes 9 of 10 records (90%)")
    assert "--emoji strip" in warning
    shown = (tmp_path / "drop" / "card.md").read_text(encoding="utf-8")
    assert warning in shown
    assert "| emoji | 9 | 8 |" in shown
    card = prepare(
        [source], tmp_path / "strip", PrepareSettings(anonymise=False, validation=0, emoji="strip")
    )
    assert removed(card) == {"quality": {"url": 1}}
    assert card["changed"]["emoji"] == 9
    assert card["warnings"] == []
    kept = read_dialogues(tmp_path / "strip" / "train.jsonl")
    assert [d.messages[0].content for d in kept] == [
        record["messages"][0]["content"] for record in map(dialogue, (*range(7), 8, 10))
    ]
    assert kept[0].messages[1].content == dialogue(0)["messages"][1]["content"]
    assert [m.role for m in kept[7].messages] == ["user", "assistant"]


def test_stripping_keeps_the_fewest_exchanges_that_were_asked_for(tmp_path: Path) -> None:
    lone = dialogue(1)
    lone["messages"][2]["content"] = "👍"
    source = write(tmp_path / "in.jsonl", [lone, dialogue(2)])
    settings = PrepareSettings(anonymise=False, validation=0, emoji="strip", min_exchanges=2)
    assert removed(prepare([source], tmp_path / "a", settings)) == {"quality": {"too_short": 1}}
    strict = PrepareSettings(anonymise=False, validation=0, emoji="strip", structure="strict")
    assert removed(prepare([source], tmp_path / "b", strict)) == {"quality": {"blank_message": 1}}


def test_records_of_no_known_format_are_told_by_their_keys(tmp_path: Path) -> None:
    odd = [{"sentence": "我的秘密", "label": 1, "我的秘密": "x"}] * 3
    source = write(tmp_path / "in.jsonl", odd)
    with pytest.raises(BadInput) as caught:
        prepare([source], tmp_path / "none", PLAIN)
    assert "(parse: unknown_format 3); keys seen: sentence, label, others" in caught.value.message
    assert "ShareGPT" in caught.value.remedy
    assert "秘密" not in caught.value.message + caught.value.remedy
    source = write(tmp_path / "more.jsonl", [*odd, {"text": "x"}, *(dialogue(n) for n in range(9))])
    card = prepare([source], tmp_path / "out", PLAIN)
    assert card["unknown"] == [
        {"keys": ["sentence", "label", "others that may be text"], "records": 3},
        {"keys": ["text"], "records": 1},
    ]
    [warning] = card["warnings"]
    assert warning.startswith("parse: unknown_format removes 4 of 13 records (31%)")
    for name in ("card.json", "card.md"):
        assert "秘密" not in (tmp_path / "out" / name).read_text(encoding="utf-8")


def test_a_table_in_gb18030_is_read_alike_on_any_number_of_workers(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    common = list(
        "我你他的了在不是有这人们上个来到时大地为子中说生国年着就那和要出也得里后自以会家可下而过天去能对"
    )
    cells = ("".join(rng.choice(common, 30)) for _ in range(80))
    source = tmp_path / "表.csv"
    text = "问题,回答\n" + "".join(f"{cell},{next(cells)}\n" for cell in cells)
    source.write_bytes(text.encode("gb18030"))
    card = prepare([source], tmp_path / "one", PLAIN)
    prepare([source], tmp_path / "two", PLAIN, resources=Resources(2, 256 << 20))
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert card["dialogues"]["total"] == 40
    assert card["inputs"][0]["encoding"] == "gb18030"
    assert card["warnings"] == ["表.csv: GB18030, not UTF-8; it was read as that"]


def test_a_name_that_is_no_utf8_is_shown_with_marks(tmp_path: Path) -> None:
    source = tmp_path / os.fsdecode(b"\xff.jsonl")
    write(source, [dialogue(n) for n in range(3)])
    card = prepare([source], tmp_path / "out", PLAIN)
    assert card["inputs"][0]["name"] == "?.jsonl"


def test_cards_hold_no_text_and_no_path(tmp_path: Path) -> None:
    source = write(tmp_path / "deep" / "in.jsonl", [dialogue(n) for n in range(30)] + [{"a": "不"}])
    prepare([source], tmp_path / "out", PLAIN)
    for name in ("card.json", "card.md"):
        text = (tmp_path / "out" / name).read_text(encoding="utf-8")
        assert str(tmp_path) not in text
        assert not any(piece[:6] in text for n in range(30) for piece in sentences(n, 4))


def test_a_folder_gives_topics_by_file_name_and_order(tmp_path: Path) -> None:
    folder = tmp_path / "corpus"
    for number, topic in enumerate(("婚恋", "家庭")):
        records = [dialogue(100 * number + n) for n in range(4)]
        for record in records:
            del record["topic"]
        write(folder / f"{topic}.jsonl", records)
    (folder / "README.md").write_text("no data", encoding="utf-8")
    card = prepare([folder], tmp_path / "out", PLAIN)
    assert [(row["topic"], row["total"]) for row in card["topics"]] == [("婚恋", 4), ("家庭", 4)]
    assert [row["name"] for row in card["inputs"]] == ["婚恋.jsonl", "家庭.jsonl"]
    one = prepare([folder], tmp_path / "one", PrepareSettings(topics=("家庭",), anonymise=False))
    assert one["dialogues"]["total"] == 4


def test_percent_takes_the_same_records_in_any_company(tmp_path: Path) -> None:
    records = [dialogue(n) for n in range(200)]
    settings = PrepareSettings(percent=30, anonymise=False, validation=0)
    first = prepare([write(tmp_path / "a.jsonl", records)], tmp_path / "a", settings)
    second = prepare([write(tmp_path / "b.jsonl", records[::-1])], tmp_path / "b", settings)
    chosen = [
        {d.id for d in read_dialogues(tmp_path / name / "train.jsonl")} for name in ("a", "b")
    ]
    assert chosen[0] == chosen[1]
    assert 40 <= first["dialogues"]["total"] <= 80
    assert first["dialogues"] == second["dialogues"]


def test_compressed_files_are_read_by_their_contents(tmp_path: Path) -> None:
    plain = write(tmp_path / "plain.jsonl", [dialogue(n) for n in range(10)])
    data = plain.read_bytes()
    half = data.index(b"\n", len(data) // 2) + 1
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(data[:half]) + gzip.compress(data[half:]))
    (tmp_path / "b.json").write_bytes(zstandard.compress(data))
    for name in ("a.jsonl.gz", "b.json"):
        out = tmp_path / f"out-{name}"
        assert prepare([tmp_path / name], out, PLAIN)["dialogues"]["total"] == 10
    (tmp_path / "c.gz").write_bytes(gzip.compress(data)[:-20])
    (tmp_path / "d.zst").write_bytes(zstandard.compress(data)[:-20] + b"x" * 20)
    for name in ("c.gz", "d.zst"):
        with pytest.raises(BadInput, match="damaged compressed file"):
            prepare([tmp_path / name], tmp_path / "none", PLAIN)
    assert not (tmp_path / "none").exists()


def test_datasets_opens_the_folder_as_it_is(tmp_path: Path) -> None:
    import datasets

    source = write(tmp_path / "in.jsonl", [dialogue(n) for n in range(40)])
    card = prepare([source], tmp_path / "out", PLAIN)
    loaded = datasets.load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))
    assert {name: len(split) for name, split in loaded.items()} == {
        "train": card["dialogues"]["train"],
        "validation": card["dialogues"]["validation"],
    }
    assert loaded["train"][0]["messages"][0]["role"] == "user"


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        (["corpsu.jsonl"], "corpsu.jsonl: no such file"),
        (["empty"], "no data file"),
        (["corpus.jsonl", "corpus.jsonl"], "named twice"),
        (["blank.jsonl"], "no dialogue is left of 0 records"),
        (["bad.jsonl"], r"no dialogue is left of 2 records \(parse: not_json 2\)"),
    ],
)
def test_bad_sources_are_named(tmp_path: Path, paths: list[str], message: str) -> None:
    write(tmp_path / "corpus.jsonl", [dialogue(1)])
    (tmp_path / "empty").mkdir()
    (tmp_path / "blank.jsonl").write_text("\n", encoding="utf-8")
    (tmp_path / "bad.jsonl").write_text("{a}\n{b}\n", encoding="utf-8")
    with pytest.raises(BadInput, match=message) as caught:
        prepare([tmp_path / path for path in paths], tmp_path / "out", PLAIN)
    assert caught.value.remedy
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "bad",
    [
        {"percent": 0},
        {"percent": 101},
        {"min_exchanges": 0},
        {"near_duplicates": 0.0},
        {"validation": 1.0},
    ],
)
def test_settings_out_of_range_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="out of range"):
        PrepareSettings(**bad)


def test_a_taken_folder_is_never_overwritten(tmp_path: Path) -> None:
    source = write(tmp_path / "in.jsonl", [dialogue(1)])
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine").write_text("x", encoding="utf-8")
    with pytest.raises(BadInput, match="exists already"):
        prepare([source], out, PLAIN)
    assert contents(out) == {"mine": b"x"}


def test_a_failure_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write(tmp_path / "in.jsonl", [dialogue(n) for n in range(5)])

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pipeline, "write_card", full)
    with pytest.raises(Incomplete, match="disk is full"):
        prepare([source], tmp_path / "out", PLAIN)
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


_SLOW = """
import sys, time
from rapport_training.prepare import PrepareSettings, Resources, prepare

def wait(what, done, total):
    print(what, flush=True)
    time.sleep(60)

if __name__ == "__main__":
    prepare([sys.argv[1]], sys.argv[2], PrepareSettings(anonymise=False), resources=Resources(2),
            on_progress=wait)
"""


def test_after_a_kill_the_next_run_starts_clean_and_no_worker_stays(tmp_path: Path) -> None:
    source = write(tmp_path / "in.jsonl", [dialogue(n) for n in range(50)])
    script = tmp_path / "slow.py"
    script.write_text(_SLOW, encoding="utf-8")
    out = tmp_path / "out"
    command = [sys.executable, str(script), str(source), str(out)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(BadInput, match="another process is writing"):
            prepare([source], out, PLAIN)
        process.kill()
    assert not out.exists()
    assert (tmp_path / ".out.unfinished").exists()
    card = prepare([source], out, PLAIN)
    assert card["dialogues"]["total"] == 50
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.jsonl", "out", "slow.py"]
    for _ in range(100):
        try:
            os.killpg(process.pid, signal.SIGCONT)  # harmless; fails when the group is gone
        except ProcessLookupError:
            break
        time.sleep(0.2)
    else:
        os.killpg(process.pid, signal.SIGKILL)
        pytest.fail("workers outlived their parent")


def test_the_built_in_training_dialogues_pass_whole(tmp_path: Path) -> None:
    card = prepare([TRAINING_ZH], tmp_path / "out", PLAIN)
    assert removed(card) == {}
    assert card["dialogues"]["total"] == 104
    assert load_rules().min_tokens == 5


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the format samples are not here")
def test_every_sample_format_is_read(tmp_path: Path) -> None:
    card = prepare([SAMPLES], tmp_path / "out", PrepareSettings(anonymise=False, validation=0))
    assert removed(card)["parse"] == {"not_json": 1}
    assert card["unreadable"] == ["dirty_variants.jsonl:9: not_json"]
    assert len(card["topics"]) >= 13
    sources = {
        json.loads(line)["source"].rpartition(":")[0].rpartition("/")[2]
        for line in (tmp_path / "out" / "train.jsonl").read_text(encoding="utf-8").splitlines()
    }
    assert {"cpsycound_native_ccby4.txt", "cpsycoune_native_ccby4.json"} <= sources
    assert {"emollm_native_mit.json", "smile_native_cc0.json", "情绪.jsonl"} - sources <= {
        "情绪.jsonl"  # the same dialogues stand in the array
    }
