"""The three rating scales that raters read, from ``scales.toml``.

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
from rapport_bench.human.sheets.wording import words

SCALES = tuple(Scale.model_validate(scale) for scale in words("scales.toml")["scale"])
NAMES = tuple(scale.name for scale in SCALES)
