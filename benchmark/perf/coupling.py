"""What coupled generation gains: variance of paired differences, shared noise against separate noise.

    python benchmark/perf/coupling.py --base embedded --adapter PATH [--dialogues 26] [--seeds 4]

A base and its adapter answer the same turns, once with shared noise (seed s for both) and once with
separate noise (seed s for the base, another for the adapter). For statistics of a reply, the gain is the
variance of the paired difference with separate noise over that with shared noise: by this factor fewer
replies give the same interval. Beside it the mean KL divergence per token of the adapter from the base
along the base's replies, on which the gain depends: it promises nothing for other pairs of models.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
import torch

from rapport_bench.arms.adapters import Adapter, check_adapter, identify_adapter
from rapport_bench.arms.generation import Generated, Prompt, generate_batch
from rapport_bench.arms.likelihood import plan_batches
from rapport_bench.arms.loading import LoadedBase
from rapport_bench.arms.models import identify_base
from rapport_bench.arms.sampling import noise_key
from rapport_bench.arms.store import ResponseStore
from rapport_tasks.common.protocol import Generation
from rapport_tasks.dialogues.builtin import load_suite_dialogues
from rapport_tasks.prompts.rendering import encode, generation_context, tokenizer_renderer
from rapport_training.loading.pretrained import embedding_rows, empty_model, load_tokenizer

STATISTICS: dict[str, Callable[[Generated], float]] = {
    "characters": lambda reply: len(reply.text),
    "question marks": lambda reply: reply.text.count("？"),
    "的 per character": lambda reply: reply.text.count("的") / max(1, len(reply.text)),
    "second person": lambda reply: reply.text.count("你") / max(1, len(reply.text)),
}


@torch.inference_mode()
def divergence(loaded: LoadedBase, adapter: Adapter, rows: list[tuple[list[int], int]]) -> float:
    """Mean KL(base || adapter) in nats per token at the reply's positions."""
    logps: list[list[torch.Tensor]] = []
    for arm in (None, adapter):
        with loaded.activated(arm) as model:
            logps.append(
                [
                    model(input_ids=torch.tensor([tokens]))
                    .logits[0, start - 1 : -1]
                    .log_softmax(-1)
                    for tokens, start in rows
                ]
            )
    total = sum(float((base.exp() * (base - on)).sum()) for base, on in zip(*logps, strict=True))
    return total / sum(len(tokens) - start for tokens, start in rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--base", default="embedded")
    parser.add_argument("--adapter", required=True)
    parser.add_argument("--data")
    parser.add_argument("--dialogues", type=int, default=26)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--max-new-tokens", type=int, default=96)
    options = parser.parse_args()
    with ResponseStore() as store:
        base = identify_base(options.base, quantization="none", dtype="float32", store=store)
        adapter = identify_adapter(options.adapter, None, store)
    check_adapter(base, adapter)
    rows = embedding_rows(empty_model(base.folder, name=base.name))
    tokenizer = load_tokenizer(base.folder, name=base.name, rows=rows)
    loaded = LoadedBase(base, tokenizer, "cpu")
    render = tokenizer_renderer(tokenizer)
    dialogues, _ = load_suite_dialogues(options.data, options.dialogues)
    turns = [(d, t) for d in dialogues for t in d.assistant_turns()]
    contexts = [encode(tokenizer, generation_context(d, t, render)) for d, t in turns]
    generation = Generation(max_new_tokens=options.max_new_tokens)
    stop = frozenset({tokenizer.eos_token_id})

    def replies(arm: Adapter | None, seed: int) -> list[Generated]:
        order = sorted(range(len(turns)), key=lambda i: -len(contexts[i]))
        found: dict[int, Generated] = {}
        lengths = [len(contexts[i]) + options.max_new_tokens for i in order]
        for batch in plan_batches(lengths, 4096):
            index = [order[i] for i in batch]
            prompts = [
                Prompt(contexts[i], noise_key(seed, turns[i][0].id, turns[i][1]), ()) for i in index
            ]
            with loaded.activated(arm) as model:
                made = generate_batch(model, tokenizer, prompts, generation, stop)
            found.update(zip(index, made, strict=True))
        return [found[i] for i in range(len(turns))]

    differences: dict[tuple[str, str], list[float]] = {}
    kl_rows: list[tuple[list[int], int]] = []
    same = total = 0
    for seed in range(options.seeds):
        from_base = replies(None, seed)
        arms = {"shared": replies(adapter, seed), "separate": replies(adapter, seed + 10_000)}
        same += sum(a.text == b.text for a, b in zip(from_base, arms["shared"], strict=True))
        total += len(from_base)
        for kind, made in arms.items():
            for name, statistic in STATISTICS.items():
                differences.setdefault((name, kind), []).extend(
                    statistic(b) - statistic(a) for a, b in zip(from_base, made, strict=True)
                )
        if seed == 0:
            for context, reply in zip(contexts, from_base, strict=True):
                tokens = [*context, *tokenizer.encode(reply.text, add_special_tokens=False)]
                if len(context) < len(tokens) <= 1024:
                    kl_rows.append((tokens, len(context)))
    kl = divergence(loaded, adapter, kl_rows)
    print(f"{len(turns)} turns x {options.seeds} seeds, KL {kl:.4f} nats per token")
    print(f"identical replies under shared noise: {same / total:.1%}")
    for name in STATISTICS:
        shared, separate = (
            np.var(differences[name, kind], ddof=1) for kind in ("shared", "separate")
        )
        print(f"{name:18} gain {separate / shared:.2f}" if shared else f"{name:18} no difference")


if __name__ == "__main__":
    main()
