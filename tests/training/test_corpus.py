from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from rapport_tasks.dialogues.dialogue import Dialogue, Message
from rapport_tasks.prompts.rendering import tokenizer_renderer, turn_prompts
from rapport_training.sequences.batches import collate, keeps_packed_apart, pack
from rapport_training.sequences.corpus import (
    IGNORED,
    LabelledSequence,
    encode_corpus,
    encode_dialogues,
)

DIALOGUE = Dialogue(
    "d-1",
    (
        Message("system", "你是倾听者"),
        Message("user", "又失眠了😮‍💨"),
        Message("assistant", "听起来很累。\n几点躺下的？"),
        Message("user", "两点"),
        Message("assistant", "那真是漫长的一夜。"),
        Message("user", "嗯"),
    ),
)


def labelled_text(sequence: LabelledSequence, tokenizer: Any) -> list[str]:
    """The text under each unbroken run of labels."""
    runs: list[list[int]] = []
    for before, label in zip((IGNORED, *sequence.labels), sequence.labels, strict=False):
        if label != IGNORED:
            if before == IGNORED:
                runs.append([])
            runs[-1].append(label)
    return [tokenizer.decode(run) for run in runs]


def encode_one(dialogue: Dialogue, *arguments: Any, **options: Any) -> list[LabelledSequence]:
    (sequences,) = encode_dialogues([dialogue], *arguments, **options)
    return sequences


def test_labels_cover_exactly_reply_and_end_of_turn(tokenizer: Any) -> None:
    (sequence,) = encode_one(DIALOGUE, tokenizer, tokenizer_renderer(tokenizer))
    assert labelled_text(sequence, tokenizer) == [
        "听起来很累。\n几点躺下的？<|im_end|>",
        "那真是漫长的一夜。<|im_end|>",
    ]
    for token, label in zip(sequence.tokens, sequence.labels, strict=True):
        assert label in (token, IGNORED)


def test_training_sees_the_bytes_that_evaluation_scores(tokenizer: Any) -> None:
    render = tokenizer_renderer(tokenizer)
    (sequence,) = encode_one(DIALOGUE, tokenizer, render)
    last = turn_prompts(DIALOGUE, render)[-1]
    assert tokenizer.decode(sequence.tokens) == last.context + last.continuation


def test_a_model_without_a_template_is_trained_on_the_plain_one(tokenizer: Any) -> None:
    class Plain:
        chat_template = None

        def __call__(self, texts: list[str], **kwargs: Any) -> Any:
            return tokenizer(texts, **kwargs)

        def apply_chat_template(self, messages: Any, **kwargs: Any) -> Any:
            return tokenizer.apply_chat_template(messages, **kwargs)

    (sequence,) = encode_one(DIALOGUE, Plain(), tokenizer_renderer(Plain()))
    assert labelled_text(sequence, tokenizer)[-1] == "那真是漫长的一夜。\n"


def test_loss_on_all_labels_everything(tokenizer: Any) -> None:
    render = tokenizer_renderer(tokenizer)
    (sequence,) = encode_one(DIALOGUE, tokenizer, render, loss_on="all")
    assert sequence.labels == sequence.tokens


def test_a_template_that_rewrites_history_gives_one_sequence_a_turn(tokenizer: Any) -> None:
    stable = tokenizer_renderer(tokenizer)

    def with_summary(messages: list[dict[str, str]], add_generation_prompt: bool = True) -> str:
        late = any(m["content"] == "两点" for m in messages)
        return ("深夜|" if late else "") + stable(messages, add_generation_prompt)

    sequences = encode_one(DIALOGUE, tokenizer, with_summary)
    assert [labelled_text(sequence, tokenizer) for sequence in sequences] == [
        ["听起来很累。\n几点躺下的？<|im_end|>"],
        ["那真是漫长的一夜。<|im_end|>"],
    ]
    assert [tokenizer.decode(s.tokens[:5]).startswith("深") for s in sequences] == [False, True]


def test_over_long_and_broken_dialogues_are_counted_not_cut(tokenizer: Any) -> None:
    long = Dialogue("long", (Message("user", "累" * 400), Message("assistant", "嗯，我在听。")))
    broken = Dialogue("broken", (Message("assistant", "你好"), Message("user", "你好")))
    render = tokenizer_renderer(tokenizer)
    corpus = encode_corpus([DIALOGUE, long, broken], tokenizer, render, max_length=300)
    assert (corpus.dialogues, corpus.overlong) == (1, 1)
    assert corpus.skipped == {"starts_with_assistant": 1}
    assert corpus.sequences == tuple(encode_one(DIALOGUE, tokenizer, render))


def test_a_dialogue_of_exactly_the_length_is_kept(tokenizer: Any) -> None:
    render = tokenizer_renderer(tokenizer)
    length = len(encode_one(DIALOGUE, tokenizer, render)[0].tokens)
    assert encode_corpus([DIALOGUE], tokenizer, render, max_length=length).overlong == 0
    assert encode_corpus([DIALOGUE], tokenizer, render, max_length=length - 1).overlong == 1


def test_dialogues_are_encoded_together_as_one_by_one(tokenizer: Any) -> None:
    """More of them than a tokenizer is given at once, and each its own turns."""
    render = tokenizer_renderer(tokenizer)
    dialogues = [
        Dialogue(
            f"d-{n}",
            tuple(
                Message("user" if i % 2 == 0 else "assistant", f"第{n}段的第{i}句")
                for i in range(2 + 2 * (n % 3))
            ),
        )
        for n in range(150)
    ]
    together = encode_corpus(dialogues, tokenizer, render, max_length=1024)
    one_by_one = [s for d in dialogues for s in encode_one(d, tokenizer, render)]
    assert together.sequences == tuple(one_by_one)
    assert len(one_by_one) == 150


def sequences_of(*lengths: int) -> list[LabelledSequence]:
    return [
        LabelledSequence(
            tuple(range(10 * n, 10 * n + length)), tuple(range(10 * n, 10 * n + length))
        )
        for n, length in enumerate(lengths, start=1)
    ]


def test_packing_keeps_every_sequence_once_and_within_length() -> None:
    sequences = sequences_of(5, 9, 3, 1, 7, 4)
    rows = pack(sequences, 10)
    assert sorted(s.tokens for row in rows for s in row) == sorted(s.tokens for s in sequences)
    assert max(sum(len(s.tokens) for s in row) for row in rows) <= 10
    assert len(rows) == 3


def test_packing_a_quarter_of_a_million_dialogues_takes_seconds() -> None:
    lengths = np.random.default_rng(0).lognormal(6, 0.5, 250_000).clip(20, 1024).astype(int)
    shared = [LabelledSequence(tuple(range(n)), ()) for n in range(1025)]
    began = time.process_time()
    rows = pack([shared[n] for n in lengths], 1024)
    assert time.process_time() - began < 20  # comparing with every row would take hours
    assert sum(len(row) for row in rows) == 250_000
    fill = lengths.sum() / len(rows) / 1024
    assert fill > 0.98


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_packed_dialogues_do_not_see_each_other(tiny_model: Path, attention: str) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny_model, attn_implementation=attention)
    sequences = sequences_of(6, 5, 4)
    assert not keeps_packed_apart(model, sequences)
    model.config.use_cache = False
    apart = collate([(sequence,) for sequence in sequences])
    packed = collate([tuple(sequences[:2]), (sequences[2],)])
    assert keeps_packed_apart(model, sequences)
    with torch.inference_mode():
        torch.testing.assert_close(model(**apart).loss, model(**packed).loss)
        masked = model(
            input_ids=apart["input_ids"],
            attention_mask=torch.tensor([[1] * n + [0] * (6 - n) for n in (6, 5, 4)]),
            labels=apart["labels"],
        )
        torch.testing.assert_close(masked.loss, model(**apart).loss)


class Rounding(torch.nn.Module):
    """Logits that rounding leaves off by 1 % of the largest, differently at each length of a row."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Any, position_ids: Any) -> Any:
        found = self.model(input_ids=input_ids, position_ids=position_ids)
        width = input_ids.shape[1]
        wave = torch.linspace(0, width * 100, found.logits.numel()).sin()
        found.logits += 0.01 * found.logits[:, -16:].abs().max() * wave.view_as(found.logits)
        return found

    @property
    def device(self) -> torch.device:
        device: torch.device = self.model.device
        return device

    def get_input_embeddings(self) -> Any:
        return self.model.get_input_embeddings()


def test_rounding_is_no_leak_between_packed_dialogues(tiny_model: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny_model)
    sequences = sequences_of(16, 16)
    model.config.use_cache = False
    assert keeps_packed_apart(Rounding(model), sequences)
    model.config.use_cache = True  # nothing keeps them apart then
    assert not keeps_packed_apart(Rounding(model), sequences)


def test_a_model_that_goes_on_counting_does_not_keep_packed_dialogues_apart(
    tiny_model: Path,
) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny_model)
    model.config.use_cache = False
    first, second = sequences_of(16, 16)

    class Counting(Rounding):
        """Blind to the first sequence, but not to how long it is."""

        def forward(self, input_ids: Any, position_ids: Any) -> Any:
            found = self.model(input_ids=input_ids, position_ids=position_ids)
            found.logits *= 1 + 0.2 * (input_ids.shape[1] > len(second.tokens))
            return found

    assert not keeps_packed_apart(Counting(model), [first, second])
