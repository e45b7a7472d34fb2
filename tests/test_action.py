"""The GitHub Action: its file is valid, no input reaches a shell as text, its steps do what they say."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from made_results import columns, result
from rapport_bench.results.result import save

ROOT = Path(__file__).parent.parent
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
PAGE = (ROOT / "docs" / "gate.md").read_text(encoding="utf-8")
POLICY = '[metrics.continuity]\ndirection = "higher"\nmargin = 0.02\n'
EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}")


def workflow() -> str:
    blocks = re.findall(r"^```yaml\n(.*?)^```$", PAGE, flags=re.DOTALL | re.MULTILINE)
    (found,) = [block for block in blocks if "\njobs:" in block]
    return str(found)


# --- the file ---------------------------------------------------------------------------------------


def check_schema(schema: str, path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_action_and_the_workflow_are_valid_by_githubs_schemas(tmp_path) -> None:
    check_schema("vendor.github-actions", ROOT / "action.yml")
    (tmp_path / "gate.yml").write_text(workflow(), encoding="utf-8")
    check_schema("vendor.github-workflows", tmp_path / "gate.yml")


def test_the_schema_check_can_fail(tmp_path) -> None:
    broken = (ROOT / "action.yml").read_text(encoding="utf-8").replace("shell: bash", "shel: bash")
    (tmp_path / "action.yml").write_text(broken, encoding="utf-8")
    with pytest.raises(AssertionError, match=r"action\.yml"):
        check_schema("vendor.github-actions", tmp_path / "action.yml")


def test_other_actions_are_pinned_to_commits() -> None:
    """A tag can be moved to other code; the name of a commit cannot."""
    used = re.findall(r"uses: (actions/.*)", (ROOT / "action.yml").read_text("utf-8") + workflow())
    assert len(used) == 4
    assert not [u for u in used if not re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40} # v[\d.]+", u)]


def test_no_expression_is_put_into_a_script() -> None:
    scripts = [step["run"] for step in STEPS if "run" in step]
    assert len(scripts) >= 6
    assert not [script for script in scripts if "${{" in script]


def test_every_variable_of_a_script_is_given_to_it() -> None:
    given = {"RUNNER_TEMP", "GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STEP_SUMMARY"}
    for step in STEPS:
        used = set(re.findall(r"\$\{?([A-Z][A-Z_]+)\b", step.get("run", "")))
        used -= set(re.findall(r"^\s*([A-Z_]+)=", step.get("run", ""), flags=re.MULTILINE))
        assert used <= given | set(step.get("env", {})), step["name"]


def test_expressions_name_inputs_and_steps_that_exist() -> None:
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    used = set(re.findall(r"inputs\.([\w-]+)", text))
    assert used == set(ACTION["inputs"])  # and no input that nothing reads
    identities = {step["id"]: step.get("run", "") for step in STEPS if "id" in step}
    for step, output in re.findall(r"steps\.([\w-]+)\.outputs\.([\w-]+)", text):
        assert f"{output}=" in identities[step], (step, output)


def test_the_outcome_comes_last_and_always() -> None:
    assert STEPS[-1]["name"] == "Outcome"
    assert STEPS[-1]["if"] == "always()"
    uploads = [step for step in STEPS if "upload-artifact" in step.get("uses", "")]
    assert uploads
    assert uploads[0]["if"].startswith("always()")


def test_the_workflow_of_the_documentation_uses_the_action_as_it_is() -> None:
    found = yaml.safe_load(workflow())
    (job,) = found["jobs"].values()
    (used,) = [step for step in job["steps"] if "rapport" in step.get("uses", "")]
    assert set(used["with"]) <= set(ACTION["inputs"])
    required = {name for name, given in ACTION["inputs"].items() if given.get("required")}
    assert required <= set(used["with"])
    assert found["permissions"] == {"contents": "read"}  # nothing is written to the repository


# --- its steps, run as GitHub would -----------------------------------------------------------------


class Runner:
    """Enough of GitHub's runner: expressions, conditions, outputs, path; actions are noted, not run."""

    def __init__(self, folder: Path, **inputs: str) -> None:
        known = ACTION["inputs"]
        unknown = set(inputs) - {name.replace("-", "_") for name in known}
        assert not unknown
        self.folder = folder
        defaults = {name: str(given.get("default", "")) for name, given in known.items()}
        given = {name: inputs.get(name.replace("-", "_"), text) for name, text in defaults.items()}
        self.values = {f"inputs.{name}": text for name, text in given.items()} | {
            "github.action_path": str(ROOT),
            "github.token": "token",
            "github.repository": "owner/name",
            "github.event_name": "pull_request",
            "github.event.pull_request.number": "7",
            "github.event.pull_request.base.sha": "",
            "runner.os": "Linux",
        }
        self.path = [str(folder / "bin"), *os.environ["PATH"].split(os.pathsep)]
        self.used: list[dict[str, Any]] = []
        self.ran: list[str] = []
        self.log = ""
        self.code = 0

    def value(self, expression: str) -> str:
        """The first operand of ``a || b`` that is not empty."""
        for operand in expression.split("||"):
            operand = operand.strip()
            literal = re.fullmatch("'(.*)'", operand)
            found = literal[1] if literal else self.values.get(operand, "")
            if found:
                return found
        return ""

    def holds(self, condition: str) -> bool:
        """Comparisons joined by ``&&`` or by ``||``; without ``always()`` only while nothing failed."""
        always = "always()" in condition
        if self.code and not always:
            return False
        joins = all if "||" not in condition else any
        parts = [p for p in re.split(r"&&|\|\|", condition) if p.strip() not in ("", "always()")]
        return joins(map(self._compares, parts))

    def _compares(self, part: str) -> bool:
        left, sign, right = re.fullmatch(r"\s*(\S+) (==|!=) (\S+)\s*", part).groups()
        return (self.value(left) == self.value(right)) is (sign == "==")

    def filled(self, text: str) -> str:
        return EXPRESSION.sub(lambda found: self.value(found[1]), text)

    def run(self) -> Runner:
        for step in STEPS:
            if not self.holds(step.get("if", "")):
                continue
            self.ran.append(step["name"])
            if "uses" in step:
                filled = {key: self.filled(str(text)) for key, text in step["with"].items()}
                self.used.append({"uses": step["uses"], **filled})
                continue
            code = self._script(step)
            if "id" in step:
                self.values[f"steps.{step['id']}.outcome"] = "failure" if code else "success"
            self.code = self.code or code
        return self

    def _script(self, step: dict[str, Any]) -> int:
        files = {name: self.folder / f"github_{name.lower()}" for name in ("OUTPUT", "PATH")}
        for file in files.values():
            file.write_text("")
        environment = {
            **os.environ,
            **{name: self.filled(text) for name, text in step.get("env", {}).items()},
            "PATH": os.pathsep.join(self.path),
            "RUNNER_TEMP": str(self.folder / "temp"),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary.md"),
            **{f"GITHUB_{name}": str(file) for name, file in files.items()},
        }
        script = self.folder / "step.sh"
        script.write_text(step["run"], encoding="utf-8")
        shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)]
        done = subprocess.run(
            shell, cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        self.log += done.stdout + done.stderr
        for line in files["OUTPUT"].read_text(encoding="utf-8").splitlines():
            name, _, text = line.partition("=")
            self.values[f"steps.{step['id']}.outputs.{name}"] = text
        self.path = [*files["PATH"].read_text().split(), *self.path]
        return done.returncode

    def output(self, name: str) -> str:
        return self.filled(ACTION["outputs"][name]["value"])


def executable(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/usr/bin/env bash\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


@pytest.fixture
def repository(tmp_path):
    """A checkout with a policy and saved results, and `rapport` on PATH."""
    executable(tmp_path / "bin/rapport", f'exec {sys.executable} -m rapport_bench "$@"')
    executable(tmp_path / "bin/gh", f'printf "%s\\n" "$@" >{tmp_path}/gh.txt')
    (tmp_path / "gate.toml").write_text(POLICY)
    for name, made in (
        ("base", columns(1)),
        ("good", columns(2)),
        ("bad", columns(2, covered=0.7)),
    ):
        save(result(name, made, kind="base" if name == "base" else "adapter"), tmp_path / "results")
    save(result("few", columns(1, 8), suite="2" * 64), tmp_path / "results")
    worse = columns(2, 8)
    worse["continuity_sum"] = worse["continuity_sum"] - [0, 0, 0, 0, 0, 0, 0, 0.9]
    save(result("few too", worse, suite="2" * 64), tmp_path / "results")

    git(tmp_path, "init", "--quiet", "--initial-branch=main")

    def act(event: str = "pull_request", **inputs: str) -> Runner:
        runner = Runner(tmp_path, **{"version": "installed"} | inputs)
        runner.values["github.event_name"] = event
        runner.values["github.event.pull_request.base.sha"] = act.base
        return runner.run()

    act.folder = tmp_path
    act.base = commit(tmp_path)
    return act


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=x", "-c", "user.email=x", "-c", "commit.gpgsign=false")
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def commit(folder: Path) -> str:
    """Commit policy and results as they are; the name of the commit."""
    git(folder, "add", "--all", "gate.toml", "results")
    git(folder, "commit", "--quiet", "--message", "x")
    return git(folder, "rev-parse", "HEAD")


def summary(act: Any) -> str:
    return (act.folder / "summary.md").read_text(encoding="utf-8")


def test_a_saved_candidate_passes(repository) -> None:
    done = repository(candidate="good", baseline="base")
    assert (done.code, done.output("outcome"), done.output("exit-code")) == (0, "pass", "0")
    assert "## rapport gate: ✓ PASS" in summary(repository)
    assert done.ran == ["Check inputs", "Gate", "Summary", "Keep results", "Outcome"]
    assert re.fullmatch("[0-9a-f]{64}", done.output("candidate-id"))
    assert re.fullmatch("[0-9a-f]{64}", done.output("baseline-id"))
    assert ElementTree.parse(done.output("junit")).getroot().get("failures") == "0"
    assert not (repository.folder / "gh.txt").exists()


def test_a_regression_fails_after_everything_is_kept(repository) -> None:
    done = repository(candidate="bad", baseline="base", comment="true")
    assert (done.code, done.output("outcome")) == (1, "fail")
    assert "▼ FAIL" in summary(repository)
    (upload,) = [use for use in done.used if "upload-artifact" in use["uses"]]
    kept = [Path(line) for line in upload["path"].split()]
    assert Path("results") in kept
    assert all((repository.folder / path).exists() for path in kept)
    assert done.ran[-2:] == ["Keep results", "Outcome"]
    asked = (repository.folder / "gh.txt").read_text().split("\n")
    assert asked[:3] == ["pr", "comment", "7"]
    assert Path(asked[asked.index("--body-file") + 1]).read_text() == summary(repository)


def test_an_undecided_candidate_passes_only_where_that_is_allowed(repository) -> None:
    arms = {"candidate": "few too", "baseline": "few"}
    assert repository(**arms).code == 3
    done = repository(**arms, allow_inconclusive="true")
    assert (done.code, done.output("outcome"), done.output("exit-code")) == (0, "inconclusive", "0")


def test_an_adapter_is_scored_beside_its_base(repository, models, adapters, data) -> None:
    done = repository(
        candidate=f"mine={adapters['noop']}", base=str(models["qwen"]), data=str(data), limit="4",
        run_options="--max-new-tokens=8\n\n--tasks\ncontinuity", cache="true", results="out",
    )  # fmt: skip
    assert (done.code, done.output("outcome")) == (0, "pass"), done.log
    assert "### mine" in summary(repository)
    found = {p.name.split("@")[0] for p in (repository.folder / "out").glob("v1/*/*/*.json")}
    assert found == {"base", "mine"}
    (cache,) = [use for use in done.used if "cache" in use["uses"]]
    assert (Path(cache["path"]) / "responses.sqlite").is_file()
    assert cache["key"].startswith(cache["restore-keys"].strip())
    assert re.fullmatch(r"rapport-Linux-[0-9a-f]{16}-[0-9a-f]{16}", cache["key"])


def test_the_key_of_the_cache_follows_what_is_asked_and_what_answers(repository) -> None:
    one, other = repository.folder / "one", repository.folder / "other"
    for folder in (one, other):
        folder.mkdir()
        (folder / "weights").write_text(folder.name)
    check = [step for step in STEPS if step.get("id") == "check"]

    def keys(**inputs: str) -> tuple[str, str]:
        runner = Runner(repository.folder, **{"candidate": "one", "base": "b"} | inputs)
        runner.values["github.event_name"] = "push"
        assert runner._script(check[0]) == 0
        return tuple(runner.values[f"steps.check.outputs.{name}"] for name in ("asked", "answered"))

    first = keys()
    assert first == keys()
    assert keys(candidate="other")[0] == first[0]
    assert keys(candidate="other")[1] != first[1]
    for changed in ({"base": "c"}, {"limit": "3"}, {"run_options": "--nf4"}, {"data": "gate.toml"}):
        assert keys(**changed)[0] != first[0]
        assert keys(**changed)[1] == first[1]


LENIENT = '[metrics.nll_per_token]\ndirection = "lower"\nmargin = 9.0\n'


def test_a_pull_request_cannot_weaken_its_own_gate(repository) -> None:
    """Its policy is not read, nor the baseline that it puts in the place of the blessed one."""
    folder = repository.folder
    blessed = [sys.executable, "-m", "rapport_bench", "gate", "bless", "base", "--reason", "x"]
    subprocess.run(blessed, cwd=folder, check=True, capture_output=True)
    repository.base = commit(folder)
    (folder / "gate.toml").write_text(LENIENT)
    subprocess.run([*blessed[:5], "bad", *blessed[6:]], cwd=folder, check=True, capture_output=True)
    (base,) = (folder / "results").glob("v1/*/*/base@*.json")
    (bad,) = (folder / "results").glob("v1/*/*/bad@*.json")
    base.unlink()
    commit(folder)
    named = {"candidate": "bad", "baseline": ""}
    assert repository(**named).code == 1
    assert repository(candidate="bad", baseline="base").code == 1
    assert repository(candidate="bad", baseline=str(base.relative_to(folder))).code == 1
    found = repository(**named, policy_from="checkout")
    assert (found.code, found.output("outcome")) == (0, "pass")
    assert found.output("baseline-id")[:8] == bad.stem[-8:]


def test_outside_a_pull_request_the_checkout_judges(repository) -> None:
    (repository.folder / "gate.toml").write_text(LENIENT)
    arms = {"candidate": "bad", "baseline": "base"}
    assert repository(event="push", **arms).code == 0
    assert repository(event="pull_request", **arms).code == 1


def test_the_base_branch_is_fetched_where_the_checkout_is_shallow(repository, tmp_path) -> None:
    folder = repository.folder
    git(folder, "branch", "--quiet", "trunk")
    (folder / "gate.toml").write_text(LENIENT)
    commit(folder)
    shallow = tmp_path / "shallow"
    git(folder, "clone", "--quiet", "--depth=1", "--branch=main", folder.as_uri(), str(shallow))
    git(folder, "config", "uploadpack.allowAnySHA1InWant", "true")
    shutil.copytree(folder / "bin", shallow / "bin")
    runner = Runner(shallow, version="installed", candidate="bad", baseline="base")
    runner.values["github.event.pull_request.base.sha"] = repository.base
    assert runner.run().code == 1, runner.log
    assert "▼ FAIL" in (shallow / "summary.md").read_text(encoding="utf-8")


def test_pull_request_target_is_refused_before_anything_runs(repository) -> None:
    done = repository(event="pull_request_target", candidate="good", baseline="base")
    assert (done.code, done.ran) == (2, ["Check inputs", "Outcome"])
    assert "use on: pull_request" in done.log


@pytest.mark.parametrize(
    ("inputs", "code", "expected"),
    [
        ({"candidate": ""}, 2, "candidate is empty"),
        ({"candidate": "nowhere", "base": "embedded"}, 2, "candidate is no folder: nowhere"),
        ({"candidate": "good", "limit": "few"}, 2, "limit is not a number"),
        ({"candidate": "good", "version": "1;touch x"}, 2, "version is not a version"),
        ({"candidate": "good", "allow_inconclusive": "yes"}, 2, "true or false, not yes"),
        ({"candidate": "god", "baseline": "base"}, 2, "Did you mean 'good'?"),
        ({"candidate": "good", "baseline": "base", "policy": "no.toml"}, 2, "has no no.toml"),
        ({"candidate": "good", "policy_from": "fork"}, 2, "base or checkout, not fork"),
        ({"candidate": "good", "baseline": "gold"}, 2, "no result 'gold'"),
        ({"candidate": "results", "base": "embedded"}, 2, "no adapter_config.json"),
        (
            {"candidate": "good", "baseline": "few", "allow_inconclusive": "true"},
            3,
            "NOT COMPARABLE",
        ),
    ],
)
def test_bad_input_fails_with_a_message(repository, inputs, code, expected) -> None:
    done = repository(**inputs)
    assert done.code == code
    assert expected in done.log
    assert done.output("outcome") in ("error", "not comparable")
    if "Gate" in done.ran or "Score the adapter and its base" in done.ran:
        assert expected in summary(repository)


def test_inputs_are_never_run(repository) -> None:
    hostile = '$(touch hit)`touch hit`"; touch hit; #\n::error::x'
    names = ("candidate", "baseline", "policy", "results", "baseline_name")
    assert repository(**dict.fromkeys(names, hostile)).code == 2
    one_line = hostile.replace("\n", " ")
    assert repository(**dict.fromkeys(names, one_line)).code == 2
    assert repository(policy_from="checkout", **dict.fromkeys(names, one_line)).code == 2
    assert repository(candidate="good", baseline_name=hostile).code == 2
    (repository.folder / hostile.split("\n")[0].replace("/", "")).mkdir()
    done = repository(
        candidate=hostile.split("\n")[0], base=hostile, limit="1", run_options=hostile, cache="true"
    )
    assert done.code == 2
    assert not (repository.folder / "hit").exists()
    assert not [line for line in done.log.split("\n") if line.startswith("::error::")]


@pytest.mark.parametrize(
    ("version", "asked"), [("", "--no-deps"), ("0.1.0", "rapport-bench==0.1.0")]
)
def test_the_version_that_is_asked_for_is_installed(repository, version, asked) -> None:
    folder = repository.folder
    record = f'printf "%s\\n" "$@" >>{folder}/pip.txt; [[ "$*" != *cpu.lock ]]'
    executable(folder / "bin/python", f'mkdir -p "$3/bin"; cp {folder}/bin/pip "$3/bin/python"')
    executable(folder / "bin/pip", record)
    done = repository(candidate="good", baseline="base", version=version)
    assert done.code == 0, done.log
    installed = (folder / "pip.txt").read_text()
    assert asked in installed
    hashed = "--no-deps\n--require-hashes\n--requirement\n"
    for lock in ("requirements-cpu.lock", "requirements.lock"):
        assert (f"{hashed}{ROOT}/.ci/../{lock}" in installed) is (version == "")
    assert "requirements-torch.lock" not in installed
    assert done.path[0].endswith("rapport-gate/venv/bin")
    assert any("setup-python" in use["uses"] for use in done.used)
    shutil.rmtree(folder / "temp")
