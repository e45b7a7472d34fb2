"""Throughput and memory of `rapport prepare` against a plain Python loop, each in a process of its own.

    python benchmark/perf/prepare.py --dialogues 250000

generates one JSON array of dialogues (250,000 are about 0.9 GB) and prepares it twice, without
anonymisation. The plain loop does the same stages in one process: it uses the package's own alignment
and quality rules, `json`, sets of strings, and datasketch's MinHash and LSH with 128 permutations.
Peak memory is the sum of the resident sets of all processes, sampled ten times a second.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

TOPICS = ("情绪", "婚恋", "家庭", "人际", "职场", "成长", "自我", "行为", "社会", "治疗", "性心理")


def generate(path: Path, dialogues: int, seed: int = 0) -> None:
    """Write an array of dialogues: a Markov chain of characters fitted to the built-in ones.

    Lengths follow the study's corpus: 5.9 exchanges on average, users 41 and replies 90 characters.
    One in twenty repeats an earlier dialogue with the end of one message changed, some exactly.
    """
    from rapport_tasks.dialogues.builtin import TRAINING_ZH
    from rapport_tasks.dialogues.dialogue import read_dialogues

    text = "".join(m.content for d in read_dialogues(TRAINING_ZH) for m in d.messages)
    codes = np.array([ord(c) for c in text])
    order = np.argsort(codes[:-1], kind="stable")
    followers = codes[1:][order]
    states = np.unique(codes[:-1])
    starts = np.searchsorted(codes[:-1][order], states)
    ends = np.append(starts[1:], len(followers))
    start_of = np.zeros(0x10000, np.int64)
    size_of = np.ones(0x10000, np.int64)
    start_of[states], size_of[states] = starts, ends - starts
    rng = np.random.default_rng(seed)
    draw = random.Random(seed)
    earlier: list[list[str]] = []
    with path.open("w", encoding="utf-8") as file:
        file.write("[\n")
        for begin in range(0, dialogues, 5000):
            chains = rng.choice(codes[:-1], 5000)
            grown = np.empty((1600, 5000), np.uint32)
            for step in range(len(grown)):
                chains = followers[
                    start_of[chains] + (rng.random(5000) * size_of[chains]).astype(int)
                ]
                grown[step] = chains
            rows = np.ascontiguousarray(grown.T)
            for place in range(min(5000, dialogues - begin)):
                number = begin + place
                if earlier and number % 20 == 0:
                    texts = list(draw.choice(earlier))
                    if number % 50:
                        texts[-1] = texts[-1][:-20] + texts[-1][-20:][::-1]
                else:
                    story = rows[place].tobytes().decode("utf-32-le")
                    texts, at = [], 0
                    for _ in range(max(1, min(11, round(draw.gauss(5.9, 1.5))))):
                        for mean in (41, 90):
                            width = max(6, round(draw.gauss(mean, mean / 4)))
                            texts.append(story[at : at + width].strip() or "嗯，我在听。")
                            at += width
                    if len(earlier) < 2000:
                        earlier.append(texts)
                messages = [
                    {"role": "assistant" if i % 2 else "user", "content": t}
                    for i, t in enumerate(texts)
                ]
                record = {"id": number, "topic": draw.choice(TOPICS), "messages": messages}
                file.write(
                    (",\n" if number else "") + json.dumps(record, ensure_ascii=False, indent=2)
                )
        file.write("\n]\n")


def plain(source: Path, out: Path) -> None:
    """The loop that one would write: one dialogue after another, libraries used as documented."""
    from datasketch import MinHash, MinHashLSH

    from rapport_tasks.dialogues.builtin import EVALUATION_ZH
    from rapport_tasks.dialogues.dialogue import (
        Dialogue,
        Message,
        read_dialogues,
        structure_problem,
    )
    from rapport_training.prepare.alignment import align
    from rapport_training.prepare.quality import QualityFilter, load_rules

    def letters(text: str) -> str:
        return "".join(c for c in text.lower() if c.isalnum())

    def grams(text: str, size: int) -> set[str]:
        return {text[i : i + size] for i in range(len(text) - size + 1)}

    evaluation: dict[str, set[int]] = {}
    for number, dialogue in enumerate(read_dialogues(EVALUATION_ZH)):
        for gram in grams(letters("".join(m.content for m in dialogue.messages)), 13):
            evaluation.setdefault(gram, set()).add(number)
    quality = QualityFilter(load_rules())
    seen: set[bytes] = set()
    index = MinHashLSH(threshold=0.8, num_perm=128)
    out.mkdir()
    with (
        source.open(encoding="utf-8") as file,
        (out / "train.jsonl").open("w", encoding="utf-8") as train,
        (out / "validation.jsonl").open("w", encoding="utf-8") as validation,
    ):
        for record in json.load(file):
            messages = [Message(m["role"], m["content"]) for m in record["messages"]]
            if structure_problem(Dialogue(str(record["id"]), tuple(messages))):
                continue
            texts = align([m.content for m in messages])
            user, assistant = "\x1f".join(texts[::2]), "\x1f".join(texts[1::2])
            if quality.problems(user, assistant):
                continue
            folded = letters("".join(texts))
            digest = hashlib.sha256(folded.encode()).digest()
            if digest in seen:
                continue
            seen.add(digest)
            signature = MinHash(num_perm=128)
            signature.update_batch([gram.encode() for gram in grams(folded, 5)])
            if index.query(signature):
                continue
            index.insert(digest, signature)
            own = grams(folded, 13)
            shared: dict[int, int] = {}
            for gram in own:
                for number in evaluation.get(gram, ()):
                    shared[number] = shared.get(number, 0) + 1
            if shared and max(shared.values()) >= 0.3 * len(own):
                continue
            record["messages"] = [
                {"role": m.role, "content": t} for m, t in zip(messages, texts, strict=True)
            ]
            side = hashlib.sha256(letters(texts[0]).encode()).digest()[0] < 13
            (validation if side else train).write(json.dumps(record, ensure_ascii=False) + "\n")


def measure(command: Sequence[str]) -> tuple[float, float, int]:
    """Run a command; returns wall seconds, CPU seconds of it and its children, peak bytes."""
    import psutil

    before = os.times()
    start = time.perf_counter()
    process = psutil.Popen(command, stdout=subprocess.DEVNULL)
    peak = 0

    def watch() -> None:
        nonlocal peak
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            size = 0
            try:
                for one in (process, *process.children(recursive=True)):
                    size += one.memory_info().rss
            except psutil.NoSuchProcess:
                continue
            peak = max(peak, size)
            time.sleep(0.1)

    watcher = threading.Thread(target=watch)
    watcher.start()
    code = process.wait()
    wall = time.perf_counter() - start
    watcher.join()
    if code != 0:
        raise SystemExit(f"{command}: exit code {code}")
    after = os.times()
    cpu = (
        after.children_user + after.children_system - before.children_user - before.children_system
    )
    return wall, cpu, peak


def main(arguments: Sequence[str] | None = None) -> None:
    """Generate, prepare both ways, print both and the ratio."""
    parser = argparse.ArgumentParser(description="Time corpus preparation.")
    parser.add_argument("--dialogues", type=int, default=250_000)
    parser.add_argument("--plain-dialogues", type=int, help="Fewer for the plain loop.")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--plain", nargs=2, metavar=("SOURCE", "OUT"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.plain:
        plain(*map(Path, options.plain))
        return
    with tempfile.TemporaryDirectory() as scratch:
        rates = {}
        for name, count in (
            ("rapport prepare", options.dialogues),
            ("plain loop", options.plain_dialogues or options.dialogues),
        ):
            source = Path(scratch) / f"{count}.json"
            if not source.exists():
                generate(source, count)
            out = str(Path(scratch) / name.split()[0])
            ours = [sys.executable, "-m", "rapport_bench", "prepare", str(source), "-o", out]
            ours += ["--no-anonymise", "--workers", str(options.workers), "--json"]
            command = [sys.executable, __file__, "--plain", str(source), out]
            wall, cpu, peak = measure(ours if name.startswith("rapport") else command)
            lines = sum(
                1
                for side in ("train", "validation")
                for _ in (Path(out) / f"{side}.jsonl").open("rb")
            )
            rates[name] = count / wall
            print(
                f"{name}: {count:,} dialogues ({source.stat().st_size / 1e9:.2f} GB) in {wall:.1f} s, "
                f"{count / wall:,.0f}/s, {cpu:.1f} CPU s, peak {peak / 1e9:.2f} GB, {lines:,} kept",
                flush=True,
            )
        print(f"throughput ratio {rates['rapport prepare'] / rates['plain loop']:.2f}")


if __name__ == "__main__":
    main()
