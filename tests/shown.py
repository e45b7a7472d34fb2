"""What the documentation shows: its pages, the fenced blocks in them, and commands with their output."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
ENGLISH = sorted(DOCS.glob("*.md"))
PAGES = [ROOT / "README.md", ROOT / "README.zh-CN.md", *ENGLISH, *sorted(DOCS.glob("zh/*.md"))]
PAIRS = [
    (ROOT / "README.md", ROOT / "README.zh-CN.md"),
    *((DOCS / page.name, page) for page in sorted(DOCS.glob("zh/*.md"))),
]
"""English pages and the Chinese ones that say the same."""

GAP = re.compile(r"^\[.*(left out here|此处略).*\]$")
"""A line of an output block that stands for any number of lines."""


@dataclass(frozen=True)
class Block:
    """A fenced block, with the language behind its fence."""

    language: str
    text: str


@dataclass(frozen=True)
class Shown:
    """Commands, one after the other, and what the last of them prints."""

    commands: tuple[str, ...]
    output: str


def blocks(page: Path, language: str | None = None) -> list[Block]:
    """The fenced blocks of a page, of one language if that is asked for."""
    text = page.read_text(encoding="utf-8")
    found = re.findall(r"^```(\w*)[^\n]*\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)
    return [Block(*pair) for pair in found if language in (None, pair[0])]


def shown(page: Path) -> Iterator[Shown]:
    """The console blocks: lines that begin with a dollar, then the output."""
    for block in blocks(page, "console"):
        lines = block.text.split("\n")
        commands = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
        assert commands, f"{page.name}: output without its command: {lines[0]}"
        assert all(line.startswith("$ ") for line in lines[: len(commands)]), page.name
        yield Shown(tuple(commands), "\n".join(lines[len(commands) :]))


def command_lines(page: Path) -> Iterator[str]:
    """Every shell command of a page, without its comment."""
    for block in blocks(page):
        if block.language in ("bash", "console"):
            for line in block.text.replace("\\\n", " ").split("\n"):
                if block.language == "bash" or line.startswith("$ "):
                    yield re.split(r"\s+#\s", line.removeprefix("$ "))[0].strip()


def plain(text: str) -> str:
    """Output without what a terminal's width adds: blanks at line ends and empty lines."""
    lines = [line.rstrip() for line in text.split("\n")]
    return "\n".join(line for line in lines if line)


def agrees(expected: str, printed: str) -> bool:
    """Whether printed text is what a block shows, gaps aside."""
    parts: list[list[str]] = [[]]
    for line in plain(expected).split("\n"):
        if GAP.match(line):
            parts.append([])
        else:
            parts[-1].append(line)
    gap = r"(?:.*\n)*?"
    pattern = gap.join("".join(f"{re.escape(line)}\n" for line in part) for part in parts)
    return re.fullmatch(pattern, plain(printed) + "\n") is not None
