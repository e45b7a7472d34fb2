"""Make the embedded base model: a tiny causal language model, from random weights, on CPU cores.

    python training/make_embedded_base.py --corpus smile.jsonl --out FOLDER --minutes 55
    python training/make_embedded_base.py --corpus smile.jsonl --evaluate FOLDER

The corpus is SMILE (qiuhuachuan/smile, CC0): 8,000 Chinese support dialogues, one a line. The last
7,000 are trained on; the first 1,000 stay unseen. `--evaluate` measures on the first 200 of those,
prints the figures and writes the folder's card with them.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerBase, Qwen2ForCausalLM

CORPUS_SIZE = 8000
UNSEEN = 1000
MEASURED = 200
CONTEXT = 1024
VOCABULARY = 4096
"""Rows of the embedding: a multiple of 64, some of them unused, as in Qwen."""

TOKENS = 4072
END, START, STOP = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
CHAT_TEMPLATE = (
    "{%- for message in messages -%}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\\n' }}{%- endif -%}"
)
STAGES = ((0.0, 10, 96), (0.33, 4, 256), (0.66, 1, CONTEXT))
"""(from this share of the time, sequences a step, tokens a sequence): many small steps at first."""

PEAK_LEARNING_RATE = 2e-3
FINAL_SHARE = 0.04
WARMUP_SHARE = 0.015
CHECKPOINT_SECONDS = 300.0


def read_corpus(path: Path) -> list[list[dict[str, str]]]:
    """Read the messages of every dialogue and check that this is the corpus the card names."""
    with path.open(encoding="utf-8") as lines:
        dialogues = [json.loads(line)["messages"] for line in lines]
    if len(dialogues) != CORPUS_SIZE:
        raise SystemExit(f"{path}: {len(dialogues)} dialogues, expected {CORPUS_SIZE}")
    return dialogues


def split_corpus(
    dialogues: list[list[dict[str, str]]],
) -> tuple[list[list[dict[str, str]]], list[list[dict[str, str]]]]:
    """Split into the dialogues trained on and the unseen ones, which must not overlap."""
    unseen, seen = dialogues[:UNSEEN], dialogues[UNSEEN:]
    assert len(seen) == CORPUS_SIZE - UNSEEN
    held_out = {json.dumps(d, sort_keys=True) for d in unseen}
    trained_on = [d for d in seen if json.dumps(d, sort_keys=True) not in held_out]
    assert len(trained_on) == len(seen), "a held-out dialogue stands among the last 7,000 too"
    return trained_on, unseen


def render(messages: list[dict[str, str]]) -> str:
    """What `CHAT_TEMPLATE` writes, without a template engine."""
    return "".join(f"{START}{m['role']}\n{m['content']}{STOP}\n" for m in messages)


def make_tokenizer(
    dialogues: list[list[dict[str, str]]], tokens: int = TOKENS
) -> PreTrainedTokenizerBase:
    """Train a byte-level BPE tokenizer of so many tokens, to which no text is unknown, with Qwen's splitting rule.

    transformers loads every tokenizer of a Qwen2 model with that rule, whatever its file says.
    """
    from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers, trainers
    from transformers import Qwen2Tokenizer

    core = Tokenizer(models.BPE())
    core.normalizer = Qwen2Tokenizer().backend_tokenizer.normalizer
    core.pre_tokenizer = Qwen2Tokenizer().backend_tokenizer.pre_tokenizer
    core.train_from_iterator(
        (f"{m['role']}\n{m['content']}" for dialogue in dialogues for m in dialogue),
        trainers.BpeTrainer(
            vocab_size=tokens,
            special_tokens=[AddedToken(t, special=True) for t in (END, START, STOP)],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    learned = json.loads(core.to_str())["model"]
    tokenizer = Qwen2Tokenizer(
        vocab=learned["vocab"],
        merges=[tuple(merge) for merge in learned["merges"]],
        eos_token=STOP,
        pad_token=END,
        unk_token=None,
        extra_special_tokens=[START],
        model_max_length=CONTEXT,
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


def make_model(tokenizer: PreTrainedTokenizerBase) -> Qwen2ForCausalLM:
    """Build the network with random weights."""
    from transformers import GenerationConfig, Qwen2Config, Qwen2ForCausalLM

    stop, end = tokenizer.convert_tokens_to_ids([STOP, END])
    model = Qwen2ForCausalLM(
        Qwen2Config(
            vocab_size=VOCABULARY,
            hidden_size=256,
            intermediate_size=448,
            num_hidden_layers=4,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=CONTEXT,
            tie_word_embeddings=True,
            use_cache=True,
            eos_token_id=stop,
            pad_token_id=end,
            bos_token_id=None,
        )
    )
    model.generation_config = GenerationConfig(eos_token_id=[stop, end], pad_token_id=end)
    return model


@dataclass(frozen=True, slots=True)
class Stream:
    """All training dialogues as one row of token ids, each dialogue ended by `END`."""

    ids: np.ndarray[Any, np.dtype[np.int64]]
    starts: np.ndarray[Any, np.dtype[np.int64]]

    @classmethod
    def build(
        cls, tokenizer: PreTrainedTokenizerBase, dialogues: list[list[dict[str, str]]]
    ) -> Stream:
        """Tokenise the dialogues in file order."""
        texts = [render(dialogue) + END for dialogue in dialogues]
        rows = tokenizer(texts, add_special_tokens=False, verbose=False)["input_ids"]
        lengths = np.array([len(row) for row in rows], dtype=np.int64)
        starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        return cls(np.concatenate([np.array(row, dtype=np.int64) for row in rows]), starts)

    def batch(self, count: int, length: int, rng: np.random.Generator) -> torch.Tensor:
        """Draw `count` windows of `length` + 1 tokens; full-length ones begin with a dialogue."""
        import torch

        last = len(self.ids) - length - 1
        if length == CONTEXT:
            begin = rng.choice(self.starts[self.starts <= last], size=count)
        else:
            begin = rng.integers(0, last, size=count)
        return torch.from_numpy(np.stack([self.ids[b : b + length + 1] for b in begin]))


def learning_rate(progress: float) -> float:
    """Warm up linearly, then follow a cosine, by the share of the time that has passed."""
    if progress < WARMUP_SHARE:
        return PEAK_LEARNING_RATE * progress / WARMUP_SHARE
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
    return PEAK_LEARNING_RATE * (FINAL_SHARE + (1 - FINAL_SHARE) * cosine)


class Threads:
    """How many threads the next step may use: cores that other programs keep busy are left alone.

    A parallel region ends with its slowest thread, so one thread that waits for a busy core makes
    a step ten times slower than no second thread at all.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.now = 1
        self._wall, self._busy = self._read()

    def update(self) -> None:
        """Look at the last seconds, at most every two, and set torch's thread count."""
        import torch

        wall, busy = self._read()
        if wall - self._wall >= 2:
            others = (busy - self._busy) / (wall - self._wall)
            free = round((os.cpu_count() or 1) - others + 0.2)
            self.now = max(1, min(self.most, free))
            self._wall, self._busy = wall, busy
            torch.set_num_threads(self.now)

    @staticmethod
    def _read() -> tuple[float, float]:
        """(seconds on the clock, processor seconds that other programs have used)."""
        stat = Path("/proc/stat")
        if not stat.exists():
            return time.monotonic(), 0.0
        ticks = [int(t) for t in stat.read_text(encoding="ascii").split("\n")[0].split()[1:9]]
        busy = (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")
        return time.monotonic(), busy - time.process_time()


def fit(
    model: Qwen2ForCausalLM, stream: Stream, *, minutes: float, seed: int, threads: int
) -> Iterator[dict[str, float]]:
    """Train until the time is up; yield a line of progress about every 30 seconds."""
    import torch
    from torch.nn import functional

    rng = np.random.default_rng(seed)
    matrices = [p for p in model.parameters() if p.ndim >= 2]
    vectors = [p for p in model.parameters() if p.ndim < 2]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}],
        betas=(0.9, 0.95),
        fused=True,
    )
    allowed = Threads(threads)
    begun, said, steps, tokens = time.monotonic(), 0.0, 0, 0
    losses: list[float] = []
    model.train()
    while True:
        elapsed = time.monotonic() - begun
        progress = elapsed / (minutes * 60)
        if elapsed - said >= 30 or progress >= 1:
            said, loss = elapsed, float(np.mean(losses)) if losses else math.nan
            losses = []
            yield {
                "seconds": elapsed,
                "steps": steps,
                "tokens": tokens,
                "loss": loss,
                "threads": allowed.now,
            }
        if progress >= 1:
            return
        allowed.update()
        _, count, length = [stage for stage in STAGES if stage[0] <= progress][-1]
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(progress)
        window = stream.batch(count, length, rng)
        logits = model(input_ids=window[:, :-1], use_cache=False).logits
        loss_now = functional.cross_entropy(logits.flatten(0, 1), window[:, 1:].flatten())
        loss_now.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append(loss_now.item())
        steps += 1
        tokens += count * length


def export(
    model: Qwen2ForCausalLM,
    tokenizer: PreTrainedTokenizerBase,
    out: Path,
    making: dict[str, float | int | str],
) -> None:
    """Write the folder in one move, weights as bfloat16."""
    import torch
    from transformers import Qwen2ForCausalLM

    part = out.with_name(out.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    copy = Qwen2ForCausalLM(model.config)
    copy.load_state_dict(model.state_dict())
    copy.generation_config = model.generation_config
    copy.to(torch.bfloat16).save_pretrained(part)
    tokenizer.save_pretrained(part)
    (part / "making.json").write_text(
        json.dumps(making, indent=2, sort_keys=True) + "\n", encoding="utf-8"
    )
    for file in part.iterdir():
        file.chmod(0o644)
    if out.exists():
        old = out.with_name(out.name + ".old")
        shutil.rmtree(old, ignore_errors=True)
        out.replace(old)
        shutil.rmtree(old)
    part.replace(out)


def make(
    corpus: Path, out: Path, *, start: Path | None, minutes: float, seed: int, threads: int
) -> None:
    """Train; a usable model lies in `out` from the first checkpoint on.

    From random weights, or from those of an earlier training in `start`, whose tokenizer is kept.
    """
    import torch

    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    seen, _ = split_corpus(read_corpus(corpus))
    earlier: dict[str, float] = {"minutes": 0, "steps": 0, "tokens_seen": 0}
    if start is None:
        tokenizer = make_tokenizer(seen)
        model = make_model(tokenizer)
    else:
        from transformers import AutoTokenizer, Qwen2ForCausalLM

        tokenizer = AutoTokenizer.from_pretrained(start)
        model = Qwen2ForCausalLM.from_pretrained(start, dtype=torch.float32)
        earlier |= json.loads((start / "making.json").read_text(encoding="utf-8"))
    stream = Stream.build(tokenizer, seen)
    print(f"{sum(p.numel() for p in model.parameters()):,} parameters, {len(stream.ids):,} tokens")
    saved = 0.0
    for line in fit(model, stream, minutes=minutes, seed=seed, threads=threads):
        print(json.dumps({key: round(value, 4) for key, value in line.items()}), flush=True)
        done = line["seconds"] >= minutes * 60
        if done or line["seconds"] - saved >= CHECKPOINT_SECONDS:
            saved = line["seconds"]
            making: dict[str, float | int | str] = {
                "corpus_sha256": hashlib.sha256(corpus.read_bytes()).hexdigest(),
                "corpus_tokens": len(stream.ids),
                "dialogues": len(seen),
                "minutes": round(line["seconds"] / 60 + earlier["minutes"], 1),
                "planned_minutes": minutes,
                "seed": seed,
                "started_from_minutes": earlier["minutes"],
                "steps": int(line["steps"] + earlier["steps"]),
                "threads": threads,
                "tokens_seen": int(line["tokens"] + earlier["tokens_seen"]),
                "torch": torch.__version__,
            }
            export(model, tokenizer, out, making)


def evaluate(corpus: Path, folder: Path) -> dict[str, float | int]:
    """Measure the replies of unseen dialogues, as `rapport_perplexity` does."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from rapport_tasks.dialogues.dialogue import Dialogue
    from rapport_training.lora.validation import summed_nll

    _, unseen = split_corpus(read_corpus(corpus))
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    measured = [d for d in unseen[:MEASURED] if len(tokenizer(render(d)).input_ids) <= CONTEXT]
    dialogues = [
        Dialogue.from_json({"id": str(i), "messages": messages})
        for i, messages in enumerate(measured)
    ]
    nll, tokens = summed_nll(model, tokenizer, dialogues)
    replies = [m["content"] for d in measured for m in d if m["role"] == "assistant"]
    chars = sum(len(reply) for reply in replies)
    making = json.loads((folder / "making.json").read_text(encoding="utf-8"))
    return {
        "parameters": sum(p.numel() for p in model.parameters()),
        "bytes": sum(file.stat().st_size for file in folder.iterdir()),
        "tokens_seen": making["tokens_seen"],
        "steps": making["steps"],
        "minutes": making["minutes"],
        "dialogues_measured": len(dialogues),
        "dialogues_too_long": MEASURED - len(dialogues),
        "replies": len(replies),
        "nll_per_token": round(nll / tokens, 4),
        "bits_per_char": round(nll / math.log(2) / chars, 4),
        "chars_per_token": round(chars / (tokens - len(replies)), 4),
    }


CARD = """---
license: cc0-1.0
language: [zh]
pipeline_tag: text-generation
---

# The embedded base model of rapport-bench

A tiny Qwen2-architecture language model ({parameters:,} parameters, bfloat16) with its own byte-level
tokenizer. It exists so that the harness can be tried and tested without a network or a GPU.

**It is not for talking to people, and above all not to people in distress.** It writes the register of
a support chat without understanding a word of it, and cannot tell when somebody is in danger. Figures
measured on it say that the harness works; they say nothing about any method or any other model.

## How it was made

    python training/make_embedded_base.py --corpus smile.jsonl --out FOLDER --minutes {first:g}
    python training/make_embedded_base.py --corpus smile.jsonl --start FOLDER --out FOLDER \\
        --minutes {planned:g} --seed {seed}

From random weights, by next-token prediction on the last 7,000 of the 8,000 dialogues in a sample of
SMILE (qiuhuachuan/smile, CC0; sha256 of the file `{sha256}`),
whose client and supporter lines were written by a language model from forum posts. None of the text
is included here. {tokens_seen:,} tokens in {steps:,} steps, {minutes:g} minutes on at most {threads} CPU
threads beside other work. Steps follow the clock, so another run gives other weights.

The chat template is that of Qwen1.5 without its default system prompt. Replies end with `<|im_end|>`;
a text ends with `<|endoftext|>`, which is also the padding. {unused} of the {rows} embedding rows
belong to no token, as in Qwen.

## Measured

By `python training/make_embedded_base.py --corpus smile.jsonl --evaluate FOLDER`, on assistant turns
given their true history, in float32, on the first {MEASURED} of the 1,000 dialogues that were never
trained on ({dialogues_too_long} of them exceed the context of {CONTEXT} tokens and are left out):

| | |
|---|---|
| dialogues, replies | {dialogues_measured}, {replies} |
| negative log-likelihood per token (nats) | {nll_per_token} |
| bits per character | {bits_per_char} |
| characters per token | {chars_per_token} |

## Limits

Chinese only; {CONTEXT} tokens; locally fluent at best, and incoherent beyond a sentence or two. Its
training text is synthetic, and its advice is worthless.
"""


def write_card(folder: Path, figures: dict[str, float | int]) -> None:
    """Write the model card from what was measured."""
    making = json.loads((folder / "making.json").read_text(encoding="utf-8"))
    text = CARD.format(
        **figures,
        first=making["started_from_minutes"],
        planned=making["planned_minutes"],
        sha256=making["corpus_sha256"],
        threads=making["threads"],
        seed=making["seed"],
        unused=VOCABULARY - TOKENS,
        rows=VOCABULARY,
        MEASURED=MEASURED,
        CONTEXT=CONTEXT,
    )
    (folder / "README.md").write_text(text, encoding="utf-8")


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, required=True, help="smile.jsonl, 8,000 dialogues")
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--out", type=Path, help="train, and write this folder")
    action.add_argument("--evaluate", type=Path, metavar="FOLDER", help="measure, write its card")
    parser.add_argument("--start", type=Path, metavar="FOLDER", help="go on from these weights")
    parser.add_argument("--minutes", type=float, default=55.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    if given.evaluate is not None:
        figures = evaluate(given.corpus, given.evaluate)
        print(json.dumps(figures, indent=2))
        write_card(given.evaluate, figures)
    else:
        make(
            given.corpus,
            given.out,
            start=given.start,
            minutes=given.minutes,
            seed=given.seed,
            threads=given.threads,
        )


if __name__ == "__main__":
    main()
