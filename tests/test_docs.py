"""The documentation stays true: commands, output, options, examples and figures are those of the program."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml

from rapport_bench.cli.main import _run, cli
from rapport_bench.results.metrics import BY_NAME, CONFIRMATORY
from rapport_bench.results.result import load_all
from rapport_tasks.acts.classifier import RuleActClassifier
from rapport_tasks.common.record import REASONS
from shown import DOCS, ENGLISH, PAGES, PAIRS, ROOT, Shown, agrees, blocks, command_lines, shown

LINES = [(page, line) for page in PAGES for line in command_lines(page)]
RAPPORT = sorted({line for _, line in LINES if line.startswith("rapport ")})


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


# --- commands and options ------------------------------------------------------------------------


def _commands(group: click.Group = cli, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        yield (*path, name)
        if isinstance(command, click.Group):
            yield from _commands(command, (*path, name))


def test_every_command_is_shown() -> None:
    words = [tuple(line.split()) for line in RAPPORT]
    for command in _commands():
        assert any(line[1 : 1 + len(command)] == command for line in words), command


@pytest.mark.parametrize("line", RAPPORT)
def test_command_lines_are_valid(line: str) -> None:
    arguments = shlex.split(re.split(r" \| | > ", line)[0])[1:]
    command: click.Command = cli
    while isinstance(command, click.Group) and arguments and arguments[0] in command.commands:
        command = command.commands[arguments.pop(0)]
    assert command is not cli
    assert command.make_context(command.name, arguments).params


def _script(path: str):
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_option_is_on_the_page_of_options_and_says_what_it_does() -> None:
    made = _script("benchmark/make_options.py")
    assert made.PAGE.read_text(encoding="utf-8") == made.page(), (
        "run: python benchmark/make_options.py"
    )
    for path in _commands():
        command: click.Command = cli
        for word in path:
            command = command.commands[word]
        silent = [p.opts for p in command.params if isinstance(p, click.Option) and not p.help]
        assert not silent, f"{' '.join(path)}: {silent} say nothing"


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = {line.split()[1] for _, line in LINES if line.startswith("make ")}
    assert {"demo", "test"} <= targets
    assert all(f"\n{target}:" in makefile for target in targets)


def test_scripts_exist() -> None:
    named = {word for _, line in LINES for word in line.split() if word.endswith(".py")}
    told = re.findall(r"`python ([\w/.]+\.py)", "".join(p.read_text("utf-8") for p in PAGES))
    own = {
        word for word in {*named, *told} if word.startswith(("benchmark/", "tasks/", "training/"))
    }
    assert own
    assert all((ROOT / word).is_file() for word in own)


def test_the_stock_command_names_the_group() -> None:
    stock = [line for _, line in LINES if line.startswith("lm_eval run")]
    assert any('--include_path "$(rapport tasks --path)" --tasks rapport' in line for line in stock)


# --- what a block holds --------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_blocks_are_of_kinds_that_are_checked(page: Path) -> None:
    kinds = {block.language for block in blocks(page)}
    allowed = {"bash", "console", "python", "json", "toml", "yaml", "bibtex"}
    assert kinds <= allowed | ({"text"} if page.name == "options.md" else set())
    for block in blocks(page):
        if block.language == "json":
            for line in block.text.strip().split("\n"):
                json.loads(line)
        if block.language == "toml":
            tomllib.loads(block.text)
        if block.language == "yaml":
            yaml.safe_load(block.text)


RUN = [PAIRS[0][0], *ENGLISH]
"""Pages whose blocks are run; the Chinese ones show the same, as a test below asserts."""


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that looks like the checkout to the commands of the documentation."""
    shutil.copytree(ROOT / "results", tmp_path / "results")
    for folder in ("benchmark", "tasks", "tests"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("RAPPORT_STORE", str(tmp_path / "responses.sqlite"))
    return tmp_path


def _printed(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    if command.startswith("rapport ") and not set("|>;&$") & set(command):
        capsys.readouterr()
        code = _run(shlex.split(command)[1:])
        said = capsys.readouterr()
        assert code in (0, 1, 2, 3), said.err
        return said.out + (said.err if code == 2 else "")
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("page", [page for page in RUN if list(shown(page))], ids=name)
def test_the_output_shown_is_what_the_commands_print(
    page: Path, world: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for block in shown(page):
        for command in block.commands:
            printed = _printed(command, capsys)
        assert agrees(block.output, printed), f"{page.name}: {block.commands[-1]} prints\n{printed}"


@pytest.mark.parametrize(
    "command",
    [
        "coverage.py --bootstrap-replications 500 --clusters 26 --only 'share .35'",
        "human.py --draws 3000 --only 'difference .2, no tastes'",
    ],
)
def test_rows_of_the_simulations_are_what_the_scripts_print(command: str) -> None:
    """All of them take minutes; rows do not depend on each other."""
    script = [sys.executable, *shlex.split(f"benchmark/simulations/{command}")]
    done = subprocess.run(script, cwd=ROOT, capture_output=True, text=True, check=True)
    rows = [line for line in done.stdout.split("\n") if line.startswith("| ")][1:]
    page = (DOCS / "simulations.md").read_text(encoding="utf-8").split("\n")
    assert rows
    assert set(rows) <= set(page)


def test_another_output_is_found() -> None:
    block = Shown(("x",), "one\n[more: left out here]\nlast 0.5\n")
    assert agrees(block.output, "one  \n\ntwo\nthree\nlast 0.5")
    assert agrees(block.output, "one\nlast 0.5")
    for printed in ("one\nlast 0.6", "one\ntwo\nlast 0.5\nand more", "none\nlast 0.5"):
        assert not agrees(block.output, printed)


@pytest.mark.parametrize("page", [page for page in RUN if blocks(page, "python")], ids=name)
def test_python_blocks_run(page: Path, world: Path) -> None:
    """In one namespace a page, as in a notebook; test functions run in test_pytest_plugin.py."""
    namespace: dict[str, object] = {}
    for block in blocks(page, "python"):
        if "rapport_result" not in block.text:
            exec(compile(block.text, name(page), "exec"), namespace)


def test_nothing_left_to_fill_in() -> None:
    for path in [*ROOT.glob("*.md"), *ROOT.glob("*/**/*.md")]:
        if ".venv" not in path.parts:
            assert "@@" not in path.read_text(encoding="utf-8")


# --- figures and examples in the text ------------------------------------------------------------


def _rows(page: Path, heading: str) -> list[list[str]]:
    """The cells of the table under a head of this name."""
    lines = iter(page.read_text(encoding="utf-8").split("\n"))
    for line in lines:
        if line.startswith(f"| {heading} |"):
            next(lines)
            break
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


@pytest.mark.parametrize(
    ("page", "heading"), [("metrics.md", "sentence"), ("zh/metrics.md", "句子")]
)
def test_the_sentences_shown_have_the_acts_that_stand_beside_them(page: str, heading: str) -> None:
    rows = _rows(DOCS / page, heading)
    assert len(rows) > 9
    found = RuleActClassifier().classify([sentence for sentence, _ in rows])
    assert [acts.label for acts in found] == [label for _, label in rows]


@pytest.mark.parametrize(
    ("page", "heading"), [("verdicts.md", "metric"), ("zh/verdicts.md", "指标")]
)
def test_the_margins_shown_are_those_of_the_metrics(page: str, heading: str) -> None:
    shown = [
        (re.sub(r"（.*", "", name), float(margin.split()[0]))
        for name, _, margin in _rows(DOCS / page, heading)
    ]
    assert shown == [(BY_NAME[name].label, BY_NAME[name].margin) for name in CONFIRMATORY]


@pytest.mark.parametrize(("page", "heading"), [("metrics.md", "bot"), ("zh/metrics.md", "机器人")])
def test_every_bot_and_task_of_the_results_is_on_the_page_of_metrics(
    page: str, heading: str
) -> None:
    found = [result for result in load_all(ROOT / "results") if result.kind == "bot"]
    assert {name for name, _ in _rows(DOCS / page, heading)} == {result.name for result in found}
    text = (DOCS / page).read_text(encoding="utf-8")
    for task, about in found[0].suite.tasks.items():
        assert f"`{task}` {about.version}, `rapport_tasks." in text


def test_every_reason_is_on_the_page_of_results() -> None:
    text = (DOCS / "results.md").read_text(encoding="utf-8")
    assert ", ".join(REASONS) in " ".join(text.split())


# --- two languages -------------------------------------------------------------------------------

CHINESE = re.compile(r"[\u4e00-\u9fff]")


def _without_blocks(page: Path) -> str:
    return re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)


def _figures(page: Path) -> set[str]:
    """Numbers with a decimal point, percent, or two digits and more, as they stand in the text."""
    text = re.sub(r"\]\([^)]*\)|`[^`]*`", "", _without_blocks(page))
    return set(re.findall(r"(?<![\w.])(?:\d{1,3}(?:,\d{3})+|\d*\.\d+|\d{2,})", text))


def _code(page: Path) -> list[str]:
    """Blocks without comments, gaps and Chinese, which may differ."""
    bare = []
    for block in blocks(page):
        lines = [re.split(r"(?:^|\s+)#\s", line)[0] for line in block.text.split("\n")]
        bare.append(
            "\n".join(
                line
                for line in lines
                if line and "left out here" not in line and "此处略" not in line
            )
        )
    return bare


def test_the_pages_that_most_people_need_are_there_in_chinese() -> None:
    there = {chinese.name for _, chinese in PAIRS}
    assert {
        "README.zh-CN.md",
        "index.md",
        "run.md",
        "verdicts.md",
        "metrics.md",
        "people.md",
    } <= there
    assert all(len(CHINESE.findall(chinese.read_text("utf-8"))) > 300 for _, chinese in PAIRS)


@pytest.mark.parametrize(("english", "chinese"), PAIRS, ids=[name(pair[1]) for pair in PAIRS])
def test_both_languages_show_the_same(english: Path, chinese: Path) -> None:
    assert _figures(english) == _figures(chinese)
    assert _code(english) == _code(chinese)


def test_the_readmes_are_short() -> None:
    for page in PAIRS[0]:
        assert len(page.read_text(encoding="utf-8").splitlines()) <= 160


@pytest.mark.parametrize("page", sorted(ROOT.glob("*.md")), ids=name)
def test_links_outside_the_site_lead_somewhere(page: Path) -> None:
    """Inside it the strict build sees to that."""
    links = re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []


def test_every_page_is_in_the_contents() -> None:
    contents = (ROOT / "zensical.toml").read_text(encoding="utf-8")
    pages = [*ENGLISH, *DOCS.glob("zh/*.md")]
    assert all(f'"{page.relative_to(DOCS)}"' in contents for page in pages)
