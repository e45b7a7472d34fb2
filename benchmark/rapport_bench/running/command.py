"""A configuration as the `rapport run` command that asks for the same, whoever asked for it.

A result records it, so that it can be made again: by the demo, a script or pytest as well as by a person.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from rapport_bench.common.escape import one_line
from rapport_tasks.common.paths import encodable
from rapport_tasks.prompts.template_choice import system_name

if TYPE_CHECKING:
    from rapport_bench.running.config import Named, RunConfig

_LONGEST = 2000
_PLAIN = ("encoder", "dtype", "device", "batch_tokens")


def command_line(config: RunConfig) -> str:
    """The command, without options that say what is the default anyway.

    Results say nothing of anyone's machine: an absolute path becomes relative to the working directory
    it lies below, or else its last part. One line of up to 2,000 characters, which is what a result
    may hold.
    """
    words = shlex.join(["rapport", "run", *_arguments(config)])
    return one_line(encodable(words))[:_LONGEST]


def _arguments(config: RunConfig) -> Iterator[str]:
    defaults = {field.name: field.default for field in fields(config)}
    if config.base is not None:
        yield from ("--base", _relative(config.base))
    for option, arms in (
        ("--adapter", config.adapters),
        ("--model", config.models),
        ("--replies", config.replies),
    ):
        for arm in arms:
            yield from (option, _named(arm))
    if config.bots:
        yield "--bots"
    if config.data is not None:
        yield from ("--data", _relative(config.data))
    if config.limit is not None:
        yield from ("--limit", str(config.limit))
    if config.tasks:
        yield from ("--tasks", ",".join(config.tasks))
    yield from _generation(config)
    if config.template != defaults["template"]:
        yield from ("--template", _relative(config.template))
    for argument in config.template_args:
        yield from ("--template-arg", argument)
    if config.system is not None:
        is_text = system_name(config.system) == config.system
        yield from ("--system", config.system if is_text else _relative(config.system))
    for name in _PLAIN:
        value = getattr(config, name)
        if value != defaults[name]:
            text = _relative(value) if name == "encoder" else str(value)
            yield from (f"--{name.replace('_', '-')}", text)
    if config.quantization == "nf4":
        yield "--nf4"
    if config.results != defaults["results"]:
        yield from ("--results", _relative(config.results))
    if config.store is not None:
        yield from ("--store", _relative(config.store))


def _generation(config: RunConfig) -> Iterator[str]:
    drawn = config.generation
    default = type(drawn)()
    if drawn.method != default.method:
        yield from ("--method", drawn.method)
    if drawn.max_new_tokens != default.max_new_tokens:
        yield from ("--max-new-tokens", str(drawn.max_new_tokens))
    if drawn.seeds != default.seeds:
        yield from ("--seeds", ",".join(map(str, drawn.seeds)))


def _named(arm: Named) -> str:
    name, path = arm
    return _relative(path) if name is None else f"{name}={_relative(path)}"


def _relative(name: str) -> str:
    path = Path(name)
    if not path.is_absolute():
        return name
    here = Path.cwd()
    return os.fspath(path.relative_to(here)) if here in path.parents else path.name or name
