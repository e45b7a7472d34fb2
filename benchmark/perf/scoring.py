"""Perplexity of a base and its adapters: this engine against stock lm-eval, one process each.

    python benchmark/perf/scoring.py [--base embedded] [--data FILE] [--dialogues 40] [--adapters 4]

Both score the same requests (the `rapport_perplexity` task) of the same arms in float32 on one thread:
ours on one loaded base with merged prefixes, stock with `HFLM(pretrained=base, peft=adapter)` an arm. CPU
seconds exclude imports. The ratio is the median over alternating pairs of runs. Agreement is the largest
difference of a request's log-likelihood, after the newline before a reply, which stock counts as reply, has
been taken out. On adapters stock differs more where the embedding has more rows than the tokenizer has
tokens, as Qwen's has: it then drops the surplus rows from an adapter's softmax, but not from the base's.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


def make_adapters(base: str, folder: Path, count: int) -> list[str]:
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    from rapport_bench.arms.models import resolve_folder

    paths = []
    for seed in range(count):
        torch.manual_seed(seed)
        model = AutoModelForCausalLM.from_pretrained(resolve_folder(base), dtype=torch.float32)
        targets = ["q_proj", "k_proj", "v_proj", "o_proj"]
        adapted = get_peft_model(model, LoraConfig(r=16, lora_alpha=64, target_modules=targets))
        for name, parameter in adapted.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(parameter, std=0.02)
        adapted.save_pretrained(folder / f"adapter-{seed}")
        paths.append(str(folder / f"adapter-{seed}"))
    return paths


def load_task(data: str | None, limit: int) -> Any:
    from lm_eval.tasks import TaskManager

    from rapport_tasks import lm_tasks
    from rapport_tasks.common.protocol import TaskSettings

    manager = TaskManager(
        include_path=str(Path(lm_tasks.__file__).parent),
        include_defaults=False,
        metadata=TaskSettings(data=data, limit=limit).to_metadata(),
    )
    return manager.load("rapport_perplexity")


def stock(base: str, adapters: list[str], data: str | None, limit: int) -> dict[str, Any]:
    import torch
    from lm_eval.evaluator import evaluate
    from lm_eval.models.huggingface import HFLM
    from peft import PeftModel  # noqa: F401 - imported before the clock starts

    from rapport_bench.arms.models import resolve_folder

    torch.set_num_threads(1)
    load_task(data, limit)
    folder = str(resolve_folder(base))
    started = time.process_time()
    answers = []
    for adapter in [None, *adapters]:
        lm = HFLM(
            pretrained=folder,
            peft=adapter,
            device="cpu",
            dtype="float32",
            softmax_dtype="float32",
            batch_size=8,
            max_length=1024,
        )
        tasks = load_task(data, limit)
        evaluate(lm=lm, task_dict=tasks, bootstrap_iters=0, apply_chat_template=True)
        instances = tasks["tasks"]["rapport_perplexity"].instances
        answers.append([i.resps[0][0] for i in instances])
    seconds = time.process_time() - started
    # Take out the newline, off the clock.
    corrections = []
    for adapter in [None, *adapters]:
        lm = HFLM(pretrained=folder, peft=adapter, device="cpu", dtype="float32",
                  softmax_dtype="float32", batch_size=8, max_length=1024)  # fmt: skip
        from lm_eval.api.instance import Instance

        requests = [
            Instance("loglikelihood", {}, (c.rstrip("\n"), "\n"), 0, (None, None, None))
            for c in (i.args[0] for i in instances)
        ]
        values = lm.loglikelihood(requests, disable_tqdm=True)
        corrections.append([v[0] if c.args[0].endswith("\n") else 0.0
                            for v, c in zip(values, instances, strict=True)])  # fmt: skip
    return {
        "seconds": seconds,
        "values": [
            [a - c for a, c in zip(arm, correction, strict=True)]
            for arm, correction in zip(answers, corrections, strict=True)
        ],
    }


def ours(base: str, adapters: list[str], data: str | None, limit: int) -> dict[str, Any]:
    import torch
    from lm_eval.evaluator import evaluate
    from peft import PeftModel  # noqa: F401 - imported before the clock starts

    from rapport_bench.arms.adapters import check_adapter, identify_adapter
    from rapport_bench.arms.arm import model_arm
    from rapport_bench.arms.engine import ArmModel, encoder_for
    from rapport_bench.arms.loading import LoadedBase, context_length
    from rapport_bench.arms.models import identify_base
    from rapport_bench.arms.store import ResponseStore
    from rapport_tasks.prompts.rendering import tokenizer_renderer
    from rapport_training.loading.pretrained import embedding_rows, empty_model, load_tokenizer

    torch.set_num_threads(1)
    load_task(data, limit)
    with tempfile.TemporaryDirectory() as scratch, ResponseStore(Path(scratch) / "s") as store:
        started = time.process_time()
        model = identify_base(base, quantization="none", dtype="float32", store=store)
        found = [identify_adapter(path, None, store) for path in adapters]
        for adapter in found:
            check_adapter(model, adapter)
        rows = embedding_rows(empty_model(model.folder, name=model.name))
        tokenizer = load_tokenizer(model.folder, name=model.name, rows=rows)
        loaded = LoadedBase(model, tokenizer, "cpu")
        context = context_length(model, tokenizer)
        render, encode = tokenizer_renderer(tokenizer), encoder_for(tokenizer, context)
        answers = []
        for adapter in [None, *found]:
            arm = model_arm("x", "base", model, adapter, tokenizer)
            lm = ArmModel(
                arm,
                tokenizer,
                render=render,
                encode=encode,
                context_length=context,
                store=store,
                numerics={},
                activate=lambda adapter=adapter: loaded.activated(adapter),
                batch_tokens=4096,
                progress=lambda *_: None,
            )
            tasks = load_task(data, limit)
            evaluate(lm=lm, task_dict=tasks, bootstrap_iters=0, apply_chat_template=True)
            instances = tasks["tasks"]["rapport_perplexity"].instances
            answers.append([i.resps[0][0] for i in instances])
        return {"seconds": time.process_time() - started, "values": answers}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--base", default="embedded")
    parser.add_argument("--data", help="dialogue file; default: the built-in dialogues")
    parser.add_argument("--dialogues", type=int, default=40)
    parser.add_argument("--adapters", type=int, default=4)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--worker", choices=["stock", "ours"], help=argparse.SUPPRESS)
    parser.add_argument("--adapter", action="append", default=[], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work = stock if options.worker == "stock" else ours
        found = work(options.base, options.adapter, options.data, options.dialogues)
        print("RESULT" + json.dumps(found))
        return
    with tempfile.TemporaryDirectory() as scratch:
        adapters = make_adapters(options.base, Path(scratch), options.adapters)
        command = [sys.executable, __file__, "--base", options.base]
        command += ["--dialogues", str(options.dialogues)]
        command += ["--data", options.data] if options.data else []
        for path in adapters:
            command += ["--adapter", path]
        environment = os.environ | {"TQDM_DISABLE": "1", "OMP_NUM_THREADS": "1"}
        ratios, requests = [], 0
        gaps: dict[str, float] = {}
        for pair in range(options.pairs):
            found = {}
            for worker in ("stock", "ours"):
                done = subprocess.run(
                    [*command, "--worker", worker],
                    capture_output=True,
                    text=True,
                    env=environment,
                )
                if done.returncode:
                    sys.exit(done.stderr[-3000:])
                found[worker] = json.loads(done.stdout.rsplit("RESULT", 1)[1])
            ratios.append(found["stock"]["seconds"] / found["ours"]["seconds"])
            arms = zip(found["stock"]["values"], found["ours"]["values"], strict=True)
            for arm, (theirs, mine) in enumerate(arms):
                kind = "adapter" if arm else "base"
                # Over-long requests, which stock cuts, are unscored here.
                scored = [(x, y) for x, y in zip(theirs, mine, strict=True) if y is not None]
                requests = len(scored)
                gaps[kind] = max(gaps.get(kind, 0.0), *(abs(x - y) for x, y in scored))
            print(
                f"pair {pair + 1}: stock {found['stock']['seconds']:.1f} CPU s, "
                f"ours {found['ours']['seconds']:.1f} CPU s, ratio {ratios[-1]:.2f}"
            )
        print(
            f"median ratio {statistics.median(ratios):.2f} over {options.pairs} pairs; "
            f"{requests} log-likelihoods an arm agree within {gaps['base']:.1e} nats on the base, "
            f"{gaps.get('adapter', 0):.1e} on adapters"
        )


if __name__ == "__main__":
    main()
