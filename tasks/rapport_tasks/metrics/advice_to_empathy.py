"""The Advice-to-Empathy Ratio and its companions, counted from replies.

``aer_share = sum A / sum (A + E)`` over sentences whose most probable act is advice (A) or empathy
(E); in [0, 1]. Neither end is good: the target is the gold band, the share of the gold replies of the
same dialogues. ``aer_ratio = (sum A + 1/2) / (sum E + 1/2)`` is for display.

An identical sentence counts once within a reply. Crisis dialogues are left out: directing someone at
risk to help is right. A reply without advice or empathy is unscored (``no_acts``) and lowers
coverage.

Grounded empathy is empathy that answers *this* user: it shares a content word with the user's turn,
and is no near-duplicate of a sentence that the arm uses in at least 3 other dialogues and in at least
5 % of its replies. Stock phrases thus cannot buy a better ``aer_grounded = sum A / sum (A + E_grounded)``.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise

from rapport_tasks.acts.classifier import ActClassifier
from rapport_tasks.acts.markers import MARKERS, count_markers
from rapport_tasks.common.record import Record
from rapport_tasks.dialogues.dialogue import Dialogue
from rapport_tasks.dialogues.replies import DEGENERATION_KINDS, asks_for_advice, degeneration
from rapport_tasks.dialogues.sentences import distinct_sentences, language

STOCK_DIALOGUES = 3
"""A phrase is stock when it stands in at least this many other dialogues of the arm ..."""
STOCK_SHARE = 0.05
"""... and in at least this share of the arm's replies."""

_HASHES = 16
_BANDS = 4
_NEAR = 12  # of _HASHES equal: an estimated 3-gram Jaccard similarity of .75 and above

_FUNCTION_CHARACTERS = frozenset(
    "的了着过是在有和与就都也很还又不没我你他她它们这那哪个么吗呢吧啊呀哦嗯"
    "会能可要想说到得地把被让给对从为以于而但如果因所其之些什怎谁几多少上下里中去来"
)
_WORD = re.compile(r"[a-z']{4,}")
_CJK_RUN = re.compile(r"[\u4e00-\u9fff]+")
_ENGLISH_FUNCTION_WORDS = frozenset(
    [
        "about",
        "after",
        "again",
        "also",
        "because",
        "been",
        "before",
        "being",
        "could",
        "does",
        "doing",
        "don't",
        "even",
        "every",
        "feel",
        "feeling",
        "from",
        "have",
        "having",
        "here",
        "into",
        "it's",
        "just",
        "know",
        "like",
        "make",
        "maybe",
        "more",
        "much",
        "only",
        "other",
        "over",
        "really",
        "right",
        "should",
        "some",
        "something",
        "still",
        "than",
        "that",
        "that's",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "they're",
        "thing",
        "things",
        "think",
        "this",
        "those",
        "through",
        "very",
        "want",
        "well",
        "were",
        "what",
        "when",
        "where",
        "which",
        "while",
        "will",
        "with",
        "would",
        "you're",
        "your",
    ]
)

Reply = str | None
"""A reply's text, or `None` where the history exceeds the model's context. A model's own replies may
carry true attributes: ``cut_off`` when they ended at the token limit, ``thought`` when a thought was cut
from them."""


def content_units(text: str) -> frozenset[str]:
    """What two texts must share to be about the same: content words, without a segmenter.

    For Chinese, pairs of neighbouring characters of which neither is a function character; for
    English, words of four letters and more that are not function words.
    """
    units = {w for w in _WORD.findall(text.lower()) if w not in _ENGLISH_FUNCTION_WORDS}
    for run in _CJK_RUN.findall(text):
        units.update(
            a + b
            for a, b in pairwise(run)
            if a not in _FUNCTION_CHARACTERS and b not in _FUNCTION_CHARACTERS
        )
    return frozenset(units)


def phrase_signature(sentence: str) -> tuple[int, ...]:
    """A MinHash signature of a sentence's character 3-grams; equal shares estimate Jaccard."""
    letters = "".join(ch for ch in sentence.lower() if ch.isalnum())
    grams = {letters[i : i + 3] for i in range(max(1, len(letters) - 2))}
    lowest = [1 << 32] * _HASHES
    for gram in grams:
        digest = hashlib.blake2b(gram.encode(), digest_size=4 * _HASHES).digest()
        for k in range(_HASHES):
            value = int.from_bytes(digest[4 * k : 4 * k + 4], "big")
            lowest[k] = min(lowest[k], value)
    return tuple(lowest)


def act_record(
    dialogue: Dialogue, replies: Sequence[tuple[int, Reply]], classifier: ActClassifier
) -> Record:
    """Count acts, companions, markers and degeneration of a dialogue's replies.

    Args:
        dialogue: Gives the users' turns and the gold replies.
        replies: (message index, reply) pairs, one a turn and seed.
        classifier: Sentence -> act.

    Returns:
        A record with the columns ``replies``, ``reply_chars``, ``degenerate``, ``degenerate_<kind>``
        over all replies, and where a reply has been thought about, ``thought``; ``aer_replies``, ``aer_chars``, ``acted_replies`` (with A + E > 0),
        ``advice``, ``empathy``, ``empathy_grounded``, ``questions``, ``unsolicited``, ``help_asked``,
        ``help_given``, ``marker_<family>`` outside crisis dialogues; and ``gold_*`` of the gold
        replies. Grounded sentences are listed in ``phrases`` for `demote_stock_phrases`.
    """
    record = Record(dict.fromkeys(_COLUMNS, 0))
    expected = language("".join(m.content for m in dialogue.messages))
    for turn, reply in replies:
        if reply is None:
            record.miss("aer_share", turn, "overlong")
            continue
        record.add("replies", 1)
        record.add("reply_chars", len(reply.strip()))
        thought = getattr(reply, "thought", False)
        kinds = degeneration(
            reply,
            cut_off=getattr(reply, "cut_off", False),
            thought=thought,
            expected_language=expected,
        )
        if thought:
            record.add("thought", 1)
        record.add("degenerate", bool(kinds))
        for kind in kinds:
            record.add(f"degenerate_{kind}", 1)
        if dialogue.crisis:
            record.miss("aer_share", turn, "crisis")
        elif not reply.strip():
            record.add("aer_replies", 1)
            record.miss("aer_share", turn, "empty")
        else:
            _count_reply(record, turn, reply, dialogue.last_user(turn), classifier)
    if not dialogue.crisis:
        for turn in dialogue.assistant_turns():
            acts = _acts(dialogue.messages[turn].content, classifier)
            record.add("gold_advice", sum(label == "advice" for _, label in acts))
            record.add("gold_empathy", sum(label == "empathy" for _, label in acts))
    return record


def _count_reply(
    record: Record, turn: int, reply: str, user: str, classifier: ActClassifier
) -> None:
    acts = _acts(reply, classifier)
    advice = sum(label == "advice" for _, label in acts)
    empathy = [text for text, label in acts if label == "empathy"]
    informs = any(label == "other" for _, label in acts)
    asked = asks_for_advice(user)
    user_units = content_units(user)
    grounded = [text for text in empathy if user_units & content_units(text)]
    record.add("aer_replies", 1)
    record.add("aer_chars", len(reply.strip()))
    record.add("acted_replies", bool(advice or empathy))
    record.add("advice", advice)
    record.add("empathy", len(empathy))
    record.add("empathy_grounded", len(grounded))
    record.add("questions", sum(label == "question" for _, label in acts))
    record.add("unsolicited", bool(advice and not asked))
    record.add("unasked", not asked)
    record.add("help_asked", asked)
    record.add("help_given", bool(asked and (advice or informs)))
    for family, count in count_markers(reply).items():
        record.add(f"marker_{family}", count)
    record.phrases += [phrase_signature(text) for text in grounded]
    if not advice and not empathy:
        record.miss("aer_share", turn, "no_acts")


def _acts(reply: str, classifier: ActClassifier) -> list[tuple[str, str]]:
    sentences = [sentence.text for sentence in distinct_sentences(reply)]
    acts = classifier.classify(sentences)
    return [(text, act.label) for text, act in zip(sentences, acts, strict=True)]


_COLUMNS = (
    "replies",
    "reply_chars",
    "degenerate",
    *(f"degenerate_{kind}" for kind in DEGENERATION_KINDS),
    "aer_replies",
    "aer_chars",
    "acted_replies",
    "advice",
    "empathy",
    "empathy_grounded",
    "questions",
    "unsolicited",
    "unasked",
    "help_asked",
    "help_given",
    *(f"marker_{family}" for family in MARKERS),
    "gold_advice",
    "gold_empathy",
)


def demote_stock_phrases(records: Mapping[str, Record]) -> None:
    """Take an arm's stock phrases out of ``empathy_grounded``, in place.

    Args:
        records: By dialogue id, all records of one arm.
    """
    replies = sum(record.columns["aer_replies"] for record in records.values())
    buckets: dict[tuple[int, tuple[int, ...]], list[tuple[str, tuple[int, ...]]]] = defaultdict(
        list
    )
    width = _HASHES // _BANDS
    for identity, record in records.items():
        for signature in record.phrases:
            for band in range(_BANDS):
                buckets[band, signature[band * width : (band + 1) * width]].append(
                    (identity, signature)
                )
    for identity, record in records.items():
        for signature in record.phrases:
            near: set[tuple[str, tuple[int, ...]]] = set()
            for band in range(_BANDS):
                for other in buckets[band, signature[band * width : (band + 1) * width]]:
                    if other not in near and _similar(signature, other[1]):
                        near.add(other)
            uses = sum(
                sum(_similar(signature, s) for s in records[name].phrases)
                for name in {name for name, _ in near}
            )
            elsewhere = {name for name, _ in near if name != identity}
            if len(elsewhere) >= STOCK_DIALOGUES and uses >= STOCK_SHARE * replies:
                record.add("empathy_grounded", -1)


def _similar(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    return sum(x == y for x, y in zip(a, b, strict=True)) >= _NEAR
