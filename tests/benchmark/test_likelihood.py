"""Log-likelihoods of replies: stock lm-eval's values from one pass a dialogue."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, AutoTokenizer, CohereConfig, CohereForCausalLM

from rapport_bench.arms import likelihood
from rapport_bench.arms.likelihood import (
    Pass,
    Scored,
    Span,
    hidden_states_of,
    merge_prefixes,
    plan_batches,
    score_batch,
)
from rapport_tasks.dialogues.dialogue import read_dialogues
from rapport_tasks.prompts.rendering import TurnPrompt, encode, tokenizer_renderer, turn_prompts

KINDS = ("qwen", "llama", "plain")


class Loaded(NamedTuple):
    model: Any
    tokenizer: Any


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Threads only wait for each other over matrices as small as these."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def loaded(models: dict[str, Path], one_thread: None) -> dict[str, Loaded]:
    return {
        kind: Loaded(
            AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval(),
            AutoTokenizer.from_pretrained(folder),
        )
        for kind, folder in models.items()
    }


def span(tokenizer: Any, context: str, continuation: str) -> Span:
    return Span(encode(tokenizer, context + continuation), len(encode(tokenizer, context)))


def prompts_of(data: Path, tokenizer: Any) -> list[list[TurnPrompt]]:
    render = tokenizer_renderer(tokenizer)
    return [turn_prompts(dialogue, render) for dialogue in read_dialogues(data)]


def score(model: Any, spans: list[Span], passes: list[Pass] | None = None) -> list[Scored]:
    passes = merge_prefixes(spans) if passes is None else passes
    scores = score_batch(model, hidden_states_of(model), passes, spans)
    return [scores[i] for i in range(len(spans))]


def unmerged(spans: list[Span]) -> list[Pass]:
    return [Pass(s.tokens, (i,)) for i, s in enumerate(spans)]


def assert_same(one: list[Scored], other: list[Scored]) -> None:
    assert [s.logprob for s in one] == pytest.approx([s.logprob for s in other], abs=1e-4, rel=0)
    assert [(s.greedy, s.tokens) for s in one] == [(s.greedy, s.tokens) for s in other]


# --- values ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_values_are_those_of_stock_lm_eval(kind, loaded, data):
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    model, tokenizer = loaded[kind]
    prompts = [p for turns in prompts_of(data, tokenizer) for p in turns]
    ours = score(model, [span(tokenizer, p.context, p.continuation) for p in prompts])
    stock = HFLM(
        pretrained=model, tokenizer=tokenizer, device="cpu", batch_size=4, max_length=512,
        softmax_dtype="float32",
    ).loglikelihood(
        [Instance("loglikelihood", {}, (p.context, p.continuation), 0) for p in prompts],
        disable_tqdm=True,
    )  # fmt: skip
    # Stock lm-eval moves white space at the context's end into the continuation.
    moved = [(p.context.rstrip(), p.context[len(p.context.rstrip()) :]) for p in prompts]
    assert all(space == ("\n" if kind == "qwen" else "") for _, space in moved)
    spaces = [span(tokenizer, context, space) for context, space in moved if space]
    extra = [s.logprob for s in score(model, spaces)] if spaces else [0.0] * len(prompts)
    assert [s.logprob + e for s, e in zip(ours, extra, strict=True)] == pytest.approx(
        [logprob for logprob, _ in stock], abs=1e-3, rel=0
    )
    assert len(ours) == 16
    assert max(s.logprob for s in ours) < -10  # the agreement is not one of zeros
    for scored, prompt in zip(ours, prompts, strict=True):
        whole = encode(tokenizer, prompt.context + prompt.continuation)
        assert scored.tokens == len(whole) - len(encode(tokenizer, prompt.context))


def test_a_continuation_is_greedy_only_if_every_token_is(loaded):
    model, _ = loaded["qwen"]
    tokens = [5, 6, 7]
    with torch.inference_mode():
        for _ in range(3):
            tokens.append(int(model(torch.tensor([tokens])).logits[0, -1].argmax()))
    wrong = (tokens[-1] + 1) % 448
    spans = [Span((*tokens,), 3), Span((*tokens[:-1], wrong), 3), Span((*tokens[:4], wrong), 4)]
    assert [s.greedy for s in score(model, spans)] == [True, False, False]


# --- one pass a dialogue -----------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_one_pass_a_dialogue_gives_the_values_of_one_a_turn(kind, loaded, data):
    model, tokenizer = loaded[kind]
    dialogues = prompts_of(data, tokenizer)
    spans = [span(tokenizer, p.context, p.continuation) for turns in dialogues for p in turns]
    passes = merge_prefixes(spans)
    assert (len(passes), len(dialogues), len(spans)) == (6, 6, 16)
    assert_same(score(model, spans, passes), score(model, spans, unmerged(spans)))


def test_a_broken_prefix_keeps_a_pass_of_its_own(loaded):
    model, _ = loaded["qwen"]
    spans = [
        Span((1, 2, 3, 4), 2),
        Span((1, 2, 3, 4, 5, 6), 4),
        Span((1, 2, 9, 4, 5, 6, 7), 5),  # token 2 differs: merged with neither
        Span((1, 2, 3, 4, 5, 6), 1),  # the same tokens, scored from elsewhere
    ]
    passes = merge_prefixes(spans)
    assert passes == [Pass(spans[2].tokens, (2,)), Pass(spans[1].tokens, (0, 1, 3))]
    assert_same(score(model, spans, passes), score(model, spans, unmerged(spans)))


SEQUENCES = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=6), max_size=12)
PROPERTY = settings(max_examples=200, deadline=None, derandomize=True, database=None)


@PROPERTY
@given(SEQUENCES)
def test_merging_answers_each_request_once_from_a_longer_one(sequences):
    spans = [Span((0, *tokens), 1) for tokens in sequences]
    passes = merge_prefixes(spans)
    assert sorted(r for row in passes for r in row.requests) == list(range(len(spans)))
    for row in passes:
        for request in row.requests:
            assert row.tokens[: len(spans[request].tokens)] == spans[request].tokens
        assert row.tokens in {spans[request].tokens for request in row.requests}
    # As few passes as there are sequences that no other one continues.
    distinct = {s.tokens for s in spans}
    leaves = {t for t in distinct if not any(o != t and o[: len(t)] == t for o in distinct)}
    assert sorted(row.tokens for row in passes) == sorted(leaves)
    lengths = [len(row.tokens) for row in passes]
    assert lengths == sorted(lengths, reverse=True)
    assert [row.tokens for row in merge_prefixes(spans[::-1])] == [row.tokens for row in passes]


@PROPERTY
@given(st.lists(st.integers(1, 300), max_size=40), st.integers(1, 1000))
def test_batches_cover_all_rows_in_order_within_the_budget(lengths, budget):
    lengths = sorted(lengths, reverse=True)
    batches = plan_batches(lengths, budget)
    assert [i for batch in batches for i in batch] == list(range(len(lengths)))
    for batch in batches:
        padded = len(batch) * lengths[batch[0]]
        assert padded <= budget or len(batch) == 1
        if batch[-1] + 1 < len(lengths):  # one more row would not have fitted
            assert padded + lengths[batch[0]] > budget


# --- the head on scored positions --------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_the_head_on_scored_positions_gives_the_models_own_logits(kind, loaded, data, monkeypatch):
    model, tokenizer = loaded[kind]
    spans = [span(tokenizer, p.context, p.continuation) for p in prompts_of(data, tokenizer)[1]]
    hidden_states = hidden_states_of(model)
    assert hidden_states is not None
    passes = merge_prefixes(spans)
    through_head = score_batch(model, hidden_states, passes, spans)
    full = score_batch(model, None, passes, spans)
    assert_same([through_head[i] for i in range(3)], [full[i] for i in range(3)])
    monkeypatch.setattr(likelihood, "_CHUNK_ELEMENTS", 448 * 3)  # three positions at a time
    for states in (hidden_states, None):
        chunked = score_batch(model, states, passes, spans)
        assert_same([chunked[i] for i in range(3)], [full[i] for i in range(3)])


def test_a_model_that_scales_its_logits_takes_the_full_pass():
    torch.manual_seed(0)
    config = CohereConfig(
        vocab_size=64, hidden_size=16, intermediate_size=32, num_hidden_layers=1,
        num_attention_heads=2, logit_scale=0.25, pad_token_id=0, bos_token_id=1, eos_token_id=2,
    )  # fmt: skip
    model = CohereForCausalLM(config).eval()
    assert hidden_states_of(model) is None
    tokens = (3, 4, 5, 6)
    with torch.inference_mode():
        logp = torch.log_softmax(model(torch.tensor([tokens])).logits[0], -1)
    expected = float(logp[1, 5] + logp[2, 6])
    assert score(model, [Span(tokens, 2)])[0].logprob == pytest.approx(expected, abs=1e-5)


def test_an_adapter_is_scored_through_its_base(loaded, adapters):
    from peft import PeftModel

    base, _ = loaded["qwen"]
    spans = [Span((5, 6, 7, 8, 9), 2)]
    before = score(base, spans)[0].logprob
    fresh = AutoModelForCausalLM.from_pretrained(base.name_or_path, dtype=torch.float32).eval()
    adapted = PeftModel.from_pretrained(fresh, adapters["a"]).eval()
    through_head = score(adapted, spans)[0].logprob
    with torch.inference_mode():
        logp = torch.log_softmax(adapted(torch.tensor([spans[0].tokens])).logits[0], -1)
    expected = sum(float(logp[i - 1, spans[0].tokens[i]]) for i in (2, 3, 4))
    assert through_head == pytest.approx(expected, abs=1e-4)
    assert abs(through_head - before) > 0.1
    with adapted.disable_adapter():
        assert score(adapted, spans)[0].logprob == before
