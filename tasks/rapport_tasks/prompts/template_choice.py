"""Which template renders a model's dialogues, and what it and the user's options say.

A tokenizer may carry one template or several with names, and so may an adapter's folder; the user may
name another. Nothing here renders anything.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rapport_tasks.common.errors import BadInput, UnsupportedTemplate, close_match
from rapport_tasks.common.parsing import read_bytes, read_settings

_CONFIG = "tokenizer_config.json"
_FILE = "chat_template.jinja"
_MORE = "additional_chat_templates"
_RESERVED = ("messages", "tools", "documents", "add_generation_prompt", "strftime_now")
_LONGEST = 1_000_000  # bytes of a file

Templates = str | Mapping[str, str] | None
"""One template, several by name, or none."""


def one_template(templates: Any, owner: str, name: str | None = None) -> str:
    """The template that is used of those that a tokenizer carries.

    Args:
        templates: As `Templates`; anything else is refused.
        owner: Whose they are, for messages.
        name: Which of several [default: the one called ``default``, or the only one].

    Raises:
        UnsupportedTemplate: There is none of that name, or no default.
    """
    if isinstance(templates, str) and name is None:
        return templates
    if not isinstance(templates, Mapping) or not all(
        isinstance(text, str) for text in templates.values()
    ):
        raise UnsupportedTemplate(
            f"{owner} has no chat template" + (f" called {name!r}" if name else " that is text"),
            remedy="Name a template's file with --template FILE.",
        )
    chosen = name or ("default" if "default" in templates else next(iter(templates), ""))
    if chosen not in templates or (name is None and chosen != "default" and len(templates) > 1):
        missing = f"called {name!r}" if name else "called 'default'"
        raise UnsupportedTemplate(
            f"{owner} has several chat templates, none {missing}: {', '.join(sorted(templates))}",
            remedy=close_match(name or "", templates)
            + "Choose one by its name, with --template NAME, or a file.",
        )
    return str(templates[chosen])


def folder_templates(folder: Path) -> Templates:
    """The templates that a model's or adapter's folder brings, where transformers looks for them.

    Raises:
        BadInput: A file is not readable.
    """
    alone = folder / _FILE
    more = sorted((folder / _MORE).glob("*.jinja")) if (folder / _MORE).is_dir() else []
    if alone.is_file():
        text = _read(alone)
        return {"default": text} | {path.stem: _read(path) for path in more} if more else text
    if more:
        return {path.stem: _read(path) for path in more}
    if not (folder / _CONFIG).is_file():
        return None
    path = folder / _CONFIG
    found = read_settings(path).get("chat_template")
    if isinstance(found, list):
        try:
            return {str(item["name"]): str(item["template"]) for item in found}
        except (TypeError, KeyError):
            raise BadInput(
                f"{path}: chat_template: not a list of named templates", remedy="Copy it again."
            ) from None
    return found if isinstance(found, str | Mapping) else None


def template_file(folder: Path) -> str:
    """The file of a model's folder that its template stands in."""
    return _FILE if (folder / _FILE).is_file() else _CONFIG


def chosen_template(option: str, base: Templates, adapters: Mapping[str, Templates]) -> str | None:
    """What ``--template`` asks for.

    Args:
        option: ``base``, ``adapter``, the name of one of the base's templates, or a file.
        base: The base's own.
        adapters: What each adapter's folder brings, by the adapter's name.

    Returns:
        The template, or `None` for the plain one.

    Raises:
        BadInput: There is no such template, or the adapters bring several.
    """
    if option == "base":
        return one_template(base, "the base") if base else None
    if option == "adapter":
        brought = {n: one_template(t, f"adapter {n!r}") for n, t in adapters.items() if t}
        if not brought:
            raise BadInput(
                "--template adapter: no adapter brings a chat template",
                remedy="Use --template base, or name a file.",
            )
        if len(set(brought.values())) > 1:
            raise BadInput(
                f"--template adapter: {', '.join(brought)} bring different chat templates, and all "
                "arms of a run are asked in the same words",
                remedy="Give these adapters a run each, or name a file.",
            )
        return next(iter(brought.values()))
    if isinstance(base, Mapping) and option in base:
        return one_template(base, "the base", option)
    path = Path(option).expanduser()
    if not _is_file(path):
        names = ["base", "adapter", *(base if isinstance(base, Mapping) else ())]
        raise BadInput(
            f"--template {option}: no such file",
            remedy=close_match(option, names) + f"Use {', '.join(names)}, or name a file.",
        )
    return _read(path)


def template_arguments(given: Iterable[str]) -> dict[str, Any]:
    """``KEY=VALUE`` arguments; values are JSON, and what is no JSON is a string.

    Raises:
        BadInput: Another form, a key given twice, or one that every template is given anyway.
    """
    found: dict[str, Any] = {}
    for argument in given:
        key, equals, value = argument.partition("=")
        if not equals or not key.isidentifier():
            raise BadInput(
                f"--template-arg {argument}: not of the form KEY=VALUE",
                remedy="For example --template-arg enable_thinking=false.",
            )
        if key in found or key in _RESERVED:
            why = "given twice" if key in found else "set by the program"
            raise BadInput(f"--template-arg {key}: {why}", remedy="Leave it out.")
        try:
            found[key] = json.loads(value)
        except ValueError:
            found[key] = value
        except RecursionError:
            raise BadInput(
                f"--template-arg {key}: too deep a nesting", remedy="Give a plain value."
            ) from None
    return found


def system_text(given: str | None) -> str | None:
    """``--system``: the text itself, or that of a file of this name, without its last newline.

    Raises:
        BadInput: The file cannot be read.
    """
    if not given or not _is_file(Path(given).expanduser()):
        return given
    return _read(Path(given).expanduser()).removesuffix("\n")


def system_name(given: str) -> str:
    """``--system`` as records hold it: the text itself, or the name of its file alone."""
    path = Path(given).expanduser()
    return path.name if given and _is_file(path) else given


def _is_file(path: Path) -> bool:
    return os.path.isfile(path)  # noqa: PTH113 - a text may be longer than names are, which Path raises on


def _read(path: Path) -> str:
    try:
        return read_bytes(path, _LONGEST, "Name a readable text file.").decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(
            f"{path}: not UTF-8 (byte {error.start})", remedy="Convert the file to UTF-8."
        ) from None
