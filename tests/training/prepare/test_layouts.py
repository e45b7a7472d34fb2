"""Files as people have them: records within an object, tables, encodings, one message a row."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from rapport_tasks.common.errors import BadInput
from rapport_training.prepare import records as records_module
from rapport_training.prepare.encoding import decoded
from rapport_training.prepare.formats import Parsed, parse_record
from rapport_training.prepare.framing import read_records
from rapport_training.prepare.transcripts import Messages

DIALOGUES: list[Messages] = [
    [("user", f"我第{n}天没睡好，心里很难过"), ("assistant", f"这{n}天你一定很累")]
    for n in range(1, 7)
]
TURNS = [[{"role": role, "content": text} for role, text in one] for one in DIALOGUES]
RECORDS = [{"messages": one, "topic": "情绪"} for one in TURNS]
PAIRS = [{"question": one[0][1], "answer": one[1][1]} for one in DIALOGUES]


def chunks(data: bytes, size: int = 1 << 20) -> Iterator[bytes]:
    return iter(partial(io.BytesIO(data).read, size), b"")


def parse(
    data: bytes, name: str = "sample", path: Path | None = None, size: int = 1 << 20
) -> list[Parsed]:
    text, _ = decoded(chunks(data, size), name)
    return [parsed for raw in read_records(text, name, path) for parsed in parse_record(raw.data)]


def dumps(value: Any, **how: Any) -> str:
    return json.dumps(value, ensure_ascii=False, **how)


def jsonl(rows: list[Any]) -> str:
    return "".join(dumps(row) + "\n" for row in rows)


def table(rows: list[dict[str, Any]], **how: Any) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), **how)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize(
    ("value", "topic"),
    [
        ({"data": RECORDS}, "情绪"),
        ({"version": "1", "info": {"n": 6}, "test": [], "train": RECORDS[:3], "dev": RECORDS[3:]}, "情绪"),
        ({f"d-{n}": record for n, record in enumerate(RECORDS)}, "情绪"),
        ({"train": {f"d-{n}": record for n, record in enumerate(RECORDS)}}, "情绪"),
        ({f"d-{n}": turns for n, turns in enumerate(TURNS)}, None),
        ({"dialogues": TURNS}, None),
        ({"conversations": RECORDS}, "情绪"),
        ({"data": PAIRS}, None),
        ({"messages": TURNS, "topic": ["情绪"] * 6}, "情绪"),
        ({"question": [p["question"] for p in PAIRS], "answer": [p["answer"] for p in PAIRS]}, None),
    ],
    ids=lambda value: ",".join(value)[:24] if isinstance(value, dict) else str(value),
)  # fmt: skip
def test_records_within_an_object_are_found(
    value: Any, topic: str | None, indent: int | None
) -> None:
    found = parse(dumps(value, indent=indent).encode())
    assert [one.messages for one in found] == DIALOGUES
    assert {one.topic for one in found} == {topic}


@pytest.mark.parametrize("orient", ["columns", "split", "index", "records"])
def test_what_pandas_writes_is_read(orient: Any) -> None:
    text = pd.DataFrame(RECORDS).to_json(orient=orient, force_ascii=False)
    assert parse(text.encode()) == [Parsed(one, "情绪") for one in DIALOGUES]


def test_objects_that_are_one_record_stay_one() -> None:
    psyqa = {"question": "难", "answers": [{"answer_text": "嗯"}], "labels": [{"type": "x"}]}
    history = {"history": TURNS[0], "query": "那么呢", "response": "我在听"}
    for record, count in ((RECORDS[0], 2), (psyqa, 2), (history, 4)):
        [parsed] = parse(dumps(record, indent=1).encode())
        assert len(parsed.messages) == count


def test_wrapped_records_are_read_a_chunk_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records_module, "MAX_RECORD", 8192)
    data = dumps({"data": RECORDS * 100}).encode()
    assert len(parse(data, size=4096)) == 600
    columns = dumps({"messages": {str(n): turns for n, turns in enumerate(TURNS * 100)}}).encode()
    with pytest.raises(BadInput, match="table in columns of more than") as caught:
        parse(columns, size=4096)
    assert "orient='records'" in caught.value.remedy


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (table(PAIRS), "a.csv"),
        (table(PAIRS), "unnamed"),
        (table(PAIRS, delimiter="\t"), "a.tsv"),
        (table(PAIRS, delimiter=";"), "a.csv.gz"),
        ("\ufeff" + table(PAIRS, quoting=csv.QUOTE_ALL), "a.csv"),
        (table(PAIRS).replace("\r\n", "\r"), "a.csv"),
        (table([row | {"": ""} for row in PAIRS]), "a.csv"),
        (table(PAIRS[:3]) + table(PAIRS[3:]), "a.csv"),
        (table([{"messages": dumps(one)} for one in TURNS]), "a.csv"),
        (table([{"id": 1, "messages": repr(one)} for one in TURNS]), "a.csv"),
        (pd.DataFrame({"messages": TURNS}).to_csv(), "a.csv"),
        (table([{"来访者": p["question"], "咨询师": p["answer"]} for p in PAIRS]), "a.csv"),
        (table([{"questionID": 1, "questionText": p["question"], "answerText": p["answer"]} for p in PAIRS]), "a.csv"),
    ],
)  # fmt: skip
def test_tables_are_read_by_their_columns(text: str, name: str) -> None:
    assert [one.messages for one in parse(text.encode(), name)] == DIALOGUES


def test_cells_hold_line_breaks_quotes_and_delimiters() -> None:
    rows = [{"question": 'a "b",\nc', "answer": "d"}] * 2
    assert [one.messages for one in parse(table(rows).encode())] == [
        [("user", 'a "b",\nc'), ("assistant", "d")]
    ] * 2


@pytest.mark.parametrize(
    ("data", "problems"),
    [
        (b"question,answer\na,b,c\na,b\n", ["wrong_number_of_columns", None]),
        (b"question,answer\na\n", ["wrong_number_of_columns"]),
        (b'question,answer\n"a,b\nc,d\n', ["wrong_number_of_columns"]),
    ],
)
def test_damaged_rows_are_reported(data: bytes, problems: list[str | None]) -> None:
    assert [raw.problem for raw in read_records(chunks(data), "a.csv")] == problems


def test_a_quote_that_swallows_a_table_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records_module, "MAX_RECORD", 2000)
    with pytest.raises(BadInput, match=r"a\.csv: row 2: field larger") as caught:
        parse(('question,answer\na,b\n"a,' + "x,y\n" * 2000).encode(), "a.csv")
    assert "quotes" in caught.value.remedy


def test_parquet_is_read_row_by_row(tmp_path: Path) -> None:
    path = tmp_path / "train.parquet"
    more = {"score": float("nan"), "when": pd.Timestamp("2020-01-01")}
    pd.DataFrame([record | more for record in RECORDS]).to_parquet(path)
    found = parse(path.read_bytes(), path.name, path)
    assert found == [Parsed(one, "情绪") for one in DIALOGUES]
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(BadInput, match="no readable Parquet file"):
        parse(path.read_bytes(), path.name, path)


@pytest.mark.parametrize("form", ["rows", "array", "lines"])
def test_messages_with_a_dialogue_id_are_put_together(form: str) -> None:
    rows = [
        {"transcript_id": n, "topic": "情绪", "interlocutor": who, "utterance_text": text}
        for n, one in enumerate(DIALOGUES)
        for who, (_, text) in zip(("client", "therapist"), one, strict=True)
    ]
    text = {"rows": table(rows), "array": dumps(rows), "lines": jsonl(rows)}[form]
    assert parse(text.encode()) == [Parsed(one, "情绪") for one in DIALOGUES]


def test_a_file_of_single_messages_is_one_dialogue() -> None:
    assert [one.messages for one in parse(jsonl(TURNS[0]).encode())] == [DIALOGUES[0]]


@pytest.mark.parametrize(
    ("encoding", "told"),
    [
        ("utf-8-sig", "utf-8"),
        ("gb18030", "gb18030"),
        ("gb2312", "gb18030"),
        ("utf-16", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("utf-32", "utf-32-le"),
    ],
)
@pytest.mark.parametrize("chunk", [1009, 1 << 20])
def test_encodings_are_told_by_the_bytes(encoding: str, told: str, chunk: int) -> None:
    texts = [dumps(RECORDS * 20), jsonl(RECORDS * 20), table(PAIRS * 20)]
    for text in texts[: 2 if encoding == "utf-16-be" else 3]:  # without a mark: JSON alone
        data = text.encode(encoding)
        assert [one.messages for one in parse(data, size=chunk)] == DIALOGUES * 20
        assert decoded(chunks(data, chunk), "x")[1] == told


def test_files_that_were_joined_keep_their_marks_out_of_records() -> None:
    text = "\ufeff" + jsonl(RECORDS[:3]) + "\ufeff" + jsonl(RECORDS[3:])
    assert [one.messages for one in parse(text.encode())] == DIALOGUES


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_damaged_character_costs_its_record_alone(encoding: str) -> None:
    rows = [dumps(record).encode(encoding) for record in RECORDS]
    rows[2] = rows[2].replace("天".encode(encoding), b"\xff\xff")
    stream, told = decoded(chunks(b"\n".join(rows)), "x")
    assert told == encoding
    found = []
    for raw in read_records(stream, "x"):
        try:
            found += [one.messages for one in parse_record(raw.data)]
        except Exception as error:
            found.append(str(error))
    assert found == [*DIALOGUES[:2], "not_utf8", *DIALOGUES[3:]]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"PK\x03\x04rest", "ZIP archive or a work book"),
        (b"\x00\x01\x02\x03", "not text"),
        ("[{}]".encode("utf-16")[:-1], "damaged utf-16"),
    ],
)
def test_what_is_no_text_is_named(data: bytes, message: str) -> None:
    with pytest.raises(BadInput, match=message) as caught:
        list(read_records(decoded(chunks(data), "sample")[0], "sample"))
    assert caught.value.remedy


@pytest.mark.parametrize("encoding", ["cp1252", "big5"])
def test_other_encodings_are_not_taken_for_gb18030(encoding: str) -> None:
    text = {"cp1252": "I’m so tired – don’t “know” why, café", "big5": "我覺得很難過，睡不著覺"}
    assert decoded(chunks(text[encoding].encode(encoding) * 9), "x")[1] == "utf-8"


def test_records_that_lie_on_several_lines_are_no_jsonl() -> None:
    text = "[\n" + ",\n".join(
        '{"dialog": [\n' + ",\n".join(map(dumps, turns)) + "\n]}" for turns in TURNS
    )
    assert [one.messages for one in parse((text + "\n]").encode())] == DIALOGUES
