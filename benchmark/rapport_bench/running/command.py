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

_LONGEST = 2000
_OPTIONS = {
    "base": "--base",
    "adapters": "--adapter",
    "models": "--model",
    "replies": "--replies",
    "bots": "--bots",
    "data": "--data",
    "limit": "--limit",
    "tasks": "--tasks",
    "method": "--method",
    "max_new_tokens": "--max-new-tokens",
    "seeds": "--seeds",
    "template": "--template",
    "template_args": "--template-arg",
    "system": "--system",
    "encoder": "--encoder",
    "dtype": "--dtype",
    "device": "--device",
    "batch_tokens": "--batch-tokens",
    "quantization": "--nf4",
    "results": "--results",
    "store": "--store",
}
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


def _arguments(config: RunConfig) -> Iterator[str]:
    both = (config, config.generation)
    of = {
        field.name: (getattr(whole, field.name), field.default)
        for whole in both
        for field in fields(whole)
    }
    for name, option in _OPTIONS.items():
        value, default = of[name]
        if value == default:
            continue
        if name in _FLAGS:
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
