"""`rapport results verify`: what a results repository must not take in, and what it may."""

from __future__ import annotations

import copy
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from made_results import columns
from made_results import result as made_result
from rapport_bench.cli.main import _run
from rapport_bench.common.files import to_json
from rapport_bench.common.identity import digest
from rapport_bench.results.result import Result, result_id, save, seal, slug
from rapport_bench.running.suite import suite_identity
from rapport_bench.validity.saved_report import SavedReport
from rapport_bench.verify import folder as verify_folder

TEXT = "我昨天和妈妈吵了一架，心里一直堵得慌，晚上也睡不着。你能不能告诉我，我到底该怎么办？" * 8
SECRET = "我昨天和妈妈吵了一架"
MADE = {
    "created": "2026-11-22T10:00:00Z",
    "seconds": 81.2,
    "rapport": "0.0.1",
    "git": {"commit": "a" * 40, "dirty": False},
    "command": "rapport run --base Qwen/Qwen1.5-1.8B --adapter ./empathy-r16",
}


def arm(name: str = "empathy-r16", seed: int = 1, **changes: Any) -> Result:
    """A result as `rapport run` makes it: everything in it follows from something."""
    made = made_result(name, columns(seed, 12), kind="adapter")
    data = made.to_json()
    data["suite"]["tasks"] = {"rapport_aer": {"version": "2.0", "metric_sha256": "a" * 64}}
    data["suite"]["suite_id"] = suite_identity(data["suite"])
    data["arm"]["base"] = {
        "name": "Qwen/Qwen1.5-1.8B", "weights_sha256": "1" * 64, "quantization": "nf4",
        "dtype": "bfloat16",
    }  # fmt: skip
    data["arm"]["adapter"] = {
        "weights_sha256": "2" * 64, "config_sha256": "3" * 64, "rank": 16,
        "proof": {"max_logit_change": 1.31, "base_restored_exactly": True},
    }  # fmt: skip
    data["dialogues"]["group"]["domain"] = ["情绪", "婚恋、家庭", None, "work life"] * 3
    data["numerics"] = {"device": "cuda", "torch": "2.13.0+cpu", "batch_tokens": 4096}
    data["unscored"] = [{"dialogue": "d1", "turn": 3, "metric": "aer_share", "reason": "no_acts"}]
    data["volatile"] = copy.deepcopy(MADE)
    for where, value in changes.items():
        put(data, where.split("__"), value)
    return seal(data)


def put(data: Any, where: list[Any], value: Any) -> None:
    for step in where[:-1]:
        data = data[step]
    data[where[-1]] = value


def write(result: Result, root: Path | str = "results") -> Path:
    path = save(result, root)[0].path
    assert path is not None
    return path


def _place(data: dict[str, Any], root: str) -> Path:
    """Where a result belongs that need not be one."""
    base, name = data["arm"]["base"], slug(data["arm"]["name"])
    folder = Path(root) / "v1" / slug(data["suite"]["name"])
    return (
        folder
        / slug(base["name"] if base else "reference")
        / f"{name}@{data['result_id'][:8]}.json"
    )


def forge(change: Callable[[dict[str, Any]], None], root: str = "results") -> Path:
    """A file whose id and place were made to fit a change."""
    data = arm().to_json()
    change(data)
    data["result_id"] = result_id(data)
    path = _place(data, root)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(to_json(data), encoding="utf-8")
    return path


@pytest.fixture
def verify(tmp_path, monkeypatch, capsys):
    """Run the command; returns exit code, problem lines, closing line and standard error."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> tuple[int, list[str], str]:
        capsys.readouterr()
        code = _run(["results", "verify", *map(str, arguments)])
        captured = capsys.readouterr()
        return code, captured.out.splitlines(), captured.err

    return call


def the_problem(outcome: tuple[int, list[str], str]) -> str:
    code, lines, _ = outcome
    assert code == 2, lines
    assert len(lines) == 2, lines
    assert SECRET not in "".join(lines)
    return lines[0]


# --- what may be merged -------------------------------------------------------------------------


def test_a_sound_folder_passes(verify):
    for seed, name in enumerate(("a", "b/c", "🙂", "x" * 300, "=1+1", "<b>", "..", "温柔 小鹿")):
        write(arm(name, seed))
    write(arm("parrot", 9, arm__kind="bot", arm__base=None, arm__adapter=None, numerics=None))
    assert verify() == (0, ["9 files checked, no problem"], "")
    assert verify("results")[0] == 0
    code, out, _ = verify("results", "--json")
    assert (code, json.loads(out[0])["data"]) == (0, {"files": 9, "problems": []})


def test_other_files_beside_the_results_are_named_not_checked(verify):
    write(arm())
    Path("results/README.md").touch()
    Path("results/notes.txt").touch()
    code, lines, err = verify()
    assert (code, lines) == (0, ["1 file checked, no problem"])
    assert err == "warning: not checked: results/notes.txt\n"


def test_what_a_killed_run_left_is_named_and_nothing_more(verify, monkeypatch):
    write(arm())

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", killed)
        patched.setattr(Path, "unlink", lambda *_, **__: None)  # who is killed tidies nothing up
        with pytest.raises(KeyboardInterrupt):
            write(arm("other", 2))
    (left,) = (p for p in Path("results").rglob("*") if p.is_file() and p.name.startswith("."))
    code, lines, err = verify()
    assert (code, lines) == (0, ["1 file checked, no problem"])
    assert err == f"warning: not checked: {left}\n"
    assert _run(["leaderboard", "results"]) == 0


def test_such_a_file_that_git_has_is_a_foreign_one(verify):
    path = write(arm())
    left = path.with_name(f".{path.name[:20]}.abcdefgh")
    left.write_text(SECRET)
    subprocess.run(["git", "init", "--quiet"], check=True)
    assert verify()[0] == 0
    subprocess.run(["git", "add", str(left)], check=True)
    assert f"{left}: a foreign file" in the_problem(verify())


# --- what may not -------------------------------------------------------------------------------


def test_the_policy_beside_the_results_must_be_one_that_gates_read(verify):
    write(arm())
    policy = Path("results/gate.toml")
    policy.write_text('[metrics.continuity]\ndirection = "higher"\nmargin = 0.02\n')
    assert verify()[0] == 0
    policy.write_text('[metrics.continuity]\ndirection = "higher"\n')
    assert "[metrics.continuity]: margin is missing" in the_problem(verify())


def test_no_results_is_an_error_with_a_remedy(verify, tmp_path):
    for argument in ("results", "nowhere.json"):
        code, lines, err = verify(argument)
        assert (code, lines) == (2, [])
        assert "no such file or folder" in err
    (tmp_path / "results" / "v1").mkdir(parents=True)
    code, _, err = verify()
    assert code == 2
    assert "no results" in err
    assert "rapport run" in err


def test_an_edited_file_is_refused(verify):
    path = write(arm())
    data = json.loads(path.read_text())
    data["metrics"]["aer_share"]["value"] = 0.1
    path.write_text(to_json(data))
    problem = the_problem(verify())
    assert problem.startswith(f"{path}: its content does not match its result_id")
    assert "Restore the file from git" in problem


@pytest.mark.parametrize(
    ("where", "value", "said"),
    [
        (["metrics", "aer_share", "value"], 0.1, "aer_share.value is 0.1, not 0.317"),
        (["metrics", "aer_share", "ci"], [0.1, 0.2], "aer_share.ci[0] is 0.1, not 0.25"),
        (["metrics", "aer_share", "ci"], None, "aer_share.ci is undefined, not ["),
        (["metrics", "continuity", "n"], 7, "continuity.n is 7, not"),
        (["metrics", "perplexity", "coverage"], 0.5, "perplexity.coverage is 0.5, not 1"),
        (["metrics", "kindness"], {"value": 1, "se": None, "ci": None, "n": 1, "clusters": 1,
                                   "coverage": 1}, "kindness has no columns"),
        (["dialogues", "columns", "advice"], [0] * 12, "advice_per_100_chars.value is 4.75806, not 0"),
    ],
)  # fmt: skip
def test_figures_that_do_not_follow_from_the_columns_are_refused(verify, where, value, said):
    forge(lambda data: put(data, where, value))
    problem = the_problem(verify())
    assert "its figures do not follow from its columns" in problem
    assert said in problem


def test_last_bits_are_no_difference(verify):
    forge(lambda data: put(data, ["metrics", "aer_share", "value"], data["metrics"]["aer_share"]["value"] * (1 + 1e-9)))  # fmt: skip
    assert verify()[0] == 0


def test_a_metric_left_out_by_this_version_is_refused_by_an_older_one_allowed(verify):
    from importlib.metadata import version

    path = forge(lambda data: data["metrics"].pop("aer_share"))
    assert verify()[0] == 0
    path.unlink()

    def drop(data: dict[str, Any]) -> None:
        del data["metrics"]["aer_share"]
        data["volatile"]["rapport"] = version("rapport-bench")

    forge(drop)
    assert "aer_share is missing" in the_problem(verify())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d["dialogues"]["columns"].pop("acted_replies"), "acted_replies is missing"),
        (
            lambda d: d["dialogues"]["columns"].update(advice=[-1.0] * 12),
            "columns/advice/0: should be greater than or equal to 0",
        ),
        (
            lambda d: d["dialogues"]["columns"].update(tokens=[1e308] * 12),
            "columns/tokens/0: should be less than",
        ),
        (lambda d: d["dialogues"]["columns"].update(tokens=[10**400] * 12), "beyond 64 bits"),
        (lambda d: d["dialogues"]["columns"].update(advice=[1, 2]), "columns of lengths [2, 12]"),
        (lambda d: d["unscored"][0].update(dialogue="d99"), "none of its own"),
        (lambda d: d["suite"].update(data_sha256="9" * 64), "suite_id does not follow"),
        (lambda d: d["suite"]["protocol"]["generation"].update(max_new_tokens=9), "suite_id does"),
        (lambda d: d.update(schema_version="2.0"), "schema version 2.0, this program reads 1.0"),
        (lambda d: d.update(replies=[TEXT]), "top level: a key that does not belong there"),
        (
            lambda d: d["metrics"]["aer_share"].update(value=TEXT),
            "metrics/aer_share/value: should be a valid number",
        ),
        (lambda d: d["arm"].update(kind="bot"), "is not that of kind bot"),
        (lambda d: d["arm"].update(adapter=None), "is not that of kind adapter"),
        (lambda d: d["arm"].update(kind=TEXT), "arm/kind: should be 'base',"),
        (
            lambda d: d["dialogues"]["columns"].update(advice=[TEXT] * 12),
            "columns/advice/0: should be a valid number",
        ),
    ],
)
def test_forged_and_broken_results_are_refused(verify, change, said):
    forge(change)
    assert said in the_problem(verify())


def strings(value: Any, where: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Places of all strings in a value."""
    if isinstance(value, str):
        yield where
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from strings(inner, (*where, key))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from strings(inner, (*where, place))


def objects(value: Any, where: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Places of all objects in a value."""
    if isinstance(value, dict):
        yield where
        for key, inner in value.items():
            yield from objects(inner, (*where, key))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from objects(inner, (*where, place))


def at(data: Any, where: tuple[Any, ...]) -> Any:
    for step in where:
        data = data[step]
    return data


SOUND = arm().to_json()
KEYS_OF_NUMBERS = {("dialogues", "columns")}


@pytest.mark.parametrize("where", sorted({*strings(SOUND)}, key=str), ids=lambda w: "/".join(map(str, w)))  # fmt: skip
def test_no_string_of_a_result_can_hold_a_dialogue(verify, where):
    path = write(arm())
    data = copy.deepcopy(SOUND)
    put(data, list(where), TEXT)
    path.write_text(to_json(data), encoding="utf-8")
    code, lines, err = verify(path)
    assert code in (2, 4), where
    assert SECRET not in "".join([*lines, err])


@pytest.mark.parametrize("where", sorted({*objects(SOUND)}, key=str), ids=lambda w: "/".join(map(str, w)))  # fmt: skip
def test_no_key_of_a_result_can_hold_a_dialogue(verify, where):
    def add(data: dict[str, Any]) -> None:
        there = at(data, where)
        values = list(there.values())
        there[TEXT] = copy.deepcopy(values[0]) if values else 1

    path = forge(add)
    code, lines, err = verify(path)
    assert code == 2, where
    assert SECRET not in "".join([*lines, err])


@pytest.mark.parametrize("label", ["我今天很难过。", "我很难过，真的", "I feel so sad today", "a\nb", "“我”", "好" * 41, "x" * 129, "a\u202eb", "", "d1\n"])  # fmt: skip
def test_an_id_that_reads_like_a_sentence_is_refused(verify, label):
    def rename(data: dict[str, Any]) -> None:
        data["dialogues"]["id"][0] = label

    forge(rename)
    assert "dialogues/id/0" in the_problem(verify())


@pytest.mark.parametrize("label", ["d-1", "train/0001.json#4", "对话12", "3f" * 32, "CHAT 001 a b"])
def test_usual_ids_pass(verify, label):
    def rename(data: dict[str, Any]) -> None:
        data["dialogues"]["id"][0] = label

    forge(rename)
    assert verify()[0] == 0


@pytest.mark.parametrize("name", ["a\nb", "a\x1b[31mb", "x\u202ey", "长" * 301])
def test_a_name_that_is_no_single_line_is_refused(verify, name):
    write(arm(name))
    assert "arm/name" in the_problem(verify())


def test_an_unfinished_result_alone_exits_4(verify):
    path = write(arm())
    path.write_text(path.read_text().replace('"complete"', '"running"'))
    code, lines, _ = verify()
    assert code == 4
    assert "its status is not complete" in lines[0]
    code, lines, _ = verify("--json")
    envelope = json.loads(lines[0])
    assert (code, envelope["ok"], envelope["exit_code"]) == (4, False, 4)
    assert envelope["data"]["problems"][0]["incomplete"] is True
    other = write(arm("other", 2))
    other.write_text("{")
    assert verify()[0] == 2


BROKEN = {
    "cut off": lambda text: text[:300].encode(),
    "empty": lambda text: b"",
    "a list": lambda text: b"[]",
    "BOM": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "not UTF-8": lambda text: text.encode("utf-16"),
    "NaN": lambda text: text.replace('"coverage": 1.0', '"coverage": NaN', 1).encode(),
    "infinity": lambda text: text.replace("1.31", "1e999", 1).encode(),
    "doubled key": lambda text: text.replace(
        '{\n "arm"', '{\n "status": "complete",\n "arm"'
    ).encode(),
    "doubled below": lambda text: text.replace('"rank": 16', '"rank": 8,\n   "rank": 16').encode(),
    "deep": lambda text: b'{"a":' * 100_000,
    "half a pair": lambda text: text.replace("empathy-r16", "\\ud800", 1).encode(),
    "long number": lambda text: text.replace('"rank": 16', '"rank": ' + "9" * 5000).encode(),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_file_that_is_no_honest_json_is_refused(verify, how):
    path = write(arm())
    content = BROKEN[how](path.read_text(encoding="utf-8"))
    assert content != path.read_bytes()
    path.write_bytes(content)
    said = {
        "cut off": "not JSON: Unterminated string", "empty": "not JSON: Expecting value at line 1", "a list": "should be a valid dictionary",
        "BOM": "byte order mark", "not UTF-8": "not UTF-8", "NaN": "NaN is not JSON",
        "infinity": "max_logit_change: inf is not a finite number", "doubled key": "a key stands twice",
        "doubled below": "a key stands twice", "deep": "nested deeper than 50 levels",
        "half a pair": "arm.name: holds an unpaired surrogate", "long number": "beyond 64 bits",
    }  # fmt: skip
    assert said[how] in the_problem(verify())


@pytest.mark.parametrize("how", ["infinity", "deep", "half a pair"])
def test_loading_such_a_file_is_an_error_too_not_a_fault(verify, how, capsys):
    path = write(arm())
    path.write_bytes(BROKEN[how](path.read_text(encoding="utf-8")))
    assert _run(["results", "show", str(path)]) == 2
    assert str(path) in capsys.readouterr().err


def test_a_large_file_is_not_read(verify, monkeypatch):
    path = write(arm())
    with path.open("ab") as file:
        file.truncate(6_000_000)  # sparse
    read = []
    monkeypatch.setattr(verify_folder.Path, "read_text", lambda *a, **k: read.append(a))
    assert "6.0 MB, the limit is 5 MB" in the_problem(verify())
    assert not read
    small = write(arm("b", 2))
    assert "the limit is 0.001 MB" in the_problem(verify(small, "--max-mb", "0.001"))
    assert verify("--max-mb", "0")[0] == 2


def test_links_devices_and_unreadable_files_are_refused(verify, tmp_path, monkeypatch):
    path = write(arm())
    elsewhere = tmp_path / "real.json"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    assert "a symbolic link" in the_problem(verify())
    path.unlink()
    path.symlink_to(tmp_path / "gone")
    assert "a symbolic link" in the_problem(verify(path))
    path.unlink()
    os.mkfifo(path)
    assert "not a regular file" in the_problem(verify())
    path.unlink()
    path.mkdir()
    assert "not a regular file" in the_problem(verify())
    path.rmdir()
    elsewhere.rename(path)

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    assert "cannot be read: Permission denied" in the_problem(verify())


def test_a_folder_that_is_a_link_is_not_followed(verify, tmp_path):
    write(arm())
    (tmp_path / "loop").mkdir()
    Path("results/v1/made/loop").symlink_to(tmp_path)
    assert the_problem(verify()).startswith("results/v1/made/loop: a foreign file")


@pytest.mark.parametrize(
    "place",
    [
        "v1/notes.txt",
        "v1/made/Qwen-Qwen1.5-1.8B/notes.json",
        "v1/made/.hidden",
        "v1/a/b/c/d/e/x@01234567.json",
        "v1/made/human/study.txt",
        "validity/raw.csv",
        "v1/\x1b[31m\u202e\n::error::.json",
    ],
)
def test_foreign_files_are_refused_and_named(verify, place):
    write(arm())
    path = Path("results") / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}")
    problem = the_problem(verify())
    assert "a foreign file. Move it out" in problem
    assert problem.startswith("results/v1/") or problem.startswith("results/validity/raw.csv")
    assert not {"\x1b", "\u202e"} & set(problem)


def test_a_result_at_another_place_is_refused(verify):
    path = write(arm())
    path.rename(path.with_name("better@" + path.name.split("@")[1]))
    problem = the_problem(verify())
    assert f"belongs at {path.relative_to('results')}" in problem


def test_one_content_in_two_files_is_refused(verify):
    path = write(arm())
    copied = path.with_name("zzz@" + path.name.split("@")[1])
    copied.write_text(path.read_text().replace("81.2", "99.9"))  # volatile alone differs
    code, lines, _ = verify()
    assert code == 2
    assert any(f"{copied}: the same content as {path}" in line for line in lines)
    assert lines[-1] == "2 problems in 1 of 2 files"


def test_one_suite_has_one_set_of_dialogues(verify):
    first = write(arm("a", 1))

    def rename(data: dict[str, Any]) -> None:
        data["dialogues"]["id"][5] = "other"

    forge(rename)
    assert f"other dialogues than {first}" in the_problem(verify())


# --- validity reports and baselines -------------------------------------------------------------


@pytest.fixture(scope="module")
def validated(tmp_path_factory) -> Path:
    """What `rapport validate` writes."""
    folder = tmp_path_factory.mktemp("validated")
    labelled = [("你可以试试写日记。", "advice"), ("听起来你很委屈。", "empathy"),
                ("不妨早点睡。", "advice"), ("你觉得呢？", "question")]  # fmt: skip
    lines = [
        json.dumps({"id": str(n), "utterance": u, "label": label})
        for n, (u, label) in enumerate(labelled)
    ]
    (folder / "acts.jsonl").write_text("\n".join(lines) + "\n")
    assert _run(["validate", "acts", str(folder / "acts.jsonl"), "--results", str(folder)]) == 0
    return next((folder / "validity").glob("acts-*.json"))


@pytest.fixture
def report(verify, validated) -> Path:
    path = Path("results/validity") / validated.name
    path.parent.mkdir(parents=True)
    path.write_bytes(validated.read_bytes())
    return path


def test_validity_reports_are_checked(verify, report):
    assert verify() == (0, ["1 file checked, no problem"], "")
    sound = report.read_text()
    data = json.loads(sound)
    data["figures"]["rapport"]["auc"]["value"] = 0.25
    report.write_text(to_json(data))
    assert "its content belongs to the name acts-acts-" in the_problem(verify())
    for where in strings(json.loads(sound)):
        data = json.loads(sound)
        put(data, list(where), TEXT)
        path = report.with_name(f"acts-acts-{digest(data)[:8]}.json")
        path.write_text(to_json(data))
        code, lines, _ = verify(path)
        assert code == 2, where
        assert SECRET not in "".join(lines)
        path.unlink()


@pytest.mark.parametrize("where", [(), ("data",), ("scorer",), ("settings",), ("figures",), ("figures", "rapport"), ("figures", "rapport", "auc"), ("confusion",), ("confusion", "rapport", "advice"), ("data", "labels")])  # fmt: skip
def test_no_key_of_a_validity_report_can_hold_a_dialogue(verify, report, where):
    data = json.loads(report.read_text())
    there = at(data, where)
    there[TEXT] = copy.deepcopy(next(iter(there.values())))
    with pytest.raises(ValidationError):
        SavedReport.model_validate(data)


BASELINE = {
    "blessed_by": "李 雷", "blessed_at": "2026-11-22T10:00:00Z", "reason": "release 3",
}  # fmt: skip


def bless(**changes: Any) -> None:
    path = next(Path("results").glob("v1/*/*/*.json"))
    entry = {"result_id": json.loads(path.read_text())["result_id"],
             "path": path.relative_to("results").as_posix(), **BASELINE, **changes}  # fmt: skip
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in entry.items()]
    Path("results/baselines.toml").write_text("[baselines.main]\n" + "\n".join(lines) + "\n")


def test_a_blessed_baseline_passes(verify):
    path = write(arm())
    assert _run(["gate", "bless", str(path), "--reason", "first", "--blessed-by", "me"]) == 0
    assert verify()[:2] == (0, ["2 files checked, no problem"])
    assert verify("results/baselines.toml")[0] == 0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"path": "v1/made/reference/x@01234567.json"}, "the baseline was deleted"),
        ({"path": "../results/v1/x"}, "leads out of v1"),
        ({"path": "v1/../../../etc/passwd"}, "leads out of v1"),
        ({"path": "/etc/passwd"}, "leads out of v1"),
        ({"path": 3}, "no path or no result_id"),
        ({"blessed_at": 3}, "blessed_at is not one line"),
        ({"result_id": "0" * 64}, "is another result than 00000000"),
        ({"reason": TEXT}, "reason is not one line of up to"),
        ({"reason": "a\nb"}, "reason is not one line of up to"),
        ({"note": "x"}, "a key that does not belong there"),
    ],
)
def test_baselines_must_be_there(verify, changes, said):
    write(arm())
    bless(**changes)
    code, lines, _ = verify()
    assert code == 2
    assert lines[0].startswith("results/baselines.toml: [baselines.main]: ")
    assert said in lines[0]
    assert SECRET not in "".join(lines)


@pytest.mark.parametrize(("text", "said"), [("[baselines", "not TOML"), ("baselines = 3", "not a table"), ("[baselines]\nmain = 3", "not a table"), ("a = " + "[" * 5000, "nested deeper")])  # fmt: skip
def test_a_broken_list_of_baselines_is_refused(verify, text, said):
    write(arm())
    Path("results/baselines.toml").write_text(text)
    assert said in the_problem(verify())


# --- single files, and another kind of file -----------------------------------------------------


def test_single_files_are_checked_as_part_of_their_folder(verify, tmp_path):
    good, bad = write(arm("a", 1)), write(arm("b", 2))
    bad.write_text("{")
    assert verify(good)[:2] == (0, ["1 file checked, no problem"])
    code, lines, _ = verify(good.resolve(), bad)
    assert (code, lines[-1]) == (2, "1 problem in 1 of 2 files")
    Path("results/v1/x.txt").touch()
    assert "a foreign file" in the_problem(verify("results/v1/x.txt"))
    (tmp_path / "x.json").touch()
    code, _, err = verify("x.json")
    assert code == 2
    assert "in no results folder" in err


def test_another_kind_of_file_is_let_in_by_one_pair(verify, monkeypatch):
    write(arm())
    notes = Path("results/v1/made/other/notes.json")
    notes.parent.mkdir()
    notes.write_text('{"ratings": 3}')
    seen = []

    def check(found: Any) -> list[tuple[str, str]]:
        seen.append((str(found.place), found.text))
        return [("no ratings", "Rate.")] if "3" not in found.text else []

    monkeypatch.setattr(
        verify_folder, "CHECKERS", (*verify_folder.CHECKERS, ("v1/*/other/*.json", check))
    )
    assert verify()[0] == 0
    assert seen == [("v1/made/other/notes.json", '{"ratings": 3}')]
    notes.write_text("{}")
    assert the_problem(verify(notes)) == f"{notes}: no ratings. Rate."


# --- git ----------------------------------------------------------------------------------------


@pytest.fixture
def repository(verify, tmp_path, monkeypatch) -> Callable[..., None]:
    """A results repository with one result on ``main`` and a branch; returns git."""
    for key in list(os.environ):
        if key.startswith("GIT_"):
            monkeypatch.delenv(key)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)

    def git(*arguments: str) -> None:
        identity = ("-c", "user.name=x", "-c", "user.email=x@example.org")
        subprocess.run(["git", *identity, *arguments], check=True, capture_output=True)

    git("init", "-q", "-b", "main")
    write(arm("old", 1))
    Path("results/README.md").write_text("old")
    git("add", "."), git("commit", "-qm", "one"), git("checkout", "-qb", "branch")
    return git


def test_added_files_pass_edited_ones_do_not(verify, repository):
    write(arm("new", 2))
    Path("results/README.md").write_text("new")
    assert verify("--base-ref", "main")[0] == 0
    path = next(Path("results").glob("v1/*/*/old@*.json"))
    path.write_text(path.read_text().replace("81.2", "99.9"))  # the check of contents allows it
    assert verify()[0] == 0
    problem = the_problem(verify("--base-ref", "main"))
    assert problem.startswith(f"{path}: edited since main. Restore it from git")
    repository("commit", "-qam", "edit")
    assert "edited since main" in the_problem(verify("--base-ref", "main", "--allow-deletions"))


def test_deleted_files_need_a_flag(verify, repository):
    write(arm("new", 2))
    path = next(Path("results").glob("v1/*/*/old@*.json"))
    path.unlink()
    assert verify()[0] == 0
    assert f"{path}: deleted since main" in the_problem(verify("--base-ref", "main"))
    assert verify("--base-ref", "main", "--allow-deletions")[0] == 0


def test_what_main_got_later_is_no_deletion_of_the_branch(verify, repository):
    repository("checkout", "-q", "main")
    write(arm("later", 3))
    repository("add", "."), repository("commit", "-qm", "two"), repository("checkout", "-q", "branch")  # fmt: skip
    assert verify("--base-ref", "main")[0] == 0


@pytest.mark.parametrize("ref", ["nowhere", "--output=x", "", "main:results"])
def test_an_unknown_revision_is_refused(verify, repository, ref):
    code, _, err = verify(f"--base-ref={ref}")
    assert code == 2
    assert "no such revision" in err
    assert "fetch-depth: 0" in err


def test_a_folder_outside_git_is_refused(verify, monkeypatch, tmp_path):
    write(arm())
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    code, _, err = verify("--base-ref", "main")
    assert code == 2
    assert "not a git repository" in err
    monkeypatch.setenv("PATH", "")
    assert "git cannot be run" in verify("--base-ref", "main")[2]
