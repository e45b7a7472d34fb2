"""A configuration as the `rapport run` command that asks for the same, whoever asked for it.

A result records it, so that it can be made again: by the demo, a script or pytest as well as by a person.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rapport_bench.common.escape import one_line
from rapport_tasks.common.paths import encodable
from rapport_tasks.prompts.template_choice import system_name

if TYPE_CHECKING:
    from rapport_bench.running.config import RunConfig
    from rapport_tasks.common.protocol import Generation

_LONGEST = 2000
_SPELT = {
    "adapters": "--adapter",
    "models": "--model",
    "template_args": "--template-arg",
    "quantization": "--nf4",
}
_NO_OPTION = ("temperature", "top_p", "reuse")
_FLAGS = ("bots", "quantization")
_LISTS = ("tasks", "seeds")


def command_line(config: RunConfig) -> str:
    """The command, without options that say what is the default anyway.

    Results say nothing of anyone's machine: an absolute path becomes relative to the working directory
    it lies below, or else its last part. One line of up to 2,000 characters, which is what a result
    may hold.
    """
    words = shlex.join(["rapport", "run", *_arguments(config)])
    return one_line(encodable(words))[:_LONGEST]


def _arguments(asked: RunConfig | Generation) -> Iterator[str]:
    for field in fields(asked):
        name, value = field.name, getattr(asked, field.name)
        option = _SPELT.get(name, f"--{name.replace('_', '-')}")
        if name == "generation":
            yield from _arguments(value)
        elif name in _NO_OPTION or value == field.default:
            continue
        elif name in _FLAGS:
            yield option
        elif name in _LISTS:
            yield from (option, ",".join(map(str, value)))
        else:
            for one in value if isinstance(value, tuple) else (value,):
                yield from (option, _word(name, one))


def _word(name: str, value: Any) -> str:
    if isinstance(value, tuple):
        shown, path = value
        return _relative(path) if shown is None else f"{shown}={_relative(path)}"
    is_text = name == "system" and system_name(value) == value
    return value if is_text else _relative(str(value))


def _relative(name: str) -> str:
    path = Path(name)
    if not path.is_absolute():
        return name
    here = Path.cwd()
    return os.fspath(path.relative_to(here)) if here in path.parents else path.name or name
