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

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rapport_tasks.errors import BadInput, shown
from rapport_tasks.parsing import read_toml

BUILTIN_RULES: Path = Path(__file__).parent / "quality.toml"
"""The rules that are used unless another file is named."""

_TOKEN = re.compile(
    "[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
    "|[^\\W_\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+"
)


class Rule(BaseModel):
    """A named regular expression."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern="^[a-z0-9_]+$")
    pattern: str = Field(min_length=1)


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
        rules = QualityRules.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise BadInput(f"{path}: {key}: {first['msg']}", remedy="Correct the key.") from None
    for rule in (*rules.drop, *rules.strip):
        try:
            re.compile(rule.pattern)
        except (re.error, RecursionError, OverflowError, ValueError) as error:
            said = (
                str(error)
                if isinstance(error, re.error)
                else "too deep, too many repeats, or flags that contradict"
            )
            raise BadInput(
                f"{path}: rule {shown(rule.name)}: {said}", remedy="Correct the expression."
            ) from None
    return rules


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
                texts = [pattern.sub("", text).strip() for text in texts]
        return texts, matched

    def problem(self, user: str, assistant: str) -> str | None:
        """The first rule that removes a dialogue of these texts, or `None`."""
        for name, pattern in self._drop:
            if pattern.search(user) or pattern.search(assistant):
                return name
        if not (self._enough(user) and self._enough(assistant)):
            return "few_tokens"
        return None

    def _enough(self, text: str) -> bool:
        """A token is a Chinese character, or a run of other letters and digits."""
        return sum(1 for _ in islice(_TOKEN.finditer(text), self._minimum)) >= self._minimum
