"""Generation: the same reply whatever the batch, ended by the right thing."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from rapport_bench.arms.generation import Generated, Prompt, generate_batch
from rapport_bench.arms.sampling import draw_top_p, noise_key
from rapport_tasks.common.protocol import Generation
from rapport_tasks.dialogues.dialogue import read_dialogues
from rapport_tasks.prompts.rendering import encode, tokenizer_renderer, turn_prompts

Loaded = tuple[Any, Any]


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
        kind: (
            AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval(),
            AutoTokenizer.from_pretrained(folder),
        )
        for kind, folder in models.items()
    }


def prompts_of(data: Path, tokenizer: Any, until: tuple[str, ...] = ()) -> list[Prompt]:
    render = tokenizer_renderer(tokenizer)
    return [
        Prompt(encode(tokenizer, p.context), noise_key(0, dialogue.id, p.turn), until)
        for dialogue in read_dialogues(data)
        for p in turn_prompts(dialogue, render)
    ]


SAMPLED = Generation(max_new_tokens=16)
GREEDY = Generation("greedy", max_new_tokens=16)


@pytest.mark.parametrize("kind", ["qwen", "plain"])
@pytest.mark.parametrize("generation", [SAMPLED, GREEDY], ids=["sampled", "greedy"])
def test_a_reply_does_not_depend_on_its_batch(kind, generation, loaded, data):
    model, tokenizer = loaded[kind]
    until = ("。",) if kind == "plain" else ()
    prompts = prompts_of(data, tokenizer, until)[:8]
    # A twelfth of the vocabulary ends a reply, so that rows leave the batch at different times.
    stop_ids = frozenset(range(0, 448, 12))
    together = generate_batch(model, tokenizer, prompts, generation, stop_ids)
    alone = [generate_batch(model, tokenizer, [p], generation, stop_ids)[0] for p in prompts]
    assert together == alone
    assert together[::-1] == generate_batch(model, tokenizer, prompts[::-1], generation, stop_ids)
    if generation is SAMPLED:
        assert len({reply.tokens for reply in together}) >= 4
        assert len({len(prompt.tokens) for prompt in prompts}) >= 3


@pytest.mark.parametrize("kind", ["qwen", "llama", "plain"])
def test_greedy_replies_are_those_of_transformers(kind, loaded, data):
    model, tokenizer = loaded[kind]
    prompts = prompts_of(data, tokenizer)[:3]
    settings = GenerationConfig(
        do_sample=False, max_new_tokens=16, eos_token_id=tokenizer.eos_token_id, pad_token_id=0
    )
    replies = generate_batch(model, tokenizer, prompts, GREEDY, frozenset({tokenizer.eos_token_id}))
    for prompt, reply in zip(prompts, replies, strict=True):
        ids = torch.tensor([prompt.tokens])
        stock = model.generate(
            ids, attention_mask=torch.ones_like(ids), generation_config=settings
        )[0, ids.shape[1] :]
        assert reply.text == tokenizer.decode(stock, skip_special_tokens=True).strip()
        assert reply.tokens == len(stock)


def test_nothing_is_read_from_the_models_generation_config(loaded, data, monkeypatch):
    model, tokenizer = loaded["qwen"]
    prompts = prompts_of(data, tokenizer)[:3]
    plain = generate_batch(model, tokenizer, prompts, GREEDY, frozenset())
    monkeypatch.setattr(
        model, "generation_config", GenerationConfig(repetition_penalty=5.0, max_length=3, top_k=1)
    )
    assert generate_batch(model, tokenizer, prompts, GREEDY, frozenset()) == plain


def test_seed_dialogue_and_turn_pick_the_reply(loaded, data):
    model, tokenizer = loaded["qwen"]
    tokens = prompts_of(data, tokenizer)[0].tokens
    keys = [noise_key(*parts) for parts in ((0, "a", 1), (1, "a", 1), (0, "b", 1), (0, "a", 3))]
    prompts = [Prompt(tokens, key, ()) for key in [*keys, keys[0]]]
    texts = [r.text for r in generate_batch(model, tokenizer, prompts, SAMPLED, frozenset())]
    assert len(set(texts)) == 4
    assert texts[0] == texts[4]


def test_each_step_of_each_reply_has_noise_of_its_own(loaded):
    tokenizer = loaded["plain"][1]
    logits = torch.zeros(1, 80)
    cache = SimpleNamespace(batch_select_indices=lambda index: None)

    def model(input_ids: torch.Tensor, **_: Any) -> Any:
        return SimpleNamespace(logits=logits.expand(len(input_ids), 1, 80), past_key_values=cache)

    model.device = torch.device("cpu")
    keys = [noise_key(0, "a", turn) for turn in (1, 3)]
    drawn = [
        [int(draw_top_p(logits, [key], [step], temperature=1, top_p=0.92)[0]) for step in range(16)]
        for key in keys
    ]
    assert len(set(drawn[0])) > 8
    replies = generate_batch(
        model, tokenizer, [Prompt((1,), key, ()) for key in keys], SAMPLED, frozenset()
    )
    assert [reply.text for reply in replies] == [
        tokenizer.decode(tokens, skip_special_tokens=True).strip() for tokens in drawn
    ]


# --- what ends a reply -------------------------------------------------------------------------


class Scripted:
    """A model that continues every prompt with the rest of a script, whose tokens are distinct."""

    device = torch.device("cpu")

    def __init__(self, script: list[int]) -> None:
        assert len(set(script)) == len(script)
        self.following = dict(pairwise(script))
        self.calls = 0

    def __call__(self, input_ids: torch.Tensor, **_: Any) -> Any:
        self.calls += 1
        logits = torch.full((len(input_ids), 1, 448), -50.0)
        for row, token in enumerate(input_ids[:, -1].tolist()):
            logits[row, 0, self.following.get(token, 0)] = 50.0
        cache = SimpleNamespace(batch_select_indices=lambda index: None)
        return SimpleNamespace(logits=logits, past_key_values=cache)


@pytest.fixture(scope="module")
def tokenizer(loaded: dict[str, Loaded]) -> Any:
    return loaded["qwen"][1]


@pytest.fixture
def scripted(tokenizer: Any) -> tuple[Scripted, Prompt, list[int]]:
    """A prompt, and a model that answers it with " abcd", a line break and a tab, "efg", then the end of the turn."""
    reply = [*tokenizer.encode(" abcd\n\tefg"), tokenizer.eos_token_id]
    start = tokenizer.encode("!")
    return Scripted(start + reply), Prompt((*start,), 0, ()), reply


@pytest.mark.parametrize("generation", [SAMPLED, GREEDY], ids=["sampled", "greedy"])
@pytest.mark.parametrize(
    ("until", "expected"),
    [
        ((), "abcd\n\tefg"),
        (("\n",), "abcd"),
        (("cd\n",), "ab"),  # spread over several tokens
        (("zz", "f", "\t"), "abcd"),
        ((" ",), ""),
        (("zz",), "abcd\n\tefg"),
    ],
)
def test_a_text_stop_ends_the_reply_and_is_left_out(
    scripted, tokenizer, until, expected, generation
):
    model, prompt, reply = scripted
    prompt = Prompt(prompt.tokens, 0, until)
    stop_ids = frozenset({tokenizer.eos_token_id})
    [generated] = generate_batch(model, tokenizer, [prompt], generation, stop_ids)
    assert (generated.text, generated.cut_off) == (expected, False)
    text = tokenizer.decode(reply[: generated.tokens])
    if any(stop in " abcd\n\tefg" for stop in until):
        assert any(stop in text for stop in until)  # the tokens that gave the stop are counted
        assert not any(stop in tokenizer.decode(reply[: generated.tokens - 1]) for stop in until)
    else:
        assert generated.tokens == len(reply)
    assert model.calls == generated.tokens  # and nothing is generated after it


def test_any_stop_token_ends_the_reply_and_is_counted_but_not_shown(scripted, tokenizer):
    model, prompt, reply = scripted
    for end in range(1, len(reply)):
        [generated] = generate_batch(
            model, tokenizer, [prompt], GREEDY, frozenset({reply[end], 447})
        )
        text = tokenizer.decode(reply[:end]).strip()
        assert generated == Generated(text, end + 1, cut_off=False)


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_the_limit_cuts_a_reply_off(scripted, tokenizer, limit):
    model, prompt, reply = scripted
    [generated] = generate_batch(
        model, tokenizer, [prompt], Generation("greedy", max_new_tokens=limit), frozenset()
    )
    assert generated == Generated(tokenizer.decode(reply[:limit]).strip(), limit, cut_off=True)
    assert model.calls == limit


def test_a_reply_that_ends_with_its_last_allowed_token_is_not_cut_off(scripted, tokenizer):
    model, prompt, reply = scripted
    for limit, stop in ((1, reply[0]), (4, reply[3])):
        [generated] = generate_batch(
            model,
            tokenizer,
            [prompt],
            Generation("greedy", max_new_tokens=limit),
            frozenset({stop}),
        )
        assert (generated.tokens, generated.cut_off) == (limit, False)


def test_rows_of_a_batch_end_each_by_its_own_stop(scripted, tokenizer):
    model, prompt, _ = scripted
    prompts = [Prompt(prompt.tokens, n, until) for n, until in enumerate([("\n",), (), ("b",)])]
    replies = generate_batch(model, tokenizer, prompts, GREEDY, frozenset({tokenizer.eos_token_id}))
    assert [reply.text for reply in replies] == ["abcd", "abcd\n\tefg", "a"]


def test_special_tokens_inside_a_reply_are_not_shown(tokenizer):
    [special] = tokenizer.encode("<|im_start|>")
    start, a, b = (tokenizer.encode(text)[0] for text in "!ab")
    model = Scripted([start, a, special, b, tokenizer.eos_token_id])
    [reply] = generate_batch(
        model, tokenizer, [Prompt((start,), 0, ())], GREEDY, frozenset({tokenizer.eos_token_id})
    )
    assert reply == Generated("ab", 4, cut_off=False)
