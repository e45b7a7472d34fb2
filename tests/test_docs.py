"""The README stays true: every command is in it, and every command line in it is valid."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from rapport_bench.cli.main import cli

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```\w*\n(.*?)^```$", README, flags=re.DOTALL | re.MULTILINE)
LINES = [
    line.split("#")[0].strip()
    for block in BLOCKS
    for line in block.replace("\\\n", " ").split("\n")
]
COMMANDS = [line for line in LINES if line.startswith("rapport ")]


def test_every_command_is_shown() -> None:
    shown = {line.split()[1] for line in COMMANDS} | {"demo"}  # the demo is shown as `make demo`
    assert shown == set(cli.commands)


@pytest.mark.parametrize("line", COMMANDS)
def test_command_lines_are_valid(line: str) -> None:
    _, name, *arguments = shlex.split(line)
    command = cli.commands[name]
    if isinstance(command, click.Group) and arguments[0] in command.commands:
        name = arguments.pop(0)
        command = command.commands[name]
    context = command.make_context(name, arguments)
    assert context.params


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for line in LINES:
        if line.startswith("make "):
            assert f"\n{line.split()[1]}:" in makefile


def test_stock_command_of_the_readme_names_the_group() -> None:
    (line,) = [line for line in LINES if line.startswith("lm_eval run")]
    assert '--include_path "$(rapport tasks --path)" --tasks rapport' in line


def test_demo_table_of_the_readme_is_a_demo_table() -> None:
    for expected in ("Suite rapport-zh · 52 dialogues", "demo-adapter against base:", "Gold band:"):
        assert expected in README


def test_nothing_left_to_fill_in() -> None:
    for path in [*ROOT.glob("*.md"), *ROOT.glob("*/**/*.md")]:
        if ".venv" not in path.parts:
            assert "@@" not in path.read_text(encoding="utf-8")
