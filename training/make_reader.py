"""Train the small model of support dialogue from random weights, on CPU cores or a GPU, in as many sittings as it takes.

    corpora="--corpus smile.jsonl --corpus smile_more.jsonl.zst"
    python training/make_reader.py train $corpora --out FOLDER --minutes 120
    python training/make_reader.py finish $corpora --out FOLDER --to MODEL --minutes 30
    python training/make_reader.py measure MODEL $corpora
    python training/make_reader.py sample MODEL $corpora --count 50

`train` goes on where the folder's checkpoint stands, at a constant learning rate; `finish` lets the rate
fall to zero on a copy, which is the model. The corpora are SMILE (qiuhuachuan/smile, CC0), to which the
project's own training dialogues are added. The first 1,000 dialogues of ``smile.jsonl`` stay unseen, and
so does every dialogue whose opening shares text with one of theirs: several were written from one question.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import math
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from make_embedded_base import END, STOP, Threads, make_tokenizer, render

if TYPE_CHECKING:
    import torch

UNSEEN = 1000
CONTEXT = 1024
ROWS = 6144
"""Rows of the embedding: a multiple of 64, some of them unused, as in Qwen."""

TOKENS = 6112
SHAPE = {
    "hidden_size": 256,
    "intermediate_size": 704,
    "num_hidden_layers": 5,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}
SHARED_OPENING = 0.3
"""Share of an opening's 13-character grams above which two openings are one question."""

OWN_REPEATS = 2
"""How often an epoch holds the project's own dialogues, which are few."""

TOKENIZER_EVERY = 6
"""The tokenizer is learned from every sixth dialogue: from all, it takes many gigabytes."""

STEP_TOKENS = 8192
ROW_TOKENS = 512
MATRIX_RATE, VECTOR_RATE = 0.02, 3e-3
WARMUP_STEPS = 100
SAVE_SECONDS = 300.0

Messages = list[dict[str, str]]


def read_corpus(path: Path) -> list[Messages]:
    """The messages of every dialogue of a JSONL file, which may be compressed by zstandard."""
    import zstandard

    with path.open("rb") as raw:
        plain = zstandard.ZstdDecompressor().stream_reader(raw) if path.suffix == ".zst" else raw
        lines = io.TextIOWrapper(plain, encoding="utf-8")
        return [json.loads(line)["messages"] for line in lines if line.strip()]


def _grams(messages: Messages) -> set[str]:
    text = messages[0]["content"]
    return {text[i : i + 13] for i in range(max(1, len(text) - 12))}


def split_corpora(paths: Sequence[Path]) -> tuple[list[Messages], list[Messages]]:
    """(dialogues to learn from, unseen dialogues); the first file's first lines are unseen."""
    from rapport_tasks.dialogues.builtin import TRAINING_EN, TRAINING_ZH

    first, *more = (read_corpus(path) for path in paths)
    unseen = first[:UNSEEN]
    held_out = set[str]().union(*map(_grams, unseen))
    seen = []
    for dialogue in [*first[UNSEEN:], *(d for dialogues in more for d in dialogues)]:
        grams = _grams(dialogue)
        if len(grams & held_out) <= SHARED_OPENING * len(grams):
            seen.append(dialogue)
    own = [d for path in (TRAINING_ZH, TRAINING_EN) for d in read_corpus(path)]
    return seen + OWN_REPEATS * own, unseen


def make_model(tokenizer: Any) -> Any:
    """The network with random weights; what is added to the residual stream starts at zero."""
    import torch
    from transformers import GenerationConfig, Qwen2Config, Qwen2ForCausalLM

    stop, end = tokenizer.convert_tokens_to_ids([STOP, END])
    model = Qwen2ForCausalLM(
        Qwen2Config(
            **SHAPE,
            vocab_size=ROWS,
            max_position_embeddings=CONTEXT,
            tie_word_embeddings=True,
            eos_token_id=stop,
            pad_token_id=end,
            bos_token_id=None,
        )
    )
    model.generation_config = GenerationConfig(eos_token_id=[stop, end], pad_token_id=end)
    with torch.no_grad():
        for layer in model.model.layers:
            layer.self_attn.o_proj.weight.zero_()
            layer.mlp.down_proj.weight.zero_()
    return model


def optimizers(model: Any) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside the layers, AdamW for embeddings, norms and biases."""
    import torch

    inner = [p for n, p in model.named_parameters() if p.ndim == 2 and "embed" not in n]
    outer = [p for n, p in model.named_parameters() if p.ndim != 2 or "embed" in n]
    return [
        torch.optim.Muon(inner, lr=MATRIX_RATE, weight_decay=0.05, momentum=0.95),
        torch.optim.AdamW(outer, lr=VECTOR_RATE, weight_decay=0.0, betas=(0.9, 0.95), fused=True),
    ]


class Rows:
    """All dialogues, shuffled anew each epoch, as rows of `ROW_TOKENS` + 1 tokens, each seen once."""

    def __init__(self, tokenizer: Any, dialogues: Sequence[Messages]) -> None:
        texts = [render(dialogue) + END for dialogue in dialogues]
        rows = tokenizer(texts, add_special_tokens=False, verbose=False)["input_ids"]
        self._dialogues = [np.array(row, dtype=np.int32) for row in rows]
        self.tokens = sum(map(len, self._dialogues))
        self._epoch, self._ids = -1, np.zeros(0, dtype=np.int32)

    def step(self, number: int) -> torch.Tensor:
        """The rows of a step; the same ones whenever it is asked for."""
        import torch

        count = STEP_TOKENS // ROW_TOKENS
        per_epoch = self.tokens // STEP_TOKENS - 1
        epoch, place = divmod(number, per_epoch)
        if epoch != self._epoch:
            order = np.random.default_rng(epoch).permutation(len(self._dialogues))
            self._epoch, self._ids = epoch, np.concatenate([self._dialogues[i] for i in order])
        begin = place * STEP_TOKENS
        window = self._ids[begin : begin + STEP_TOKENS + 1].astype(np.int64)
        index = np.arange(count)[:, None] * ROW_TOKENS + np.arange(ROW_TOKENS + 1)[None]
        return torch.from_numpy(window[index])


def fit(
    model: Any,
    optimizing: Sequence[torch.optim.Optimizer],
    rows: Rows,
    *,
    step: int,
    minutes: float,
    falling: bool,
    threads: int,
) -> Iterator[dict[str, float]]:
    """Train until the time is up; yields after every step what it came to."""
    import torch

    device = model.device.type
    fast = device == "cuda" or _has_bfloat16()
    allowed = Threads(threads)
    begun = time.monotonic()
    rates = [[group["lr"] for group in o.param_groups] for o in optimizing]
    model.train()
    while (passed := (time.monotonic() - begun) / 60) < minutes:
        factor = min(1.0, (step + 1) / WARMUP_STEPS)
        if falling:
            factor = max(0.0, 1 - passed / minutes)
        for optimizer, peaks in zip(optimizing, rates, strict=True):
            for group, peak in zip(optimizer.param_groups, peaks, strict=True):
                group["lr"] = peak * factor
        batch, total = rows.step(step), 0.0
        parts = batch.split(4 if device == "cpu" else len(batch))
        for part in parts:
            allowed.update()
            part = part.to(model.device)
            with torch.autocast(device, dtype=torch.bfloat16, enabled=fast):
                logits = model(input_ids=part[:, :-1], use_cache=False).logits
            loss = torch.nn.functional.cross_entropy(
                logits.float().flatten(0, 1), part[:, 1:].flatten()
            )
            (loss / len(parts)).backward()
            total += loss.item() / len(parts)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizing:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        step += 1
        yield {"step": step, "loss": total, "minutes": passed, "threads": allowed.now}
    for optimizer, peaks in zip(optimizing, rates, strict=True):
        for group, peak in zip(optimizer.param_groups, peaks, strict=True):
            group["lr"] = peak


def _has_bfloat16() -> bool:
    cpu = Path("/proc/cpuinfo")
    return cpu.exists() and "avx512_bf16" in cpu.read_text(encoding="ascii")


def train(paths: Sequence[Path], out: Path, *, minutes: float, threads: int) -> None:
    """Begin or go on; the checkpoint in `out` is replaced in one move every few minutes."""
    import torch
    from transformers import AutoTokenizer

    torch.manual_seed(0)
    torch.set_num_threads(threads)
    out.mkdir(parents=True, exist_ok=True)
    dialogues, _ = split_corpora(paths)
    if (out / "tokenizer.json").is_file():
        tokenizer = AutoTokenizer.from_pretrained(out)
    else:
        tokenizer = make_tokenizer(dialogues[::TOKENIZER_EVERY], TOKENS)
        tokenizer.save_pretrained(out)
    rows = Rows(tokenizer, dialogues)
    model = make_model(tokenizer).to("cuda" if torch.cuda.is_available() else "cpu")
    optimizing = optimizers(model)
    state: dict[str, Any] = {"step": 0, "minutes": 0.0}
    if (out / "checkpoint.pt").is_file():
        state = torch.load(out / "checkpoint.pt", map_location=model.device, weights_only=True)
        model.load_state_dict(state["model"])
        for optimizer, kept in zip(optimizing, state["optimizers"], strict=True):
            optimizer.load_state_dict(kept)
    making = {
        "corpora_sha256": {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in paths},
        "dialogues": len(dialogues),
        "tokens_an_epoch": rows.tokens,
    }
    print(
        f"{sum(p.numel() for p in model.parameters()):,} parameters", json.dumps(making), flush=True
    )
    before, saved, losses = state["minutes"], time.monotonic(), []
    for line in fit(
        model, optimizing, rows, step=state["step"], minutes=minutes, falling=False, threads=threads
    ):
        losses.append(line["loss"])
        if len(losses) == 20:
            print(json.dumps(line | {"loss": round(float(np.mean(losses)), 4)}), flush=True)
            losses = []
        if time.monotonic() - saved >= SAVE_SECONDS or line["minutes"] >= minutes - 0.2:
            saved = time.monotonic()
            _save(model, optimizing, line, before, making, out)


def _save(
    model: Any,
    optimizing: Sequence[torch.optim.Optimizer],
    line: dict[str, float],
    before: float,
    making: dict[str, Any],
    out: Path,
) -> None:
    import torch

    state = {
        "model": model.state_dict(),
        "optimizers": [optimizer.state_dict() for optimizer in optimizing],
        "step": int(line["step"]),
        "minutes": before + line["minutes"],
        "making": making,
    }
    part = out / "checkpoint.part"
    torch.save(state, part)
    part.replace(out / "checkpoint.pt")


def finish(paths: Sequence[Path], out: Path, to: Path, *, minutes: float, threads: int) -> None:
    """Let the learning rate of a copy fall to zero, and write it as a model of transformers."""
    import torch
    from transformers import AutoTokenizer

    torch.set_num_threads(threads)
    dialogues, _ = split_corpora(paths)
    tokenizer = AutoTokenizer.from_pretrained(out)
    rows = Rows(tokenizer, dialogues)
    model = make_model(tokenizer).to("cuda" if torch.cuda.is_available() else "cpu")
    optimizing = optimizers(model)
    state = torch.load(out / "checkpoint.pt", map_location=model.device, weights_only=True)
    model.load_state_dict(state["model"])
    for optimizer, kept in zip(optimizing, state["optimizers"], strict=True):
        optimizer.load_state_dict(kept)
    losses: list[float] = []
    step = state["step"]
    for line in fit(
        model, optimizing, rows, step=step, minutes=minutes, falling=True, threads=threads
    ):
        losses.append(line["loss"])
        step = int(line["step"])
        if len(losses) % 20 == 0:
            print(json.dumps(line | {"loss": round(float(np.mean(losses[-20:])), 4)}), flush=True)
    model.eval().to("cpu", torch.bfloat16).save_pretrained(to)
    tokenizer.save_pretrained(to)
    making = state["making"] | {
        "steps": step,
        "tokens_seen": step * STEP_TOKENS,
        "minutes": round(state["minutes"] + minutes, 1),
        "torch": torch.__version__,
    }
    (to / "making.json").write_text(json.dumps(making, indent=2, sort_keys=True) + "\n", "utf-8")


def measure(paths: Sequence[Path], folder: Path) -> dict[str, float]:
    """NLL and bits per character of the replies of the first 200 unseen dialogues."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from rapport_tasks.dialogues.dialogue import Dialogue
    from rapport_training.lora.validation import summed_nll

    unseen = read_corpus(paths[0])[:200]
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    kept = [d for d in unseen if len(tokenizer(render(d)).input_ids) <= CONTEXT]
    dialogues = [Dialogue.from_json({"id": str(i), "messages": d}) for i, d in enumerate(kept)]
    nll, tokens = summed_nll(model, tokenizer, dialogues)
    chars = sum(len(m["content"]) for d in kept for m in d if m["role"] == "assistant")
    return {"nll_per_token": nll / tokens, "bits_per_char": nll / math.log(2) / chars}


def sample(paths: Sequence[Path], folder: Path, count: int) -> None:
    """Print replies to unseen openings, drawn as the benchmark draws them, to be read."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    torch.manual_seed(0)
    for dialogue in read_corpus(paths[0])[:count]:
        prompt = tokenizer.apply_chat_template(
            dialogue[:1], add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        with torch.inference_mode():
            out = model.generate(
                **prompt, do_sample=True, temperature=1.0, top_p=0.92, top_k=0, max_new_tokens=128
            )
        print("U:", dialogue[0]["content"])
        print("A:", tokenizer.decode(out[0, prompt["input_ids"].shape[1] :]), "\n")


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("what", choices=["train", "finish", "measure", "sample"])
    parser.add_argument("model", type=Path, nargs="?", help="for measure and sample")
    parser.add_argument("--corpus", type=Path, action="append", required=True)
    parser.add_argument("--out", type=Path, help="folder of the checkpoint")
    parser.add_argument("--to", type=Path, help="folder of the finished model")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--count", type=int, default=20)
    given = parser.parse_args()
    if given.what == "train":
        train(given.corpus, given.out, minutes=given.minutes, threads=given.threads)
    elif given.what == "finish":
        finish(given.corpus, given.out, given.to, minutes=given.minutes, threads=given.threads)
    elif given.what == "measure":
        print(json.dumps(measure(given.corpus, given.model), indent=2))
    else:
        sample(given.corpus, given.model, given.count)


if __name__ == "__main__":
    main()
