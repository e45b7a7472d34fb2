"""Perplexity of assistant turns given their true history.

``nll_per_token = sum NLL / sum tokens`` in nats, lower is better; ``perplexity = exp`` of it;
``bits_per_char = sum NLL / (ln 2 * sum characters)``, where characters are Unicode code points of the
replies. Template tokens are not scored; the end-of-turn token is. All three come from one set of
sums, so they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Sequence

from rapport_tasks.common.record import Record
from rapport_tasks.dialogues.dialogue import Dialogue

Likelihood = tuple[float | None, bool] | tuple[float | None, bool, int]
"""(log-probability in nats, is greedy[, scored tokens]). Stock lm-eval gives no token count;
a log-probability of `None` says that the turn exceeds the model's context."""


def likelihood_record(dialogue: Dialogue, responses: Sequence[Likelihood]) -> Record:
    """Sum up one dialogue.

    Columns: ``nll_sum`` (nats), ``tokens``, ``chars``, ``likelihood_turns`` (scored), ``turns`` (all).
    Turns beyond the model's context are unscored (``overlong``). Without token counts ``tokens`` is
    0 and token perplexity is unscored (``no_token_counts``); bits per character remains.

    >>> from rapport_tasks.dialogues.dialogue import Message
    >>> d = Dialogue("a", (Message("user", "我很累"), Message("assistant", "辛苦了")))
    >>> record = likelihood_record(d, [(-6.0, False, 4)])
    >>> record.columns["nll_sum"], record.columns["tokens"], record.columns["chars"]
    (6.0, 4, 3)
    """
    record = Record({"nll_sum": 0.0, "tokens": 0, "chars": 0, "likelihood_turns": 0, "turns": 0})
    for turn, response in zip(dialogue.assistant_turns(), responses, strict=True):
        record.add("turns", 1)
        logprob = response[0]
        if logprob is None:
            record.miss("nll_per_token", turn, "overlong")
            continue
        record.add("nll_sum", -logprob)
        record.add("chars", len(dialogue.messages[turn].content))
        record.add("likelihood_turns", 1)
        if len(response) == 3:
            record.add("tokens", response[2])
        else:
            record.miss("nll_per_token", turn, "no_token_counts")
    return record
