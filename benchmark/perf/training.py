"""Training: this package against transformers' Trainer with dynamic padding, one process each.

    python benchmark/perf/training.py [--hidden 256] [--layers 4] [--dialogues 40] [--pairs 3]

Both train the same LoRA adapter on the same random-weight Qwen2 with Qwen's vocabulary of 151,936 rows, for
one epoch of the same dialogues, with loss on the assistant's turns, in float32 on one thread, with the same
optimizer and about the same tokens a step. Stock pads each batch to its longest dialogue and lets the model
compute its loss; ours packs rows and computes the loss on labelled positions, chunk by chunk. CPU seconds are
those of ``trainer.train()``; extra memory is its peak resident set less the resident set before it. Tokens are
the corpus's own, padding left out. The order of the two alternates from pair to pair.

Dialogues: ``--data FILE``, else real ones where the checkout has them beside it, else the package's own.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rapport_tasks.dialogues.builtin import TRAINING_ZH
from rapport_training import EMBEDDED_BASE

VOCABULARY = 151_936
REAL = Path(__file__).parents[3] / "shared/data/dialogues_zh/smile.jsonl"
ROWS = 4


def make_base(folder: Path, hidden: int, layers: int) -> None:
    """A random model in Qwen's proportions with the embedded base's tokenizer."""
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=VOCABULARY,
        hidden_size=hidden,
        intermediate_size=hidden * 43 // 16,
        num_hidden_layers=layers,
        num_attention_heads=max(1, hidden // 64),
        num_key_value_heads=max(1, hidden // 64),
        max_position_embeddings=1024,
        tie_word_embeddings=True,
    )
    Qwen2ForCausalLM(config).save_pretrained(folder)
    for path in EMBEDDED_BASE.iterdir():
        if path.name.startswith("tokenizer") or path.suffix == ".jinja":
            shutil.copy(path, folder)


def make_corpus(source: str | None, count: int, path: Path) -> str:
    """The first dialogues of a file, in the scratch folder alone."""
    file = Path(source) if source else REAL if REAL.is_file() else TRAINING_ZH
    lines = [line for line in file.read_text(encoding="utf-8").split("\n") if line.strip()]
    path.write_text("\n".join(lines[:count]) + "\n", encoding="utf-8")
    return file.name


def resident(key: str) -> int:
    """``VmRSS`` or ``VmHWM`` of this process in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1]) * 1024
    raise KeyError(key)


def work(kind: str, base: str, corpus: str) -> dict[str, Any]:
    import torch
    from transformers import Trainer, TrainingArguments

    from rapport_training.lora.assembly import assemble
    from rapport_training.lora.loss import labelled_loss
    from rapport_training.lora.recipe import Recipe
    from rapport_training.lora.trainer import LoraTrainer
    from rapport_training.sequences.batches import Row, collate

    torch.set_num_threads(1)
    recipe = Recipe.model_validate(
        {
            "base": {"name": base},
            "data": {"corpus": corpus, "max_length": 1024, "packing": kind == "ours"},
        }
    )
    made = assemble(recipe, Path(base))
    tokens = sum(len(s.tokens) for s in made.corpus.sequences)
    mean = tokens / len(made.corpus.sequences)
    rows = ROWS if kind == "stock" else max(1, round(ROWS * mean / recipe.data.max_length))

    def pad(batch: list[Row]) -> dict[str, Any]:
        made_batch = collate(batch)
        lengths = [sum(len(s.tokens) for s in row) for row in batch]
        width = made_batch["input_ids"].shape[1]
        mask = [[1] * n + [0] * (width - n) for n in lengths]
        return {
            "input_ids": made_batch["input_ids"],
            "labels": made_batch["labels"],
            "attention_mask": torch.tensor(mask),
        }

    with tempfile.TemporaryDirectory() as scratch:
        arguments = TrainingArguments(
            output_dir=scratch,
            num_train_epochs=1,
            per_device_train_batch_size=rows,
            learning_rate=1e-4,
            use_cpu=True,
            dataloader_pin_memory=False,
            remove_unused_columns=False,
            label_names=["labels"],
            save_strategy="no",
            logging_steps=1,
            report_to="none",
            disable_tqdm=True,
        )
        shared = {"model": made.model, "args": arguments, "train_dataset": made.rows}
        if kind == "stock":
            trainer = Trainer(**shared, data_collator=pad)
        else:
            trainer = LoraTrainer(evaluate_dialogues=None, **shared)
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from here
        before = resident("VmRSS")
        started = time.process_time()
        if kind == "stock":
            trainer.train()
        else:
            with labelled_loss(made.model, made.head):
                trainer.train()
        seconds = time.process_time() - started
        losses = [line["loss"] for line in trainer.state.log_history if "loss" in line]
        return {
            "seconds": seconds,
            "extra": resident("VmHWM") - before,
            "tokens": tokens,
            "mean": mean,
            "dialogues": made.corpus.dialogues,
            "labelled": sum(s.scored() for s in made.corpus.sequences) / tokens,
            "steps": len(losses),
            "loss": losses[0],
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--hidden", type=int, default=256)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--data", help="dialogue file")
    parser.add_argument("--dialogues", type=int, default=40)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--worker", choices=["stock", "ours"], help=argparse.SUPPRESS)
    parser.add_argument("--base", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        print("RESULT" + json.dumps(work(options.worker, options.base, options.data)))
        return
    with tempfile.TemporaryDirectory() as scratch:
        base, corpus = Path(scratch) / "base", Path(scratch) / "corpus.jsonl"
        make_base(base, options.hidden, options.layers)
        name = make_corpus(options.data, options.dialogues, corpus)
        environment = os.environ | {"TQDM_DISABLE": "1", "OMP_NUM_THREADS": "1"}
        speed, memory = [], []
        for pair in range(options.pairs):
            found = {}
            for worker in ("stock", "ours") if pair % 2 == 0 else ("ours", "stock"):
                command = [sys.executable, __file__, "--worker", worker]
                command += ["--base", str(base), "--data", str(corpus)]
                done = subprocess.run(command, capture_output=True, text=True, env=environment)
                if done.returncode:
                    sys.exit(done.stderr[-3000:])
                found[worker] = json.loads(done.stdout.rsplit("RESULT", 1)[1])
            stock, ours = found["stock"], found["ours"]
            speed.append(stock["seconds"] / ours["seconds"])
            memory.append(ours["extra"] / stock["extra"])
            if pair == 0:
                print(
                    f"{ours['dialogues']} dialogues of {name}, {ours['tokens']} tokens "
                    f"({ours['mean']:.0f} a dialogue, {ours['labelled']:.0%} with loss); hidden "
                    f"{options.hidden}, {options.layers} layers, vocabulary {VOCABULARY}; steps: "
                    f"stock {stock['steps']}, ours {ours['steps']}"
                )
            for kind, one in found.items():
                print(
                    f"pair {pair + 1}: {kind} {one['tokens'] / one['seconds']:.0f} tokens per CPU "
                    f"second, {one['extra'] / 2**20:.0f} MiB extra, first loss {one['loss']:.4f}",
                    flush=True,
                )
        print(
            f"median of {options.pairs} pairs: {statistics.median(speed):.2f} times the tokens per CPU "
            f"second, {statistics.median(memory):.3f} of the extra memory"
        )


if __name__ == "__main__":
    main()
