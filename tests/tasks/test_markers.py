from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport_tasks.acts.markers import MARKERS, count_markers, find_markers


def families(text: str) -> dict[str, int]:
    return {family: count for family, count in count_markers(text).items() if count}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # deontic: the client is bound to an action
        ("你应该多休息。", {"deontic": 1}),
        ("你必须说清楚。", {"deontic": 1}),
        ("你得去医院。", {"deontic": 1}),
        ("你需要给自己放个假。", {"deontic": 1}),
        ("您应当先报警，也必须保留证据。", {"deontic": 2}),
        ("你应该很累吧。", {}),
        ("这些年你应该承受了很多。", {}),
        ("他应该去看医生。", {}),
        ("我觉得你很好，值得被爱。", {}),
        ("你得到了很多，也跑得很快。", {}),
        ("你需要的只是被理解。", {}),
        ("休息很重要，谁都想要。", {}),
        ("必须说，你很勇敢。", {}),
        ("You should rest.", {"deontic": 1}),
        ("You need to call him and you have to be honest.", {"deontic": 2}),
        ("You should be proud.", {}),
        ("You shouldn't have to carry this.", {}),
        ("Do you need to talk?", {}),
        # prohibitive
        ("别熬夜。", {"prohibitive": 1}),
        ("你不应该这样做，不要再去了。", {"prohibitive": 2}),
        ("别人都这样，特别累。", {}),
        ("不要自责，你不应该承受这些。", {}),
        ("这些不重要，不要紧。", {}),
        ("Don't go there.", {"prohibitive": 1}),
        ("Don't worry, don't blame yourself.", {}),
        # first-person directives
        ("我建议你早睡。", {"first_person_directive": 1}),
        ("我希望你去医院看看。", {"first_person_directive": 1}),
        ("我希望你能好起来。", {}),
        ("他给的建议很好。", {}),
        ("I'd suggest a walk.", {"first_person_directive": 1}),
        ("I hope you feel better.", {}),
        # hortative
        ("让我们慢慢来。", {"hortative": 1}),
        ("咱们一起看看。", {"hortative": 1}),
        ("我和他一起去的。", {}),
        ("Let's look at it.", {"hortative": 1}),
        # hedge
        ("也许是累了，或许可能是冷了。", {"hedge": 3}),
        ("这种可能性不大，我会尽可能听着。", {}),
        ("Maybe later, perhaps tomorrow.", {"hedge": 2}),
        # permission
        ("如果你愿意，说说看。", {"permission": 1}),
        ("现在聊这个，可以吗？", {"permission": 1}),
        ("如果他愿意呢。", {}),
        ("If you’d like, stay a while.", {"permission": 1}),
        # affective
        ("我理解你，听起来你很委屈。", {"affective": 2}),
        ("我能感受到你的痛苦，也心疼你。", {"affective": 2}),
        ("你要理解他。", {}),
        ("你能感受到吗？", {}),
        ("我不理解你的意思。", {}),
        ("I understand, that sounds like a lot.", {"affective": 2}),
        ("I don't understand him.", {}),
        # dismissive
        ("别难过，想开点，没什么大不了。", {"dismissive": 3}),
        ("你难过是应该的。", {}),
        ("Cheer up, it's not a big deal.", {"dismissive": 2}),
        # not the speaker's own
        ("他说“你必须走，别回来”。", {}),
        ("你说你应该放弃。", {}),
        ("妈妈说你必须听话。", {}),
        ("He told me: “You should go.”", {}),
        ("You said you should go.", {}),
        ("", {}),
    ],
)
def test_count(text: str, expected: dict[str, int]) -> None:
    assert families(text) == expected


def test_repetitions_count() -> None:
    assert count_markers("你应该睡。你应该睡。")["deontic"] == 2


@settings(deadline=None, max_examples=40)
@given(st.text(max_size=80))
def test_every_family_is_there(text: str) -> None:
    counts = count_markers(text)
    assert tuple(counts) == MARKERS
    assert all(count >= 0 for count in counts.values())


@pytest.mark.parametrize(
    "unit", ["都", "你应该", "，在", "，也", "别", "you should ", "i ", "\0🙂"]
)
def test_a_megabyte(unit: str) -> None:
    start = time.process_time()
    count_markers(unit * (1_000_000 // len(unit)))
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("嗯。你应该早点睡，别再想了。", [("你应该", "deontic"), ("别", "prohibitive")]),
        ("你應該早點睡。", [("你應該", "deontic")]),
        ("咱们一起看看。", [("咱们一起", "hortative")]),
        ("也许是累了，或许可能是冷了。", [("也许", "hedge"), ("或许", "hedge"), ("可能", "hedge")]),
        ("You've got to rest. İf you’d like, stay.", [("You've got to", "deontic")]),
        ("If you’d like, stay a while.", [("If you’d like", "permission")]),
        ("他说“你必须走”。", []),
        ("你应该睡。你应该睡。", [("你应该", "deontic")] * 2),
    ],
)
def test_markers_are_found_where_they_stand(text: str, expected: list[tuple[str, str]]) -> None:
    assert [(text[s.start : s.end], s.family) for s in find_markers(text)] == expected


@settings(deadline=None, max_examples=60)
@given(st.text("你我应该别也许理解说，。 “”İaIshould'", max_size=60))
def test_as_many_markers_are_found_as_counted(text: str) -> None:
    spans = find_markers(text)
    counts = {family: sum(s.family == family for s in spans) for family in MARKERS}
    assert counts == count_markers(text)
    assert all(0 <= span.start <= span.end <= len(text) for span in spans)


@pytest.mark.parametrize("unit", ["你应该", "，别", "you should ", "也许"])
def test_markers_of_a_long_reply_are_found_in_time(unit: str) -> None:
    start = time.process_time()
    assert find_markers(unit * (3_000 // len(unit)))
    assert time.process_time() - start < 5
