from __future__ import annotations

import math
import time

import pytest

from rapport_tasks.shifts.turn_form import FUNCTION_WORDS, form, form_features, is_small_talk

TEXTS = ["Do you have pets?", "I have two cats. They're mine.", "Nice! What's your job?"]


def test_features_by_hand():
    said = dict.fromkeys((f"form_has_{word}" for word in FUNCTION_WORDS), 0)
    assert form_features(TEXTS, 2) == {
        **said,
        **{"form_has_what": 1, "form_has_is": 1, "form_has_your": 1},  # not "job"
        "form_asks": 1,
        "form_asks_midway": 0,
        "form_asks_midway_before": 0,
        "form_asks_twice": 0,
        "form_asked_before": 1,
        "form_words": math.log(6),  # nice, what, s, your, job
        "form_words_before": math.log(8),  # i, have, two, cats, they, re, mine
        "form_closing_words": math.log(5),
        "form_several_sentences": 1,
        "form_several_sentences_before": 1,
        "form_points": 0,
        "form_closing_points": 0,
        "form_speaks_of_self": 0,
        "form_closing_self": 0,
        "form_opens_with_self": 0,
        "form_addresses": 1,
        "form_asks_you": 1,
        "form_returns": 0,
    }
    answer = form_features(TEXTS, 1)
    assert answer["form_asked_before"] == 0  # nothing stands before the question
    assert answer["form_points"] == answer["form_closing_points"] == 1
    assert answer["form_opens_with_self"] == answer["form_speaks_of_self"] == 1
    assert answer["form_closing_self"] == 1  # mine
    assert answer["form_asks"] == answer["form_addresses"] == 0


def test_questions_that_are_not_the_end():
    last_but_one, last = (
        form_features(["Hi?", "Do you ski? I love it.", "I do. You? And why?"], 1),
        form_features(["Hi?", "Do you ski? I love it.", "I do. You? And why?"], 2),
    )
    assert last_but_one["form_asks_midway"] == 1
    assert last_but_one["form_asks_midway_before"] == 0  # it ends with its question
    assert last_but_one["form_asks_twice"] == 0
    assert (last["form_asks_midway"], last["form_asks_midway_before"]) == (0, 1)
    assert last["form_asks_twice"] == 1
    assert form("你呢？我很好。").asks_midway


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("I know him. What do you do for a living?", {"what", "do", "you", "for", "a"}),
        ("I don't.", {"i", "do", "not"}),
        ("We CAN’T, can we?", {"we", "can", "not"}),
        (
            "they're what I've had and it'd be",
            {"they", "are", "what", "i", "have", "had", "and", "it", "would", "be"},
        ),
        ("sat there . cats !", set()),
        ("我不知道", set()),
    ],
)
def test_function_words_of_the_last_sentence(text, words):
    assert form(text).function_words == words


def test_length_counts_up_to_fifteen_words():
    for count, value in ((15, 15), (16, 15), (500, 15)):
        assert form_features(["a", "b " * count], 1)["form_words"] == math.log1p(value)


@pytest.mark.parametrize(
    ("text", "addresses", "returns"),
    [
        ("what do you do for a living ?", True, False),
        ("What's your favourite food?", True, False),
        ("how was your day ?", True, False),
        ("i like it . what about you ?", True, True),
        ("yes , and you ?", False, True),
        ("me too . do you ?", True, True),
        ("i told you so .", False, False),
        ("do you know why ? i do not .", False, False),  # only the last sentence
        ("", False, False),
        ("...", False, False),
        ("你呢？", False, False),
    ],
)
def test_questions_to_the_other(text, addresses, returns):
    assert (form(text).addresses, form(text).returns) == (addresses, returns)


def test_blank_and_wordless_texts_have_a_form():
    assert form("").words == form(" !?").words == 0
    assert form("!?").asks
    assert form("").sentences == 1


def test_small_talk_has_sixteen_words_a_message_at_most():
    assert is_small_talk(["word " * 16])
    assert not is_small_talk(["word " * 17])
    assert is_small_talk(["word " * 30, "yes", "no"])


def test_a_megabyte_is_read_in_time():
    started = time.perf_counter()
    form("what " * 200_000)
    form("what do " * 100_000 + "your")
    assert time.perf_counter() - started < 2
