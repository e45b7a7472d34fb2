"""The three rating scales: what raters read.

Each is a five-point scale with words at 1, 3 and 5; 2 and 4 lie between. The wording is this project's
own; what it asks about follows

* empathic resonance: the three mechanisms of EPITOME (Sharma, Miner, Atkins & Althoff 2020, "A
  computational approach to understanding empathy expressed in text-based mental health support", EMNLP):
  emotional reaction, interpretation, exploration; and the global empathy rating of MITI 4 (Moyers,
  Rowell, Manuel, Ernst & Houck 2016, Journal of Substance Abuse Treatment 65), which asks for an
  understanding of what was meant beyond what was said. Stock phrases are named as low, since both
  instruments reward specific understanding.
* conversational coherence: relevance and consistency as Finch & Choi (2020, "Towards unified dialogue
  system evaluation", SIGDIAL) tell them apart from fluency and from quality as a whole.
* advice appropriateness: MITI 4 counts persuading without permission against the counsellor, and Feng
  (2009, "Testing an integrated model of advice giving in supportive interactions", Human Communication
  Research 35) finds advice better received after emotional support and after the problem was asked
  about. A reply without advice is rated too: whether none was right. Otherwise silence would be
  missing, or win.
"""

from __future__ import annotations

from rapport_bench.human.sheets.study import Scale

SCALES: tuple[Scale, ...] = (
    Scale(
        name="empathic_resonance",
        points=5,
        label={"zh": "共情共鸣", "en": "Empathic resonance"},
        definition={
            "zh": "回复是否真正理解了对方的感受和处境，并让对方感到被理解。看它说中了多少，而不是用了多少"
            "安慰的词。套话（放在谁身上都合适的话）不算理解。",
            "en": "Does the reply understand what this person feels and is going through, and would they "
            "feel understood? Judge how well it grasps them, not how many kind words it uses. Stock "
            "phrases that would suit anyone do not count as understanding.",
        },
        anchors={
            "1": {
                "zh": "没有回应感受：忽视、说教、否定或责备，或者像没有听见一样。",
                "en": "No response to the feelings: ignores, lectures, dismisses or blames, as if "
                "nothing had been heard.",
            },
            "3": {
                "zh": "提到了感受，但很笼统，或只是重复对方的原话；方向对，没有说到点子上。",
                "en": "Names feelings, but in general terms or by repeating the person's words; on the "
                "right track, not to the point.",
            },
            "5": {
                "zh": "准确说出这个人此刻的感受和原因，包括没有明说的部分；或温和地探问，让人愿意说下去。",
                "en": "Grasps what this person feels now and why, including what was left unsaid, or "
                "explores it gently, so that they would want to go on.",
            },
        },
    ),
    Scale(
        name="conversational_coherence",
        points=5,
        label={"zh": "对话连贯", "en": "Conversational coherence"},
        definition={
            "zh": "回复是否接得上对方刚说的话，与前面的对话一致，语句通顺。不看它是否温暖，也不看建议好坏。",
            "en": "Does the reply connect to what the person just said, agree with the conversation so "
            "far, and read well? Leave aside how warm it is and whether its advice is good.",
        },
        anchors={
            "1": {
                "zh": "答非所问、自相矛盾、与前文冲突，或语句混乱难以读懂。",
                "en": "Off topic, contradicts itself or the conversation, or too garbled to follow.",
            },
            "3": {
                "zh": "大体接得上，但有一部分跑题、重复前面的话，或转折生硬。",
                "en": "Connects on the whole, but drifts in part, repeats what was said before, or turns "
                "abruptly.",
            },
            "5": {
                "zh": "直接承接对方最后的话，记得前面的内容，自然地把对话向前推进。",
                "en": "Takes up the person's last words, remembers what came before, and moves the "
                "conversation on naturally.",
            },
        },
    ),
    Scale(
        name="advice_appropriateness",
        points=5,
        label={"zh": "建议得当", "en": "Advice appropriateness"},
        definition={
            "zh": "回复给不给建议、给什么建议，是否适合这个人此刻的需要：时机、内容、语气。没有给建议的"
            "回复也要评分：此时不给建议是否合适。",
            "en": "Is the advice, or the lack of it, right for what this person needs now: timing, "
            "content and tone? Rate replies without advice too: was it right to give none?",
        },
        anchors={
            "1": {
                "zh": "建议有害、不切实际或命令式；或对方只想倾诉却急着支招；或对方明确求助却完全回避。",
                "en": "Harmful, unrealistic or commanding; or advice pressed on someone who wants to be "
                "heard; or a plain request for help left unanswered.",
            },
            "3": {
                "zh": "无害但泛泛（多休息、想开点之类），或时机稍早、稍晚，或说得太多。",
                "en": "Harmless but general (rest more, think positive), or somewhat early or late, or "
                "too much of it.",
            },
            "5": {
                "zh": "正合需要：具体可行、尊重对方的选择、时机恰当；或此时只倾听、不给建议正合适。",
                "en": "Just what is needed: specific, feasible, well timed, leaving the choice to the "
                "person; or rightly only listening for now.",
            },
        },
    ),
)

NAMES: tuple[str, ...] = tuple(scale.name for scale in SCALES)
