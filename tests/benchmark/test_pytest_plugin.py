"""The pytest plugin as the author of an adapter meets it: outcomes, messages, options, xdist, start-up."""

from __future__ import annotations

import importlib
import importlib.metadata
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from made_results import columns, result
from rapport_bench.api import RapportWarning
from rapport_bench.results.baselines import bless
from rapport_bench.results.result import Result, find, result_id, save
from rapport_bench.testing.assertions import InconclusiveWarning, assert_not_regressed
from rapport_tasks.common.errors import BadInput

pytest_plugins = "pytester"
ROOT = Path(__file__).parents[2]
MODULE = "rapport_bench.testing.plugin"
INSTALLED = any(
    entry.value == MODULE for entry in importlib.metadata.entry_points(group="pytest11")
)
LOAD = () if INSTALLED else ("-p", MODULE)
QUIET = ("-p", "no:cacheprovider", "-rA", "--strict-markers", "-Wdefault")
POLICY = '[metrics.nll_per_token]\ndirection = "lower"\nmargin = 0.02\n'

BASE = columns(1)


def saved(folder: Path) -> dict[str, Result]:
    """Results of every kind of outcome, below a folder."""
    without = result("lacking", {k: v for k, v in columns(2).items() if k != "continuity_sum"})
    made = [
        result("base", BASE, kind="base"),
        result("good", columns(2), kind="adapter"),
        result("bad", columns(2, nll=0.05), kind="adapter"),
        result("quiet", columns(2, covered=0.7), kind="adapter"),
        result("other", columns(2), suite="1" * 64),
        result("few", columns(1, 8), suite="2" * 64),
        result("few-too", columns(2, 8, advice=0.34), suite="2" * 64),
        without,
    ]
    return {arm.name: save(arm, folder)[0] for arm in made}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with those results."""
    folder = tmp_path_factory.mktemp("made")
    saved(folder)
    # All modules are imported now, so that a run in this process finds them and leaves them.
    with pytest.warns(RapportWarning):
        assert_not_regressed("base", "base", "continuity", results=str(folder))
    return folder


@pytest.fixture
def session(pytester: pytest.Pytester, made: Path):
    """Run tests with the plugin in a folder that has results."""
    shutil.copytree(made, pytester.path / "results")

    def call(test: str, *arguments: str) -> pytest.RunResult:
        pytester.makepyfile(test_adapter=test)
        # What would import torch in this process could not import it again.
        apart = any(word.startswith("--rapport-base=") for word in arguments)
        run = pytester.runpytest_subprocess if apart else pytester.runpytest_inprocess
        return run(*LOAD, *QUIET, *arguments)

    return call


HOLDS = """
    import pytest
    @pytest.mark.parametrize("metric", ["nll_per_token", "aer_share", "continuity"])
    def test_holds(rapport_result, metric):
        rapport_result.assert_not_regressed(metric)
"""


def failure(done: pytest.RunResult) -> str:
    """What pytest shows of a failure."""
    return "\n".join(line[4:] for line in done.outlines if line.startswith("E   "))


def test_a_candidate_that_holds_up_passes(session) -> None:
    done = session(HOLDS, "--rapport-candidate", "good", "--rapport-baseline", "base")
    done.assert_outcomes(passed=3)
    assert any("rapport: good" in line for line in done.outlines)


def test_a_regression_fails_and_says_what_a_person_needs(session, pytester) -> None:
    done = session(HOLDS, "--rapport-candidate", "bad", "--rapport-baseline", "base")
    done.assert_outcomes(passed=2, failed=1)
    text = failure(done)
    bad, base = (find(name, pytester.path / "results") for name in ("bad", "base"))
    excess = (bad.columns["nll_sum"][i] - base.columns["nll_sum"][i] for i in range(60))
    worst = sorted(enumerate(excess), key=lambda pair: -pair[1])[:3]
    for expected in (
        "nll_per_token: ▼ regressed", "bad 2.28, base 2.23 (lower is better)", "difference +0.0",
        "95 % interval [0.0", "margin 0.020", "Holm-adjusted p < .001",
        "worst dialogues: " + f"d{worst[0][0]} (", "rapport compare bad base --results",
        "look at them: rapport report ", "--candidate bad --baseline base --with-text",
    ):  # fmt: skip
        assert expected in text, expected
    assert re.findall(r"d\d+(?= \()", text) == [f"d{i}" for i, _ in worst]
    # The assertion's own code is nobody's business.
    assert "assertions.py" not in "\n".join(done.outlines[:-8]).replace(text, "")


def test_silence_fails_by_coverage(session) -> None:
    test = 'def test(rapport_result): rapport_result.assert_not_regressed("continuity")'
    done = session(test, "--rapport-candidate=quiet", "--rapport-baseline=base")
    done.assert_outcomes(failed=1)
    assert "regressed (coverage)" in failure(done)
    assert "coverage −0.278" in failure(done)


FEW = 'def test(rapport_result): rapport_result.assert_not_regressed("aer_share")'
FEW_ARMS = ("--rapport-candidate=few-too", "--rapport-baseline=few")


def test_inconclusive_warns_and_fails_only_where_that_is_asked_for(session, pytester) -> None:
    done = session(FEW, *FEW_ARMS)
    done.assert_outcomes(passed=1, warnings=1)
    done.stdout.fnmatch_lines(["*InconclusiveWarning: aer_share: ? inconclusive*"])
    done.stdout.fnmatch_lines(["*dialogues would decide (has 8)*"])
    session(FEW, *FEW_ARMS, "--rapport-strict").assert_outcomes(failed=1)
    session(FEW.replace('")', '", strict=True)'), *FEW_ARMS).assert_outcomes(failed=1)
    lenient = FEW.replace('")', '", strict=False)')
    session(lenient, *FEW_ARMS, "--rapport-strict").assert_outcomes(passed=1, warnings=1)
    pytester.makeini("[pytest]\nrapport_strict = true")
    session(FEW, *FEW_ARMS).assert_outcomes(failed=1)


@pytest.mark.parametrize(
    ("candidate", "expected"),
    [("other", "different suites: "), ("lacking", "missing in lacking")],
)
def test_what_cannot_be_compared_never_passes(session, candidate, expected) -> None:
    test = 'def test(rapport_result): rapport_result.assert_not_regressed("continuity")'
    done = session(test, f"--rapport-candidate={candidate}", "--rapport-baseline=base")
    done.assert_outcomes(failed=1)
    assert expected in failure(done)
    assert "not comparable" in failure(done)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ('"continuty"', "Did you mean 'continuity'?"),
        ('"question_rate"', "direction is missing"),
        ('"order"', "margin is missing"),
        ('"continuity", margin=-1', "margin = -1"),
        ('"continuity", direction="band"', "no gold band for continuity"),
        ('"continuity", margin=float("nan")', "not a number"),
    ],
)
def test_a_slip_in_a_call_is_a_failure_with_the_remedy(session, call, expected) -> None:
    test = f"def test(rapport_result): rapport_result.assert_not_regressed({call})"
    done = session(test, "--rapport-candidate=good", "--rapport-baseline=base")
    done.assert_outcomes(failed=1)
    assert expected in failure(done)
    # Where a test calls is shown, not what was called.
    assert any(line.startswith("test_adapter.py:1: ") for line in done.outlines)
    for inner in ("assertions.py", "gate_policy.py"):
        assert inner not in "\n".join(done.outlines), inner


def test_the_report_command_finds_the_text_where_the_session_said_it_is(session, pytester) -> None:
    arms = ("--rapport-candidate=bad", "--rapport-baseline=base")
    done = session(HOLDS, *arms, "--rapport-data=own words.jsonl", "--rapport-store=kept.sqlite")
    (command,) = (line for line in failure(done).splitlines() if "rapport report" in line)
    words = shlex.split(command)
    assert words[words.index("--data") + 1] == str(pytester.path / "own words.jsonl")
    assert words[words.index("--store") + 1] == str(pytester.path / "kept.sqlite")


def test_paths_may_begin_with_a_home(session, pytester, monkeypatch) -> None:
    monkeypatch.setenv("HOME", str(pytester.path / "home"))
    arms = ("--rapport-candidate=bad", "--rapport-baseline=base")
    done = session(HOLDS, *arms, "--rapport-data=~/words.jsonl", "--rapport-store=~/kept.sqlite")
    (command,) = (line for line in failure(done).splitlines() if "rapport report" in line)
    words = shlex.split(command)
    assert words[words.index("--data") + 1] == str(pytester.path / "home" / "words.jsonl")
    assert words[words.index("--store") + 1] == str(pytester.path / "home" / "kept.sqlite")


def test_a_metric_without_a_margin_of_its_own_takes_the_calls(session) -> None:
    test = (
        "def test(rapport_result):\n"
        '    found = rapport_result.assert_not_regressed("copied", margin=0.05)\n'
        "    assert found.margin == 0.05 and found.verdict == 'equivalent'\n"
    )
    arms = "--rapport-baseline=base"
    session(test, "--rapport-candidate=good", arms).assert_outcomes(passed=1)
    session(test, "--rapport-candidate=quiet", arms).assert_outcomes(failed=1)


# --- without a candidate --------------------------------------------------------------------------

TWO = """
    import pytest
    def test_uses_it(rapport_result): pass
    @pytest.mark.rapport
    def test_marked(): pass
    def test_other(): pass
"""


def test_without_a_candidate_tests_are_skipped_with_the_reason(session) -> None:
    done = session(TWO)
    done.assert_outcomes(passed=1, skipped=2)
    done.stdout.fnmatch_lines(["SKIPPED*no --rapport-candidate: an adapter's folder*"])
    done = session(TWO, "--rapport-require")
    done.assert_outcomes(passed=1, errors=2)


def test_the_marker_selects_what_needs_a_candidate(session) -> None:
    session(TWO, "-m", "not rapport").assert_outcomes(passed=1, deselected=2)
    done = session(TWO, "-m", "rapport")
    done.assert_outcomes(skipped=2, deselected=1)
    assert "rapport: needs --rapport-candidate" in session(TWO, "--markers").stdout.str()


def test_nothing_is_there_where_the_plugin_is_not_loaded(session, pytester) -> None:
    pytester.makepyfile(test_adapter="def test(rapport_result): pass")
    blocked = ("-p", "no:rapport", "-p", f"no:{MODULE}")
    done = pytester.runpytest_inprocess(*blocked, *QUIET)
    done.assert_outcomes(errors=1)
    assert "fixture 'rapport_result' not found" in done.stdout.str()


# --- options --------------------------------------------------------------------------------------


def test_ini_keys_are_defaults_relative_to_their_file(session, pytester) -> None:
    pytester.makeini(
        "[pytest]\nrapport_candidate = bad\nrapport_baseline = base\nrapport_policy = gate.toml"
    )
    (pytester.path / "gate.toml").write_text(POLICY.replace("0.02", "0.2"))
    test = 'def test(rapport_result): assert rapport_result.assert_not_regressed("nll_per_token").margin == .2'
    session(test).assert_outcomes(passed=1)
    done = session(test.replace("== .2", "== .02"), "--rapport-candidate=good")
    done.assert_outcomes(failed=1)  # the policy's margin it is, and the option goes before the key


def test_the_family_of_tests_is_the_policys(session, pytester) -> None:
    text = POLICY + POLICY.replace("nll_per_token", "continuity").replace("lower", "higher")
    (pytester.path / "gate.toml").write_text(text)
    test = (
        "def test(rapport_result):\n"
        '    found = rapport_result.assert_not_regressed("nll_per_token"{})\n'
        "    print('adjusted', found.comparison.p_adjusted / found.difference.p_value)\n"
    )
    arms = ("--rapport-candidate=good", "--rapport-baseline=base")
    alone = session(test.format(""), *arms).stdout.str()
    assert "adjusted 1.0\n" in alone
    both = ("--rapport-policy=gate.toml", *arms)
    # Continuity is equal in both, p 1, and counts; its coverage is equal, and does not.
    factor = re.search(r"adjusted ([\d.]+)", session(test.format(""), *both).stdout.str())
    assert 1 < float(factor[1]) <= 2
    # A call's margin goes before the policy's, and the family stays.
    again = session(test.format(", margin=0.5"), *both).stdout.str()
    assert re.search(r"adjusted ([\d.]+)", again)[1] == factor[1]


def test_a_saved_candidate_is_set_against_the_named_baseline(session, pytester) -> None:
    folder = pytester.path / "results"
    session(HOLDS, "--rapport-candidate=bad").assert_outcomes(errors=3)
    bless(find("base", folder), folder, name="main", blessed_by="x", reason="x")
    bless(find("bad", folder), folder, name="old", blessed_by="x", reason="x")
    session(HOLDS, "--rapport-candidate=bad").assert_outcomes(passed=2, failed=1)
    arms = ("--rapport-candidate=bad", "--rapport-baseline-name=old")
    session(HOLDS, *arms).assert_outcomes(passed=3, warnings=3)  # set against itself
    identity = find("good", folder).result_id
    session(HOLDS, f"--rapport-candidate={identity[:8]}").assert_outcomes(passed=3)
    path = find("good", folder).path.relative_to(pytester.path)
    session(HOLDS, f"--rapport-candidate={path}").assert_outcomes(passed=3)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("--rapport-candidate=god --rapport-baseline=base", "Did you mean 'good'?"),
        ("--rapport-candidate=good --rapport-baseline=bass", "--rapport-baseline: no result 'bass'"),
        ("--rapport-candidate=good --rapport-policy=no.toml", "no.toml: No such file"),
        ("--rapport-candidate=good --rapport-results=nowhere", "Or name an adapter's folder."),
        ("--rapport-candidate=results", "there is no --rapport-base"),
        ("--rapport-candidate=results --rapport-base=x --rapport-limit=few", "'few' is not a valid"),
        ("--rapport-candidate=results --rapport-base=x --rapport-run=--nff", "No such option"),
        ("--rapport-candidate=good --rapport-run='", "--rapport-run: No closing quotation"),
        ("--rapport-candidate=results --rapport-base=nowhere/base", "nowhere/base"),
    ],
)  # fmt: skip
def test_bad_input_is_one_message_without_a_traceback(session, options, expected) -> None:
    done = session("def test(rapport_result): pass", *options.split())
    done.assert_outcomes(errors=1)
    text = done.stdout.str()
    assert expected in text
    assert "Traceback" not in text
    assert "session_results.py" not in text


# --- the plain function -----------------------------------------------------------------------------


def test_the_plain_function_judges_as_the_fixture_does(tmp_path) -> None:
    arms = saved(tmp_path)
    found = assert_not_regressed(arms["good"], "base", "nll_per_token", results=str(tmp_path))
    assert found.verdict == "equivalent"
    with pytest.raises(AssertionError, match="nll_per_token: ▼ regressed"):
        assert_not_regressed(arms["bad"], arms["base"], "nll_per_token")
    assert assert_not_regressed(arms["bad"], arms["base"], "nll_per_token", margin=0.2)
    with pytest.warns(InconclusiveWarning):
        assert_not_regressed(arms["few-too"], arms["few"], "aer_share")
    with pytest.raises(AssertionError, match=r"\? inconclusive"):
        assert_not_regressed(arms["few-too"], arms["few"], "aer_share", strict=True)
    with pytest.raises(BadInput, match="unknown metric") as caught:
        assert_not_regressed(arms["good"], arms["base"], "continuty")
    assert "Did you mean 'continuity'?" in caught.value.__notes__[0]
    (tmp_path / "gate.toml").write_text(POLICY.replace("0.02", "0.2"))
    assert assert_not_regressed(
        arms["bad"], arms["base"], "nll_per_token", policy=tmp_path / "gate.toml"
    )


def test_hostile_names_and_ids_stay_on_their_line() -> None:
    bad = result("a\x1b[31m\n\u202egnp[red]" + "x" * 300, columns(2, nll=0.05))
    data = {
        **bad.to_json(),
        "dialogues": bad.to_json()["dialogues"] | {"id": [f"d{i}\n\x1b]" for i in range(60)]},
    }
    base = result("base", BASE)
    there = {
        **base.to_json(),
        "dialogues": base.to_json()["dialogues"] | {"id": data["dialogues"]["id"]},
    }
    arms = [Result.model_validate(d | {"result_id": result_id(d)}) for d in (data, there)]
    with pytest.raises(AssertionError) as caught:
        assert_not_regressed(*arms, "nll_per_token")
    text = str(caught.value)
    assert not {"\x1b", "\u202e"} & set(text)
    assert len(text.split("\n")) == 6
    assert f"rapport compare {arms[0].result_id[:8]} base" in text


# --- start-up ---------------------------------------------------------------------------------------

HEAVY = {
    "numpy",
    "scipy",
    "torch",
    "transformers",
    "lm_eval",
    "click",
    "rich",
    "filelock",
    "pydantic",
}


def test_the_entry_point_names_the_module() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    module = importlib.import_module(project["entry-points"]["pytest11"]["rapport"])
    assert module.__name__ == MODULE
    assert hasattr(module, "rapport_result")


def test_loading_the_plugin_imports_nothing_heavy(tmp_path) -> None:
    (tmp_path / "test_empty.py").write_text("def test_nothing(): pass\n")
    code = (
        "import sys, pytest\n"
        "assert pytest.main(sys.argv[1:]) == 0\n"
        "print('LOADED', *sorted({name.split('.')[0] for name in sys.modules}))\n"
        "print('OURS', *sorted(name for name in sys.modules if name.startswith('rapport')))\n"
    )
    plain = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-p", "no:timeout")
    done = subprocess.run(
        [sys.executable, "-c", code, *LOAD, *plain, str(tmp_path)],
        capture_output=True, text=True, check=True, cwd=tmp_path,
    )  # fmt: skip
    loaded = re.search("^LOADED (.*)$", done.stdout, re.MULTILINE)[1].split()
    assert "rapport_bench" in loaded
    assert not HEAVY & {*loaded}
    ours = re.search("^OURS (.*)$", done.stdout, re.MULTILINE)[1].split()
    assert ours == ["rapport_bench", "rapport_bench.testing", MODULE]


# --- with a model -------------------------------------------------------------------------------------

COUNTING = """
    import os
    from pathlib import Path
    import rapport_bench.testing.session
    scored = rapport_bench.testing.session._scored
    def note(what):
        with Path(os.environ["NOTES"]).open("a") as file: file.write(what + "\\n")
    def counted(wanted):
        import rapport_bench.arms.loading, rapport_bench.running.run
        real, load = rapport_bench.running.run._evaluate, rapport_bench.arms.loading.LoadedBase.__init__
        def evaluate(*arguments):
            note("scored"); return real(*arguments)
        def loaded(*arguments):
            note("loaded"); return load(*arguments)
        rapport_bench.running.run._evaluate = evaluate
        rapport_bench.arms.loading.LoadedBase.__init__ = loaded
        return scored(wanted)
    rapport_bench.testing.session._scored = counted
"""
WORKERS = """
    import os, pytest
    from conftest import note
    @pytest.mark.parametrize("part", range(4))
    def test_holds(rapport_result, part):
        note("in " + os.environ.get("PYTEST_XDIST_WORKER", "one"))
        assert rapport_result.candidate.name == "mine"
        assert rapport_result.baseline.kind == "base"
        rapport_result.assert_not_regressed("continuity", margin=5)
"""


def test_workers_share_one_run_and_the_next_session_reads_it(
    pytester, models, adapters, data, monkeypatch
) -> None:
    notes = pytester.path / "notes.txt"
    monkeypatch.setenv("NOTES", str(notes))
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)  # this suite's own
    monkeypatch.setenv("RAPPORT_STORE", str(pytester.path / "store.sqlite"))
    pytester.makeconftest(COUNTING)
    pytester.makepyfile(test_adapter=WORKERS)
    options = [
        f"--rapport-candidate=mine={adapters['a']}", f"--rapport-base={models['qwen']}",
        f"--rapport-data={data}", "--rapport-limit=4",
        "--rapport-run=--max-new-tokens 8 --tasks continuity", *LOAD, *QUIET,
    ]  # fmt: skip
    done = pytester.runpytest_subprocess("-n2", "--dist=each", *options)
    done.assert_outcomes(passed=8)
    lines = notes.read_text().split()
    assert lines.count("scored") == 2  # base and adapter, by one of the workers
    assert lines.count("loaded") == 1
    assert {"gw0", "gw1"} <= {*lines}
    notes.unlink()
    pytester.runpytest_subprocess(*options).assert_outcomes(passed=4)
    assert {*notes.read_text().split()} == {"in", "one"}


def test_a_run_that_crashes_is_an_error_in_every_test(
    pytester, adapters, models, monkeypatch
) -> None:
    monkeypatch.setenv("RAPPORT_STORE", str(pytester.path / "store.sqlite"))
    pytester.makeconftest(
        "import rapport_bench.running.run\n"
        "def crash(*_): raise ZeroDivisionError('inside')\n"
        "rapport_bench.running.run._evaluate = crash\n"
    )
    pytester.makepyfile(
        test_adapter="def test_a(rapport_result): pass\ndef test_b(rapport_result): pass"
    )
    options = (f"--rapport-candidate={adapters['a']}", f"--rapport-base={models['qwen']}")
    done = pytester.runpytest_subprocess("-n2", "--dist=each", *options, *LOAD, *QUIET)
    done.assert_outcomes(errors=4)
    text = done.stdout.str()
    assert "ZeroDivisionError: inside" in text
    assert "scoring failed with ZeroDivisionError" in text


def test_the_example_of_the_documentation_runs(session, pytester) -> None:
    page = (ROOT / "docs" / "gate.md").read_text(encoding="utf-8")
    (example,) = [
        block
        for block in re.findall(r"^```python\n(.*?)^```$", page, flags=re.DOTALL | re.MULTILINE)
        if "rapport_result" in block
    ]
    assert len(example.strip().split("\n")) <= 12
    (pytester.path / "gate.toml").write_text(POLICY)
    pytester.makepyfile(test_page=example)
    arms = ("--rapport-baseline=base", "test_page.py")
    done = session("", "--rapport-candidate=good", *arms)
    assert done.parseoutcomes()["passed"] >= 2
    assert "failed" not in done.parseoutcomes()
    assert session("", "--rapport-candidate=bad", *arms).parseoutcomes()["failed"] == 1
