"""Reference arms: rules that answer without understanding, and show what a number is worth.

====================  ============================================================================
gold                  the data's own replies
parrot                the user's last message, repeated
canned-empathy        two stock sentences of empathy that would suit anyone
append-empathy        the gold reply, then five stock sentences of empathy
no-advice             the gold reply without its sentences that look like advice
all-advice            three stock sentences of advice
epistemic-stuffer     five guesses at feelings (你应该很难过吧), which a lexicon takes for advice
verbose               the gold reply, then general remarks of twice its length and more
user-quote-stuffer    the user's own sentences in quotation marks, with "I heard that"
shuffled-gold         the dialogue's gold replies, each at another turn
silent                nothing
====================  ============================================================================

A bot is one function with a version of its own. What it says depends on the dialogue and that version
alone, never on how acts are classified: its identity must not change with a metric. Another package adds
one by an entry point::

    [project.entry-points."rapport_bench.bots"]
    my-bot = "my_package.my_module:my_bot"
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rapport_tasks.common.errors import BadInput
from rapport_tasks.common.plugins import offered
from rapport_tasks.dialogues.dialogue import Dialogue
from rapport_tasks.dialogues.sentences import language, split_sentences

ReplyRule = Callable[[Dialogue, int], str]
"""(dialogue, message index) -> reply."""

GROUP = "rapport_bench.bots"
"""Of the entry points."""


@dataclass(frozen=True, slots=True)
class Bot:
    """A rule that answers, and what identifies it.

    Attributes:
        name: As an arm; letters, digits and dashes.
        version: Changes whenever it may say something else.
        rule: What it says.
    """

    name: str
    version: str
    rule: ReplyRule

    def __call__(self, dialogue: Dialogue, turn: int) -> str:
        """The reply at a message index."""
        return self.rule(dialogue, turn)


def bot(version: str) -> Callable[[ReplyRule], Bot]:
    """Make a function a bot, called like the function, with dashes.

    >>> @bot("1.0")
    ... def one_word(dialogue, turn):
    ...     return "嗯。"
    >>> one_word.name, one_word.version
    ('one-word', '1.0')
    """

    def made(rule: ReplyRule) -> Bot:
        return Bot(rule.__name__.replace("_", "-"), version, rule)

    return made


_CANNED = {
    "zh": (
        "听起来你最近真的很不容易。",
        "我能感受到你心里的难过，谢谢你愿意说出来。",
        "我理解你的感受，换作是谁都会觉得很累的。",
        "你的心情我明白，你已经很努力了。",
        "这些感受都是正常的，我会一直陪着你。",
        "难怪你会这么委屈，我很心疼你。",
        "谢谢你的信任，你并不孤单。",
        "我听到了你的痛苦，这不是你的错。",
    ),
    "en": (
        "It sounds like things have been really hard lately.",
        "I can feel how much pain you are in, and thank you for sharing it.",
        "I understand how you feel, anyone would be exhausted.",
        "I hear you, and you are already trying so hard.",
        "What you feel is completely valid, and I am here with you.",
        "No wonder you feel hurt, my heart goes out to you.",
        "Thank you for trusting me, you are not alone.",
        "I hear your pain, and this is not your fault.",
    ),
}
_ADVICE = {
    "zh": (
        "你应该早点睡觉，按时吃饭。",
        "建议你多出去走走，换换心情。",
        "你可以试试每天写日记。",
        "你要主动和他们沟通，把话说清楚。",
        "不妨找个专业的心理咨询师聊聊。",
        "你需要制定一个计划，一步一步来。",
        "别再想这些事了，把注意力放在工作上。",
        "你必须学会拒绝别人。",
    ),
    "en": (
        "You should go to bed earlier and eat regularly.",
        "I suggest that you go out more and clear your head.",
        "You could try writing a diary every day.",
        "You need to talk to them and make things clear.",
        "Why don't you see a professional counsellor?",
        "You need to make a plan and take it step by step.",
        "Stop thinking about it and focus on your work.",
        "You must learn to say no to people.",
    ),
}
_GUESSES = {
    "zh": (
        "你应该很难过吧。",
        "你应该很累吧。",
        "你应该很委屈吧。",
        "你应该很失望吧。",
        "你应该很害怕吧。",
    ),
    "en": (
        "You must be really sad.",
        "You must be really tired.",
        "You must feel really hurt.",
        "You must be really disappointed.",
        "You must be really scared.",
    ),
}
_REMARKS = {
    "zh": (
        "情绪本身没有对错，它只是在提醒我们有些需要没有被看见。",
        "每个人的成长经历不同，面对压力时的反应也会不一样。",
        "心理学研究发现，人在疲惫的时候更容易往坏处想。",
        "关系里的很多矛盾，往往来自彼此期待的不同。",
        "睡眠、饮食和运动都会影响一个人的情绪状态。",
        "改变通常是一个缓慢的过程，中间有反复是很常见的。",
        "很多人在类似的处境里都有过相近的体会。",
        "表达感受和解决问题是两件不同的事情。",
        "一个人的价值并不取决于某一次的成败。",
        "生活中的变化常常会打破原有的平衡。",
    ),
    "en": (
        "Emotions are neither right nor wrong, they tell us that some need has not been seen.",
        "People grow up differently, and they react to pressure in different ways.",
        "Research has found that people who are tired tend to expect the worst.",
        "Many conflicts in relationships come from different expectations.",
        "Sleep, food and exercise all influence how a person feels.",
        "Change is usually a slow process, and relapses on the way are common.",
        "Many people in similar situations have had comparable experiences.",
        "Expressing a feeling and solving a problem are two different things.",
        "A person's worth does not depend on a single success or failure.",
        "Changes in life often upset an existing balance.",
    ),
}
_LOOKS_LIKE_ADVICE = re.compile(
    r"应该|必须|建议|可以|不妨|试试|试着|需要|最好|要不|先|别|不要|记得|或许能|"
    r"\b(?:should|must|need to|could|try|suggest|recommend|why don't you|let's|don't)\b",
    re.IGNORECASE,
)
_NOTHING_LEFT = {"zh": "嗯，我在听。", "en": "Yes, I am listening."}


@bot("1.1")
def gold(dialogue: Dialogue, turn: int) -> str:
    """The data's own reply."""
    return dialogue.messages[turn].content


@bot("1.1")
def parrot(dialogue: Dialogue, turn: int) -> str:
    """The user's last message, repeated."""
    return dialogue.last_user(turn)


@bot("1.1")
def canned_empathy(dialogue: Dialogue, turn: int) -> str:
    """Two stock sentences of empathy, picked by a hash, that would suit anyone."""
    return _stock(_CANNED, dialogue, turn, 2)


@bot("1.1")
def append_empathy(dialogue: Dialogue, turn: int) -> str:
    """The gold reply and five stock sentences of empathy: cheap talk must not change an AER."""
    return _join(dialogue, gold(dialogue, turn), _stock(_CANNED, dialogue, turn, 5))


@bot("1.1")
def no_advice(dialogue: Dialogue, turn: int) -> str:
    """The gold reply without its sentences that look like advice, whoever asked for it."""
    reply = gold(dialogue, turn)
    kept = [s.text for s in split_sentences(reply) if not _LOOKS_LIKE_ADVICE.search(s.text)]
    return _join(dialogue, *kept) if kept else _NOTHING_LEFT[_language(dialogue)]


@bot("1.1")
def all_advice(dialogue: Dialogue, turn: int) -> str:
    """Three stock sentences of advice."""
    return _stock(_ADVICE, dialogue, turn, 3)


@bot("1.1")
def epistemic_stuffer(dialogue: Dialogue, turn: int) -> str:
    """Five guesses at feelings, the same at every turn."""
    return _join(dialogue, *_GUESSES[_language(dialogue)])


@bot("1.1")
def verbose(dialogue: Dialogue, turn: int) -> str:
    """The gold reply and general remarks, at least twice as long again."""
    reply = gold(dialogue, turn)
    remarks: list[str] = []
    for remark in _order(_REMARKS[_language(dialogue)], dialogue, turn):
        remarks.append(remark)
        if sum(map(len, remarks)) >= 2 * len(reply):
            break
    return _join(dialogue, reply, *remarks)


@bot("1.1")
def user_quote_stuffer(dialogue: Dialogue, turn: int) -> str:
    """Every sentence of the user's in quotation marks, with an assurance that it was heard."""
    said = [s.text.strip(" \n。.!！?？") for s in split_sentences(dialogue.last_user(turn))]
    if _language(dialogue) == "zh":
        return "".join(f"你说“{text}”，我听到了。" for text in said if text)
    return " ".join(f"You said “{text}”, and I heard that." for text in said if text)


@bot("1.1")
def shuffled_gold(dialogue: Dialogue, turn: int) -> str:
    """The gold reply of another turn of this dialogue; of the same one if there is no other."""
    turns = dialogue.assistant_turns()
    step = 1 + _pick(dialogue, 0)[0] % (len(turns) - 1) if len(turns) > 1 else 0
    return gold(dialogue, turns[(turns.index(turn) + step) % len(turns)])


@bot("1.1")
def silent(dialogue: Dialogue, turn: int) -> str:
    """Nothing: no advice, no shift, nothing to copy."""
    return ""


BUILT_IN: tuple[Bot, ...] = (
    parrot,
    canned_empathy,
    append_empathy,
    no_advice,
    all_advice,
    epistemic_stuffer,
    verbose,
    user_quote_stuffer,
    shuffled_gold,
    silent,
)
"""The reference bots in the order of tables; ``gold`` is an arm of its own kind."""


@lru_cache(maxsize=1)
def bots() -> dict[str, Bot]:
    """Name -> bot, the built-in ones first, then those of other packages.

    Raises:
        BadInput: A package offers something that is no bot, or whose name is taken.
    """
    found = {built_in.name: built_in for built_in in BUILT_IN}
    for source, made in offered(GROUP, Bot):
        if made.name in found or made.name == gold.name:
            raise BadInput(f"{source}: the name {made.name} is taken", remedy="Rename it.")
        found[made.name] = made
    return found


def _language(dialogue: Dialogue) -> str:
    return language("\n".join(message.content for message in dialogue.messages))


def _pick(dialogue: Dialogue, turn: int) -> bytes:
    return hashlib.sha256(f"{dialogue.id}\x1f{turn}".encode()).digest()


def _order(sentences: Sequence[str], dialogue: Dialogue, turn: int) -> list[str]:
    """A permutation that the dialogue's id and the turn fix."""
    left = list(sentences)
    return [left.pop(byte % len(left)) for byte in _pick(dialogue, turn)[: len(sentences)]]


def _stock(table: Mapping[str, Sequence[str]], dialogue: Dialogue, turn: int, count: int) -> str:
    return _join(dialogue, *_order(table[_language(dialogue)], dialogue, turn)[:count])


def _join(dialogue: Dialogue, *sentences: str) -> str:
    return ("" if _language(dialogue) == "zh" else " ").join(s.strip() for s in sentences)
