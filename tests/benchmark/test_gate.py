"""The gate on constructed results: its truth table, and that nothing missing ever passes."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from made_results import columns, result
from rapport_bench.cli.main import _run
from rapport_bench.judging.compare import MetricComparison, compare
from rapport_bench.judging.gate import ArmGate, Gate, MetricGate, run_gate
from rapport_bench.judging.gate_policy import Policy, Rule, read_policy
from rapport_bench.results.metrics import BY_NAME
from rapport_bench.results.result import Result, result_id, save
from rapport_bench.statistics.paired import Difference
from rapport_bench.statistics.verdicts import Deciding
from rapport_bench.terminal import gate as gate_report
from rapport_tasks.specs.specification import Task

POLICY = """
[policy]
alpha = 0.05
[metrics.nll_per_token]
direction = "lower"
margin = 0.02
[metrics.aer_share]
direction = "band"
margin = 0.03
[metrics.continuity]
direction = "higher"
margin = 0.02
"""
NLL = '[metrics.nll_per_token]\ndirection = "lower"\nmargin = 0.02\n'


def policy(folder: Path, text: str = POLICY) -> Policy:
    path = folder / "gate.toml"
    path.write_text(text, encoding="utf-8")
    return read_policy(path)


def named(gate: Gate, name: str, arm: int = 0) -> MetricGate:
    return next(m for m in gate.arms[arm].metrics if m.name == name)


def base() -> Result:
    return result("base", columns(1), kind="base")


def without(made: dict, *names: str) -> dict:
    return {name: values for name, values in made.items() if name not in names}


# --- the truth table ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("metrics", "outcome"),
    [
        (["safe"], "pass"),
        (["safe", "safe"], "pass"),
        (["safe", "unsure"], "inconclusive"),
        (["unsure", "problem"], "not comparable"),
        (["problem", "safe"], "not comparable"),
        (["safe", "regressed"], "fail"),
        (["unsure", "regressed", "problem"], "fail"),
        (["safe", "silent"], "fail"),
    ],
)
def test_the_worst_metric_decides(metrics, outcome):
    rule = Rule(BY_NAME["continuity"], margin=0.02)

    def judged(verdict):
        return MetricComparison(rule.metric, Difference(0.0), verdict=verdict)

    kinds = {
        "safe": MetricGate(rule, judged("equivalent"), 0.02, non_inferior=True),
        "unsure": MetricGate(rule, judged("inconclusive"), 0.02),
        "problem": MetricGate(rule, problem="missing"),
        # Silence is held against an arm, whatever its scored part says.
        "silent": MetricGate(rule, judged("regressed (coverage)"), 0.02, non_inferior=True),
        "regressed": MetricGate(rule, judged("regressed"), 0.02),
    }
    arm = ArmGate(base(), tuple(kinds[name] for name in metrics))
    assert arm.outcome == outcome
    with pytest.raises(ValueError, match="empty"):
        ArmGate(base(), ()).outcome  # noqa: B018


def test_an_arm_that_is_nowhere_worse_passes(tmp_path):
    gate = run_gate([result("same", columns(2))], base(), policy(tmp_path))
    assert (gate.outcome, gate.exit_code()) == ("pass", 0)
    assert all(m.non_inferior for m in gate.arms[0].metrics)


def test_one_regressed_metric_fails_the_gate(tmp_path):
    gate = run_gate([result("worse", columns(2, nll=0.05))], base(), policy(tmp_path))
    assert (gate.outcome, gate.exit_code(allow_inconclusive=True)) == ("fail", 1)
    assert named(gate, "nll_per_token").verdict == "regressed"
    assert named(gate, "continuity").outcome == "pass"


def test_too_few_dialogues_are_inconclusive_and_only_that_can_be_allowed(tmp_path):
    few = result("few", columns(1, 8)), result("few too", columns(2, 8, advice=0.34))
    gate = run_gate([few[1]], few[0], policy(tmp_path))
    assert named(gate, "aer_share").outcome == "inconclusive"
    assert gate.outcome == "inconclusive"
    assert (gate.exit_code(), gate.exit_code(allow_inconclusive=True)) == (3, 0)


def test_silence_fails_the_gate(tmp_path):
    gate = run_gate([result("quiet", columns(2, covered=0.7))], base(), policy(tmp_path))
    assert named(gate, "continuity").verdict == "regressed (coverage)"
    assert gate.outcome == "fail"


def test_an_arm_that_scored_nothing_fails_by_coverage_though_it_has_no_value(tmp_path):
    made = columns(2)
    zero = np.zeros_like(made["turns"])
    mute = made | {"continuity_n": zero, "continuity_sum": zero, "copied": made["turns"]}
    gate = run_gate([result("mute", mute)], base(), policy(tmp_path))
    assert named(gate, "continuity").difference.value is None
    assert gate.exit_code(allow_inconclusive=True) == 1


def test_a_value_that_is_undefined_in_both_never_passes(tmp_path):
    zero = np.zeros(60)
    arms = [
        result(name, columns(seed) | {"continuity_n": zero, "continuity_sum": zero})
        for seed, name in ((1, "b"), (2, "c"))
    ]
    gate = run_gate([arms[1]], arms[0], policy(tmp_path))
    assert named(gate, "continuity").outcome == "not comparable"
    assert gate.exit_code(allow_inconclusive=True) == 3


@pytest.mark.parametrize("side", ["candidate", "baseline"])
@pytest.mark.parametrize("column", ["nll_sum", "tokens", "likelihood_turns", "turns"])
def test_a_missing_metric_never_passes(tmp_path, side, column):
    lacking = _result_without(column)
    pair = (lacking, base()) if side == "candidate" else (base(), lacking)
    gate = run_gate([pair[0]], pair[1], policy(tmp_path, NLL))
    assert gate.exit_code(allow_inconclusive=True) == 3
    assert named(gate, "nll_per_token").problem == "missing in lacking"


def _result_without(column: str) -> Result:
    """A sealed result one of whose columns is gone, as from a run without that task."""
    made = result("lacking", columns(2))
    data = made.to_json()
    del data["dialogues"]["columns"][column]
    data["metrics"].pop("nll_per_token", None)
    data["result_id"] = result_id(data)
    return Result.model_validate(data)


def test_a_regression_shows_though_another_metric_is_missing(tmp_path):
    made = without(columns(2, nll=0.05), "gold_advice")
    there = without(columns(1), "gold_advice")
    gate = run_gate([result("c", made)], result("b", there), policy(tmp_path))
    assert named(gate, "aer_share").problem == "no gold replies in b"
    assert gate.outcome == "fail"


def test_another_suite_or_tokenizer_never_passes(tmp_path):
    other = result("other", columns(2), suite="1" * 64)
    gate = run_gate([result("same", columns(2)), other], base(), policy(tmp_path))
    assert [arm.outcome for arm in gate.arms] == ["pass", "not comparable"]
    assert gate.exit_code(allow_inconclusive=True) == 3
    tokens = result("tokens", columns(2), tokenizer="1" * 64)
    gate = run_gate([tokens], base(), policy(tmp_path))
    assert named(gate, "nll_per_token").problem == "different_tokenizer"
    assert gate.outcome == "not comparable"


def test_the_worst_arm_decides(tmp_path):
    good, bad = result("good", columns(2)), result("bad", columns(2, nll=0.05))
    for arms in ([good, bad], [bad, good]):
        assert run_gate(arms, base(), policy(tmp_path)).outcome == "fail"


def test_an_arm_against_itself_passes_with_a_warning(tmp_path):
    gate = run_gate([base()], base(), policy(tmp_path))
    assert gate.outcome == "pass"
    assert "against itself" in gate.arms[0].warnings[0]
    assert named(gate, "nll_per_token").deciding is None


# --- figures ------------------------------------------------------------------------------------


def test_holm_runs_over_the_metrics_of_the_policy_alone(tmp_path):
    candidate = result("c", columns(2, nll=0.003))
    alone = named(run_gate([candidate], base(), policy(tmp_path, NLL)), "nll_per_token")
    assert alone.comparison.p_adjusted == pytest.approx(alone.difference.p_value)
    three = named(run_gate([candidate], base(), policy(tmp_path)), "nll_per_token")
    assert three.comparison.p_adjusted == pytest.approx(
        min(1, compare(candidate, base()).by_name("nll_per_token").p_adjusted)
    )
    assert three.comparison.p_adjusted > alone.comparison.p_adjusted


def test_dialogues_that_decide_follow_from_the_detectable_effect(tmp_path):
    metric = named(run_gate([result("c", columns(2))], base(), policy(tmp_path)), "nll_per_token")
    mde = metric.difference.mde
    assert metric.deciding == Deciding(math.ceil(60 * (mde / 0.02) ** 2), 60)
    assert 1 <= metric.deciding.needed < 60  # and it passes


def test_a_margin_in_percent_is_of_the_baselines_value(tmp_path):
    text = NLL.replace("margin = 0.02", "margin_percent = 2")
    metric = named(
        run_gate([result("c", columns(2))], base(), policy(tmp_path, text)), "nll_per_token"
    )
    assert metric.margin == pytest.approx(base().metrics["nll_per_token"].value * 0.02)
    assert metric.comparison.metric.margin == metric.margin


def test_a_policy_may_have_no_margin_and_metrics_that_have_none_of_their_own(tmp_path):
    text = '[metrics.copied]\ndirection = "lower"\nmargin = 0\n'
    gate = run_gate([result("same", columns(1))], base(), policy(tmp_path, text))
    assert (named(gate, "copied").margin, gate.outcome) == (0, "pass")
    with pytest.raises(ValueError, match="needs a direction and a margin"):
        Task("own", "1", "", (replace(BY_NAME["continuity"], margin=0.0),), "module:record")


def test_a_policy_may_ask_for_less_advice_without_end(tmp_path):
    text = '[metrics.aer_share]\ndirection = "lower"\nmargin = 0.03\n'
    never = result("never", columns(3, advice=0.0))
    assert run_gate([never], base(), policy(tmp_path, text)).outcome == "pass"
    banded = text.replace("lower", "band")
    assert run_gate([never], base(), policy(tmp_path, banded)).outcome == "fail"


def test_the_level_of_the_policy_is_used(tmp_path):
    candidate = result("c", columns(2, nll=0.021))
    usual = named(run_gate([candidate], base(), policy(tmp_path, NLL)), "nll_per_token")
    p = usual.difference.p_value
    assert usual.verdict == "regressed"
    strict = policy(tmp_path, f"[policy]\nalpha = {p / 2!r}\n{NLL}")
    assert named(run_gate([candidate], base(), strict), "nll_per_token").verdict == "inconclusive"


# --- the policy file ----------------------------------------------------------------------------


def test_a_policy_is_read_in_its_order(tmp_path):
    found = policy(tmp_path)
    assert [r.metric.name for r in found.rules] == ["nll_per_token", "aer_share", "continuity"]
    assert [r.metric.direction for r in found.rules] == ["lower", "band", "higher"]
    assert [r.margin for r in found.rules] == [0.02, 0.03, 0.02]
    assert policy(tmp_path, NLL).alpha == 0.05


def test_the_policy_of_the_documentation_is_one(tmp_path):
    page = (Path(__file__).parents[2] / "docs" / "gate.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"^```toml\n(.*?)^```$", page, flags=re.DOTALL | re.MULTILINE)
    assert policy(tmp_path, text) == policy(tmp_path)


BAD_POLICIES = {
    "": "no metric",
    "[metrics]": "no metric",
    "[metrics": "not TOML",
    "[metric.continuity]": "unknown key 'metric'",
    "[policy]\nalhpa = 0.1\n" + NLL: "unknown key 'alhpa'",
    "[policy]\nalpha = 0\n" + NLL: "alpha = 0",
    "[policy]\nalpha = 1.5\n" + NLL: "alpha = 1.5",
    "[policy]\nalpha = true\n" + NLL: "not a number",
    "policy = 3\n" + NLL: "[policy]: not a table",
    "metrics = 3": "[metrics]: not a table",
    "[metrics]\ncontinuity = 3": "[metrics.continuity]: not a table",
    NLL.replace("nll_per_token", "nll_per_tokens"): "unknown metric 'nll_per_tokens'",
    NLL.replace("margin", "magrin"): "unknown key 'magrin'",
    NLL.replace("margin = 0.02", ""): "margin is missing",
    NLL.replace('direction = "lower"', ""): "direction is missing",
    NLL.replace("lower", "lowr"): "direction = 'lowr'",
    NLL.replace("lower", "band"): "no gold band for nll_per_token",
    NLL.replace('"lower"', "[1]"): "direction = a list",
    NLL.replace("0.02", "-0.02"): "margin = -0.02",
    NLL.replace("0.02", "5e-324"): "margin = 4.94066e-324",
    NLL.replace("0.02", "1e308"): "margin = 1e+308",
    NLL.replace("0.02", "1" + "0" * 400): "margin: a whole number beyond 64 bits",
    NLL.replace("0.02", "[" * 900 + "1" + "]" * 900): "nested deeper",
    NLL.replace("0.02", '"我睡不着"'): "margin: a text of 4 characters is not a number",
    NLL.replace("nll_per_token", "'我睡不着'"): "[metrics]: unknown metric a text of 4 characters",
    NLL.replace("0.02", "nan"): "nan is not a finite number",
    NLL.replace("0.02", '"0.02"'): "not a number",
    NLL + "margin_percent = 1": "both margin and margin_percent",
}


@pytest.mark.parametrize("text", BAD_POLICIES)
def test_a_bad_policy_is_refused_with_the_place_and_a_remedy(tmp_path, capsys, text):
    (tmp_path / "gate.toml").write_text(text, encoding="utf-8")
    code = _run(["gate", "--candidate", "c", "--policy", str(tmp_path / "gate.toml"), "--json"])
    error = json.loads(capsys.readouterr().out)["error"]
    assert code == 2
    assert BAD_POLICIES[text] in error["message"]
    assert "gate.toml" in error["message"]
    assert error["remedy"]


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [("nll_per_tokens", "nll_per_token"), ("magrin", "margin"), ("lowr", "lower")],
)
def test_a_slip_in_a_policy_is_answered_with_the_close_match(tmp_path, capsys, wrong, meant):
    text = {"nll_per_tokens": NLL.replace(meant, wrong), "magrin": NLL.replace(meant, wrong)}.get(
        wrong, NLL.replace("lower", wrong)
    )
    (tmp_path / "gate.toml").write_text(text, encoding="utf-8")
    _run(["gate", "--candidate", "c", "--policy", str(tmp_path / "gate.toml")])
    assert f"Did you mean '{meant}'?" in capsys.readouterr().err


# --- the command --------------------------------------------------------------------------------


@pytest.fixture
def gate(tmp_path, monkeypatch, capsys):
    """Saved results and a policy; runs the command, returns exit code, output and errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    policy(tmp_path)
    for made in (base(), result("good", columns(2)), result("bad", columns(2, nll=0.05)),
                 result("other", columns(2), suite="1" * 64)):  # fmt: skip
        save(made, "results")

    def call(*arguments: str) -> tuple[int, str, str]:
        code = _run(["gate", *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def test_exit_codes_and_what_a_person_reads(gate):
    code, out, _ = gate("--candidate", "good", "--baseline", "base")
    assert code == 0
    assert "good against base: ✓ PASS" in out
    for column in ("margin", "non-inferior", "detectable", "dialogues", "(has 60)"):
        assert column in out
    code, out, _ = gate("--candidate", "good", "--candidate", "bad", "--baseline", "base")
    assert code == 1
    assert "bad against base: ▼ FAIL" in out
    code, out, _ = gate("--candidate", "other", "--baseline", "base", "--allow-inconclusive")
    assert code == 3
    assert "different suites" in out.replace("\n", " ")
    assert gate("--candidate", "nobody", "--baseline", "base")[0] == 2
    assert gate("--baseline", "base")[0] == 2
    assert gate("--candidate", "good", "--baseline", "base", "--policy", "no.toml")[0] == 2


def test_json_is_one_object(gate):
    code, out, err = gate("--candidate", "bad", "--baseline", "base", "--json", "--junit", "j.xml")
    envelope = json.loads(out)
    assert (code, envelope["exit_code"], envelope["ok"], err) == (1, 1, False, "")
    data = envelope["data"]
    assert data["outcome"] == "fail"
    row = data["candidates"][0]["metrics"]["nll_per_token"]
    assert (row["verdict"], row["non_inferior"], row["margin"]) == ("regressed", False, 0.02)
    assert row["deciding_dialogues"] >= 1
    assert list(data["policy"]["metrics"]) == ["aer_share", "continuity", "nll_per_token"]


def test_an_unfinished_result_is_incomplete(gate):
    path = next(Path("results").glob("v1/*/*/good@*.json"))
    path.write_text(path.read_text().replace('"complete"', '"running"'))
    assert gate("--candidate", "good", "--baseline", "base", "--allow-inconclusive")[0] == 4
    path.write_text(path.read_text()[:300])
    assert gate("--candidate", str(path), "--baseline", "base")[0] == 2


def test_the_named_baseline_is_used_without_another(gate):
    code, _, err = gate("--candidate", "good")
    assert code == 2
    assert "baselines.toml" in err
    path = next(Path("results").glob("v1/*/*/base@*.json"))
    entry = {"result_id": json.loads(path.read_text())["result_id"], "path": path.relative_to("results")}  # fmt: skip
    text = "".join(f'{key} = "{value}"\n' for key, value in entry.items())
    Path("results/baselines.toml").write_text(f"[baselines.main]\n{text}[baselines.old]\n")
    assert gate("--candidate", "good")[0] == 0
    assert gate("--candidate", "bad", "--baseline-name", "main")[0] == 1
    code, _, err = gate("--candidate", "good", "--baseline-name", "mian")
    assert code == 2
    assert "Did you mean 'main'?" in err
    assert "no result_id" in gate("--candidate", "good", "--baseline-name", "old")[2]
    wrong = text.replace(entry["result_id"], "0" * 64)
    Path("results/baselines.toml").write_text(f"[baselines.main]\n{wrong}")
    assert "not 00000000" in gate("--candidate", "good")[2]
    Path("results/baselines.toml").write_text(f"[baselines.main]\n{text}")
    path.unlink()
    code, _, err = gate("--candidate", "good")
    assert code == 2
    assert "was deleted" in err
    for broken in ("[baselines", "baselines = 3"):
        Path("results/baselines.toml").write_text(broken)
        assert gate("--candidate", "good")[0] == 2


@pytest.mark.parametrize("way", ["up", "link", "absolute"])
def test_a_baseline_outside_the_results_folder_is_refused(gate, tmp_path, way):
    saved, _ = save(result("outside", columns(5)), tmp_path / "elsewhere")
    relative = saved.path.relative_to(tmp_path)
    (tmp_path / "results/link.json").symlink_to(saved.path)
    path = {"up": f"../{relative}", "link": "link.json", "absolute": str(saved.path)}[way]
    entry = f'[baselines.main]\nresult_id = "{saved.result_id}"\npath = "{path}"\n'
    Path("results/baselines.toml").write_text(entry)
    code, _, err = gate("--candidate", "good")
    assert code == 2
    assert "[baselines.main]: its path leads out of results" in err


def blessed() -> dict[str, dict[str, str]]:
    return tomllib.loads(Path("results/baselines.toml").read_text(encoding="utf-8"))["baselines"]


def test_a_blessed_result_is_the_baseline_from_then_on(gate):
    code, out, err = gate("bless", "bad", "--reason", "first", "--blessed-by", "李 雷")
    assert code == 0, err
    assert "main is bad" in out
    assert gate("--candidate", "good")[0] == 0  # better than a bad baseline
    assert gate("bless", "base", "--reason", "x", "--baseline-name", "old")[0] == 0
    code, out, _ = gate("bless", "base", "--reason", "release 3", "--json")
    before = json.loads(out)["data"]["before"]
    assert gate("--candidate", "bad")[0] == 1
    entries = blessed()
    assert entries["main"]["result_id"] == entries["old"]["result_id"] != before
    assert set(entries["main"]) == {"result_id", "path", "blessed_by", "blessed_at", "reason"}
    assert entries["main"]["path"].startswith("v1/made/")
    assert entries["main"]["reason"] == "release 3"


def test_hostile_texts_survive_a_blessing(gate):
    reason = 'a"b\\ \x7f\x00\n[baselines.x]\n🙂\u202e'
    gate("bless", "bad", "--reason", reason, "--blessed-by", reason)
    gate("bless", "base", "--reason", "x", "--baseline-name", "other")
    entries = blessed()
    assert set(entries) == {"main", "other"}
    assert entries["main"]["blessed_by"] == entries["main"]["reason"] == reason


def test_a_bad_blessing_changes_nothing(gate, tmp_path):
    gate("bless", "good", "--reason", "x")
    before = Path("results/baselines.toml").read_bytes()
    saved, _ = save(result("outside", columns(5)), tmp_path / "elsewhere")
    for arguments in (
        ("nobody", "--reason", "x"), ("base", "--reason", " "), ("base",),
        ("base", "--reason", "x", "--baseline-name", "a.b"), (str(saved.path), "--reason", "x"),
    ):  # fmt: skip
        assert gate("bless", *arguments)[0] == 2, arguments
    assert Path("results/baselines.toml").read_bytes() == before
    Path("results/baselines.toml").write_text("[baselines.old]\nblessed_at = 2026-11-22\n")
    assert gate("bless", "base", "--reason", "x")[0] == 2


# --- JUnit and Markdown -------------------------------------------------------------------------


def junit(path: str) -> dict[tuple[str, str], str]:
    root = ElementTree.parse(path).getroot()
    return {
        (case.get("classname"), case.get("name")): case[0].tag for case in root.iter("testcase")
    }


def test_junit_has_a_case_a_metric_and_arm(gate):
    arms = ("good", "bad", "other")
    gate(
        *[w for a in arms for w in ("--candidate", a)], "--baseline", "base", "--junit", "ci/j.xml"
    )
    cases = junit("ci/j.xml")
    assert len(cases) == 9
    assert cases["rapport.gate.good", "nll_per_token"] == "system-out"
    assert cases["rapport.gate.bad", "nll_per_token"] == "failure"
    assert cases["rapport.gate.bad", "continuity"] == "system-out"
    assert cases["rapport.gate.other", "continuity"] == "error"
    root = ElementTree.parse("ci/j.xml").getroot()
    counts = [root.get(k) for k in ("tests", "failures", "errors", "skipped")]
    assert counts == ["9", "1", "3", "0"]
    assert [p.name for p in Path("ci").iterdir()] == ["j.xml"]


def test_inconclusive_cases_are_failures_unless_allowed(tmp_path):
    few = result("few", columns(1, 8)), result("few too", columns(2, 8, advice=0.34))
    gate = run_gate([few[1]], few[0], policy(tmp_path))
    for allowed, tag in ((False, "failure"), (True, "skipped")):
        gate_report.write_junit(gate, tmp_path / "j.xml", allow_inconclusive=allowed)
        assert junit(str(tmp_path / "j.xml"))["rapport.gate.few too", "aer_share"] == tag


HOSTILE = (
    "</testsuite><script>alert(1)</script>", 'a" onload="x', "a\x00\x1bb\nc", "a|b`c*d_e",
    "=1+1", "../../x", "😀" * 60, "\u202egnp", "[x](javascript:1)",
)  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_text(tmp_path, name, capsys):
    found = run_gate([result(name, columns(2))], result(f"{name} 2", columns(1)), policy(tmp_path))
    gate_report.write_junit(found, tmp_path / "j.xml")
    assert len(junit(str(tmp_path / "j.xml"))) == 3
    text = gate_report.markdown(found)
    tables = [line for line in text.split("\n") if line.startswith("|")]
    assert len(tables) == 5
    assert {line.replace("\\|", "").count("|") for line in tables} == {8}
    assert "<script>" not in text
    assert "[x](" not in text
    assert "\u202e" not in text
    gate_report.show(found)
    assert "\x1b" not in capsys.readouterr().out


def test_the_step_summary_is_appended(gate, monkeypatch):
    Path("summary.md").write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    gate("--candidate", "bad", "--baseline", "base")
    text = Path("summary.md").read_text(encoding="utf-8")
    assert text.startswith("before\n## rapport gate: ▼ FAIL")
    assert "| NLL per token ↓ |" in text
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", ".")
    code, _, err = gate("--candidate", "good", "--baseline", "base")
    assert code == 2
    assert "GITHUB_STEP_SUMMARY" in err


def test_the_gate_needs_no_torch(gate):
    code = (
        "import sys; from rapport_bench.cli.main import _run; "
        "assert _run(['gate', '--candidate', 'good', '--baseline', 'base']) == 0; "
        "assert not {'torch', 'transformers', 'lm_eval'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
