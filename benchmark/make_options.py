"""The page of all options, as the program itself describes them.

    python benchmark/make_options.py

Writes ``docs/options.md`` from the commands, the pytest plugin and the GitHub Action. A test compares.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import click
import yaml

from rapport_bench.cli.main import cli
from rapport_bench.testing import plugin

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "options.md"
_HEAD = """# Every option

<!-- Written by `python benchmark/make_options.py`; edit the commands instead. -->

`rapport COMMAND --help` prints the same. `-h` and `--help` work everywhere, `rapport --version` says what is
installed. Exit codes are those of [results and formats](results.md#exit-codes).
"""


def page() -> str:
    """The whole page."""
    parts = [_HEAD, *_commands(cli, "rapport"), *_pytest(), *_action()]
    return "\n".join(parts)


def _commands(group: click.Group, path: str) -> Iterator[str]:
    for name, command in sorted(group.commands.items()):
        whole = f"{path} {name}"
        context = click.Context(command, info_name=whole, max_content_width=1000)
        usage = " ".join([whole, *command.collect_usage_pieces(context)])
        yield f"## `{whole}`\n"
        yield f"{_paragraphs(command.help or '')}\n"
        yield f"```text\n{usage}\n```\n"
        records = [
            record
            for option in command.params
            if isinstance(option, click.Option) and (record := option.get_help_record(context))
        ]
        yield from _table(("option", ""), records)
        if command.epilog:
            yield f"```bash\n{command.epilog.removeprefix('Example: ')}\n```\n"
        if isinstance(command, click.Group):
            yield from _commands(command, whole)


def _pytest() -> Iterator[str]:
    yield "## `pytest`\n"
    yield "With rapport-bench installed; [in your own tests](gate.md#in-your-own-tests) says what they are for.\n"
    valued = [(f"--rapport-{k} {meta}", text) for k, (meta, text) in plugin._OPTIONS.items()]
    flags = [(f"--rapport-{name}", text) for name, text in plugin._FLAGS.items()]
    yield from _table(("option", ""), [*valued, *flags])


def _action() -> Iterator[str]:
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    yield "## The GitHub Action\n"
    yield "Its inputs, and below them its outputs; [on GitHub](gate.md#on-github) shows a workflow.\n"
    inputs = [
        (name, f"{entry['description']} [default: {entry['default'] or 'empty'}]")
        if "default" in entry
        else (name, entry["description"])
        for name, entry in action["inputs"].items()
    ]
    yield from _table(("input", ""), inputs)
    outputs = [(name, entry["description"]) for name, entry in action["outputs"].items()]
    yield from _table(("output", ""), outputs)


def _table(head: tuple[str, str], rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    lines = [f"| `{_cell(name)}` | {_cell(_escaped(text))} |" for name, text in rows]
    if lines:
        yield "\n".join([f"| {head[0]} | {head[1]} |", "| --- | --- |", *lines]) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _paragraphs(text: str) -> str:
    blocks = re.split(r"\n\s*\n", text.replace("\b", "").replace("\f", "").strip())
    return "\n\n".join(_escaped(" ".join(block.split())) for block in blocks)


def _escaped(text: str) -> str:
    return text.replace("<", "&lt;")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
