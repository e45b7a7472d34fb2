"""Every word that raters see is there in both languages."""

from __future__ import annotations

import pytest

from rapport_bench.human.sheets.scales import NAMES, SCALES
from rapport_bench.human.sheets.wording import NOTICE, PAGE, ROLES, TABLE_HELP
from rapport_tasks.dialogues.dialogue import ROLES as DIALOGUE_ROLES
from rapport_tasks.dialogues.sentences import language

TEXTS = {
    **{f"notice {name}": text for name, text in NOTICE.items()},
    **{f"page {name}": text for name, text in PAGE.items()},
    **{f"role {name}": text for name, text in ROLES.items()},
    "table help": TABLE_HELP,
    **{f"{s.name} label": s.label for s in SCALES},
    **{f"{s.name} definition": s.definition for s in SCALES},
    **{f"{s.name} {value}": text for s in SCALES for value, text in s.anchors.items()},
}


def test_the_three_scales_have_words_at_both_ends_and_in_the_middle() -> None:
    assert NAMES == ("empathic_resonance", "conversational_coherence", "advice_appropriateness")
    assert {scale.points for scale in SCALES} == {5}
    assert {tuple(scale.anchors) for scale in SCALES} == {("1", "3", "5")}
    assert set(ROLES) == set(DIALOGUE_ROLES)


@pytest.mark.parametrize("name", TEXTS)
def test_both_languages_are_there(name) -> None:
    text = TEXTS[name]
    assert set(text) == {"zh", "en"}
    for tongue, words in text.items():
        assert words.strip()
        if name != "page legend" or tongue == "en":
            assert language(words) == tongue
    # Values that are filled in are the same in both.
    import re

    assert {*re.findall(r"{\w+}", text["zh"])} == {*re.findall(r"{\w+}", text["en"])}
