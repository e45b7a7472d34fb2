r"""Quality rules: regular expressions that remove a dialogue, or characters from it.

The rules that come with the package stand in ``quality.toml``; another file of the same form can
take their place::

    min_tokens = 5            # of the user, and of the assistant, over the whole dialogue

    [[drop]]                  # a dialogue with a match is removed, counted under this name
    name = "url"
    pattern = 'https?://'

    [[strip]]                 # matches are taken out of the text
    name = "bracketed_sound"
    pattern = '\[laughs?\]'
"""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from rapport_tasks.common.errors import BadInput
from rapport_tasks.common.parsing import read_toml

BUILTIN_RULES: Path = Path(__file__).parent / "quality.toml"
"""The rules that are used unless another file is named."""

_MARK = "\x00"
_JOINED = "\x00[\u200d\ufe0f♀♂⚕⚖✈➡↔↕\U000e0020-\U000e007f]*"
_REMAINS = re.compile(f"[（(](?:{_JOINED})+[)）]|{_JOINED}")
"""What was taken out, with the joiners and signs that made one picture of several."""

_TOKEN = re.compile(
    "[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
    "|[^\\W_\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+"
)


def _expression(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(str(error)) from None
    except (RecursionError, OverflowError, ValueError):
        raise ValueError("too deep, too many repeats, or flags that contradict") from None
    return pattern


class Rule(BaseModel):
    """A named regular expression."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern="^[a-z0-9_]+$")
    pattern: Annotated[str, Field(min_length=1), AfterValidator(_expression)]


class QualityRules(BaseModel):
    """A rules file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    min_tokens: int = Field(default=5, ge=0)
    drop: tuple[Rule, ...] = ()
    strip: tuple[Rule, ...] = ()


def load_rules(path: Path = BUILTIN_RULES) -> QualityRules:
    """Read a rules file.

    Raises:
        BadInput: It is missing, not TOML, or holds an unknown key or a bad expression.
    """
    data = read_toml(path, remedy="Correct the line.", unreadable="Name a readable rules file.")
    try:
        return QualityRules.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise BadInput(f"{path}: {key}: {first['msg']}", remedy="Correct the key.") from None


def stripping(rules: QualityRules, name: str) -> QualityRules:
    """The rules with the one of this name taking its matches out instead of removing dialogues.

    Raises:
        BadInput: There is no such rule.
    """
    chosen = [rule for rule in (*rules.drop, *rules.strip) if rule.name == name]
    if not chosen:
        raise BadInput(
            f"--{name} strip: the rules have none that is named {name!r}",
            remedy="Give the rule in the file of --rules that name.",
        )
    return rules.model_copy(
        update={
            "drop": tuple(rule for rule in rules.drop if rule.name != name),
            "strip": (*(rule for rule in rules.strip if rule.name != name), *chosen),
        }
    )


class QualityFilter:
    """Rules made ready to use."""

    def __init__(self, rules: QualityRules) -> None:
        self._minimum = rules.min_tokens
        self._drop = [(rule.name, re.compile(rule.pattern)) for rule in rules.drop]
        self._strip = [(rule.name, re.compile(rule.pattern)) for rule in rules.strip]

    def strip(self, texts: list[str]) -> tuple[list[str], list[str]]:
        """Take out what the strip rules match; returns texts and the rules that matched."""
        matched = []
        for name, pattern in self._strip:
            if any(pattern.search(text) for text in texts):
                matched.append(name)
                texts = [_REMAINS.sub("", pattern.sub(_MARK, text)).strip() for text in texts]
        return texts, matched

    def names(self) -> list[str]:
        """The rules that remove dialogues, in the order in which they count."""
        return [*(name for name, _ in self._drop), "few_tokens"]

    def problems(self, user: str, assistant: str) -> list[str]:
        """Every rule that removes a dialogue of these texts, in the order in which they count."""
        found = [
            name
            for name, pattern in self._drop
            if pattern.search(user) or pattern.search(assistant)
        ]
        if not (self._enough(user) and self._enough(assistant)):
            found.append("few_tokens")
        return found

    def _enough(self, text: str) -> bool:
        """A token is a Chinese character, or a run of other letters and digits."""
        return sum(1 for _ in islice(_TOKEN.finditer(text), self._minimum)) >= self._minimum
