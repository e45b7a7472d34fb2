"""Training on a GPU at the size of Qwen1.5-1.8B: the shipped recipes against stock training.

    python benchmark/perf/training_gpu.py [--data FILE] [--dialogues 400] [--steps 6] [--shape small]

A model of Qwen1.5-1.8B's shape is made with random weights, and each arm trains it in a process of its
own:

- ``study``, ``recommended``: `rapport train` with the two shipped recipes as they stand;
- ``stock``: transformers' Trainer with PEFT as their documentation has it (NF4 without double
  quantisation, `prepare_model_for_kbit_training`, gradient checkpointing, dynamic padding, the model's
  own loss), otherwise the study's recipe;
- ``full``: every parameter, float32 weights with bfloat16 autocast and the Trainer's AdamW.

Stock and full take 64 dialogues a step as the study's recipe does. If its 32 dialogues a pass do not
fit, they are halved, and the passes doubled, until they do; the table says so. Tokens are the corpus's
own, padding left out; the first step, which warms up, is not timed. Memory is the peak that torch
allocated, the model included; pages of a paged optimizer may lie outside it, some 13 MB here.

Dialogues: ``--data FILE``, else the package's own, over and over. The tokenizer is the embedded base's:
Qwen's is not in the package.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from rapport_tasks.dialogues.builtin import TRAINING_ZH
from rapport_training import EMBEDDED_BASE

STUDY, RECOMMENDED = "qwen1.5-1.8b-emotion", "qwen1.5-1.8b-emotion-recommended"
ARMS = ("study", "recommended", "stock", "full")

SHAPES: dict[str, dict[str, Any]] = {
    "qwen1.5-1.8b": {
        "vocab_size": 151_936,
        "hidden_size": 2048,
        "intermediate_size": 5504,
        "num_hidden_layers": 24,
        "num_attention_heads": 16,
        "num_key_value_heads": 16,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1_000_000.0},
    },
    "small": {
        "vocab_size": 8_192,
        "hidden_size": 128,
        "intermediate_size": 344,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
    },
}
"""``small`` is for trying the script where there is no GPU; its figures mean nothing."""


def make_base(folder: Path, shape: str) -> None:
    """A random Qwen2 in bfloat16 with the embedded base's tokenizer."""
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    torch.manual_seed(0)
    config = Qwen2Config(max_position_embeddings=32_768, tie_word_embeddings=False, **SHAPES[shape])
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        model = Qwen2ForCausalLM(config)
    model.to(torch.bfloat16).save_pretrained(folder)
    for path in EMBEDDED_BASE.iterdir():
        if path.name.startswith("tokenizer") or path.suffix == ".jinja":
            shutil.copy(path, folder)


def make_corpus(source: Path, count: int, path: Path) -> None:
    """So many dialogues of a file, from its beginning and again, in the scratch folder alone."""
    lines = [line for line in source.read_text(encoding="utf-8").split("\n") if line.strip()]
    records = [json.loads(line) for line in islice(cycle(lines), count)]
    text = [
        json.dumps({"id": str(n), "messages": r["messages"]}) + "\n" for n, r in enumerate(records)
    ]
    path.write_text("".join(text), encoding="utf-8")


def recipe_of(name: str, base: str, corpus: str, steps: int) -> Any:
    """A shipped recipe for the random base; on the CPU in passes of two rows, to be over soon."""
    import torch

    from rapport_training.lora.recipe import load_recipe

    settings: dict[str, Any] = {"base.name": base, "data.corpus": corpus, "train.max_steps": steps}
    if not torch.cuda.is_available():
        settings |= {"require.optimizer": False, "train.batch_size": 2}
    return load_recipe(name, settings)


def shipped(recipe: Any, scratch: Path) -> dict[str, Any]:
    """`rapport train`, as the command does it."""
    import torch

    from rapport_training.lora.train import train

    record = train(recipe, scratch / "adapter").record
    lines = [
        json.loads(line)
        for line in (scratch / "adapter" / "training.jsonl").read_text().splitlines()
    ]
    steps = [line for line in lines if "loss" in line]
    first, last = steps[0], steps[-1]
    tokens = [line["tokens_per_second"] * line["seconds"] for line in (first, last)]
    return {
        "tokens_per_second": (tokens[1] - tokens[0]) / (last["seconds"] - first["seconds"]),
        "peak": record["memory"]["peak_bytes"],
        "reserved": torch.cuda.max_memory_reserved() if torch.cuda.is_available() else 0,
        "trainable": record["parameters"]["trainable"],
        "total": record["parameters"]["total"],
        "rows": recipe.train.batch_size,
        "loss": [line["loss"] for line in steps],
        "fallbacks": record["effective"]["fallbacks"],
    }


def stock(kind: str, recipe: Any, base: str, scratch: Path) -> dict[str, Any]:
    """The stock Trainer, with fewer rows a pass as long as they do not fit."""
    import gc

    import torch

    rows, passes = recipe.train.batch_size, recipe.train.gradient_accumulation
    while True:
        try:
            return stock_once(kind, recipe, base, scratch, rows, passes) | {"rows": rows}
        except torch.cuda.OutOfMemoryError:
            if rows == 1:
                raise
        rows, passes = rows // 2, passes * 2
        gc.collect()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def stock_once(
    kind: str, recipe: Any, base: str, scratch: Path, rows: int, passes: int
) -> dict[str, Any]:
    import torch
    from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training
    from transformers import AutoModelForCausalLM, AutoTokenizer, Trainer, TrainingArguments

    from rapport_tasks.dialogues.dialogue import read_dialogues
    from rapport_tasks.prompts.rendering import tokenizer_renderer
    from rapport_training.lora.base import load_base
    from rapport_training.lora.memory import peak_bytes
    from rapport_training.sequences.batches import Row, collate
    from rapport_training.sequences.corpus import encode_corpus

    cuda = torch.cuda.is_available()
    tokenizer = AutoTokenizer.from_pretrained(base)
    corpus = encode_corpus(
        read_dialogues(recipe.corpus_file()),
        tokenizer,
        tokenizer_renderer(tokenizer),
        max_length=recipe.data.max_length,
        loss_on=recipe.data.loss_on,
    )
    if kind == "stock":
        model = prepare_model_for_kbit_training(
            load_base(recipe, Path(base)).model,
            gradient_checkpointing_kwargs={"use_reentrant": False},
        )
        lora = LoraConfig(
            task_type="CAUSAL_LM",
            r=recipe.lora.r,
            lora_alpha=recipe.lora.alpha,
            lora_dropout=recipe.lora.dropout,
            target_modules=list(recipe.lora.target_modules),
        )
        model = get_peft_model(model, lora)
    else:
        model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
        model.to("cuda" if cuda else "cpu")
    model.config.use_cache = False
    counted: list[tuple[float, int]] = []
    seen = 0

    def pad(batch: list[Row]) -> dict[str, Any]:
        nonlocal seen
        made = collate(batch)
        lengths = [sum(len(s.tokens) for s in row) for row in batch]
        seen += sum(lengths)
        width = made["input_ids"].shape[1]
        mask = torch.tensor([[1] * n + [0] * (width - n) for n in lengths])
        return {
            "input_ids": made["input_ids"],
            "labels": made["labels"],
            "attention_mask": mask,
        }

    class Timed(Trainer):  # type: ignore[misc]
        def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
            if "loss" in logs:  # read from the device: the step is over
                counted.append((time.monotonic(), seen))
            super().log(logs, start_time)

    paged = recipe.train.optimizer if cuda else recipe.train.optimizer.removeprefix("paged_")
    trainer = Timed(
        model=model,
        train_dataset=[(sequence,) for sequence in corpus.sequences],
        data_collator=pad,
        args=TrainingArguments(
            output_dir=str(scratch / "stock"),
            max_steps=recipe.train.max_steps,
            per_device_train_batch_size=rows,
            gradient_accumulation_steps=passes,
            learning_rate=recipe.train.learning_rate,
            optim=paged if kind == "stock" else "adamw_torch",
            bf16=True,
            gradient_checkpointing=True,
            gradient_checkpointing_kwargs={"use_reentrant": False},
            use_cpu=not cuda,
            dataloader_pin_memory=cuda,
            remove_unused_columns=False,
            label_names=["labels"],
            logging_steps=1,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            seed=0,
        ),
    )
    trainer.train()
    (begun, before), (ended, after) = counted[0], counted[-1]
    sizes = [(p.numel(), p.requires_grad) for p in trainer.model.parameters()]
    return {
        "tokens_per_second": (after - before) / (ended - begun),
        "peak": peak_bytes(),
        "reserved": torch.cuda.max_memory_reserved() if cuda else 0,
        "trainable": sum(n for n, learns in sizes if learns),
        "total": None,
        "loss": [line["loss"] for line in trainer.state.log_history if "loss" in line],
        "fallbacks": [],
    }


def work(arm: str, base: str, corpus: str, steps: int) -> dict[str, Any]:
    name = RECOMMENDED if arm == "recommended" else STUDY
    recipe = recipe_of(name, base, corpus, steps)
    with tempfile.TemporaryDirectory() as scratch:
        if arm in ("study", "recommended"):
            return shipped(recipe, Path(scratch))
        return stock(arm, recipe, base, Path(scratch))


def describe_device() -> str:
    """The GPU's name and the versions that matter."""
    import bitsandbytes
    import peft
    import torch
    import transformers

    name = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    return (
        f"{name}; torch {torch.__version__}, transformers {transformers.__version__}, "
        f"peft {peft.__version__}, bitsandbytes {bitsandbytes.__version__}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, default=TRAINING_ZH, help="dialogue file")
    parser.add_argument("--dialogues", type=int, default=400)
    parser.add_argument("--steps", type=int, default=6, help="optimizer steps of each arm")
    parser.add_argument("--shape", choices=list(SHAPES), default="qwen1.5-1.8b")
    parser.add_argument("--arms", default=",".join(ARMS), help="those to run, by commas")
    parser.add_argument("--worker", choices=ARMS, help=argparse.SUPPRESS)
    parser.add_argument("--base", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        found = work(options.worker, options.base, str(options.data), options.steps)
        print("RESULT" + json.dumps(found))
        return
    print(describe_device(), flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        base, corpus = Path(scratch) / "base", Path(scratch) / "corpus.jsonl"
        make_base(base, options.shape)
        make_corpus(options.data, options.dialogues, corpus)
        print(f"{options.dialogues} dialogues of {options.data.name}, {options.steps} steps an arm")
        for arm in options.arms.split(","):
            command = [sys.executable, __file__, "--worker", arm, "--base", str(base)]
            command += ["--data", str(corpus), "--steps", str(options.steps)]
            began = time.monotonic()
            done = subprocess.run(
                command, capture_output=True, text=True, env=os.environ | {"TQDM_DISABLE": "1"}
            )
            if done.returncode:
                print(f"{arm}: failed\n{done.stderr[-3000:]}", flush=True)
                continue
            one = json.loads(done.stdout.rsplit("RESULT", 1)[1])
            total = "" if one["total"] is None else f" of {one['total']:,}"
            losses = [one["loss"][0], one["loss"][-1]]
            assert all(map(math.isfinite, losses))
            print(
                f"{arm}: {one['tokens_per_second']:,.0f} tokens/s, peak {one['peak'] / 1e9:.2f} GB "
                f"(reserved {one['reserved'] / 1e9:.2f}), {one['rows']} rows a pass, "
                f"{one['trainable']:,}{total} parameters trained, loss {losses[0]:.3f} to "
                f"{losses[1]:.3f}, {time.monotonic() - began:.0f} s in all",
                flush=True,
            )
            for text in one["fallbacks"]:
                print(f"  {text}", flush=True)


if __name__ == "__main__":
    main()
