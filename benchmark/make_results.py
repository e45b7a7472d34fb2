"""The repository's own results, as `make results` makes them.

    python benchmark/make_results.py [--work DIR] [--results DIR] [--limit N]
    python benchmark/make_results.py --readme-only

Trains two adapters on the embedded base, scores them beside the base, the gold replies and the bots on
the built-in dialogues, writes the leaderboard and what the gate says into ``results/README.md``, and draws
the console of a comparison for the project's README:

* ``demo-adapter``: the demo's corpus and recipe;
* ``advice-adapter``: the same dialogues and recipe, but every reply is replaced by what the bot
  ``all-advice`` says there. Deliberately bad: a harness that does not stop it is of no use.

Corpora, adapters and the response store lie in ``--work``, which git ignores; the command makes the
adapters again anywhere. On one machine it makes the same bytes again, adds nothing and changes
nothing. After a change of metrics or data it adds results of another suite and names the old ones,
which it leaves to you.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from threadpoolctl import threadpool_limits

from rapport_bench.arms.bots import all_advice
from rapport_bench.cli.demo import prepare_builtin, train_embedded
from rapport_bench.common.files import write_atomically
from rapport_bench.common.quiet import quiet_libraries
from rapport_bench.judging.compare import compare
from rapport_bench.judging.gate import run_gate
from rapport_bench.judging.gate_policy import read_policy
from rapport_bench.judging.leaderboard import leaderboard
from rapport_bench.results.result import Result, find, load_all
from rapport_bench.running.config import RunConfig
from rapport_bench.running.outcome import Run
from rapport_bench.running.run import run
from rapport_bench.terminal import gate as gate_report
from rapport_bench.terminal import leaderboard as leaderboard_report
from rapport_bench.terminal.console import RunReporter
from rapport_bench.terminal.svg import write_comparison
from rapport_tasks.dialogues.dialogue import Dialogue, read_dialogues

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "results"
POLICY = RESULTS / "gate.toml"
PICTURE = ROOT / "benchmark" / "console.svg"
_BLOCK = re.compile(r"(<!-- made by `make results`: begin -->\n).*?(<!-- end -->\n)", re.DOTALL)
_THREADS = 1
"""However many cores there are: sums of another number of threads are rounded otherwise, and the
hash of a result tells. The embedded base is too small to gain from a second one."""


def advised(dialogue: Dialogue) -> Dialogue:
    """The dialogue with stock advice in place of every reply."""
    return replace(
        dialogue,
        messages=tuple(
            replace(message, content=all_advice(dialogue, turn))
            if message.role == "assistant"
            else message
            for turn, message in enumerate(dialogue.messages)
        ),
    )


def advice_corpus(corpus: Path, out: Path) -> Path:
    """A corpus folder of the same dialogues, their replies replaced by `advised`."""
    for name in ("train.jsonl", "validation.jsonl"):
        made = [advised(dialogue).to_json() for dialogue in read_dialogues(corpus / name)]
        lines = [json.dumps(line, ensure_ascii=False, sort_keys=True) for line in made]
        write_atomically(out / name, "\n".join(lines) + "\n")
    return out


def make_results(
    work: Path, results: Path, reporter: RunReporter, *, limit: int | None = None
) -> Run:
    """Train both adapters, score all arms, save the results."""
    corpora = {"demo-adapter": prepare_builtin(work / "corpus")}
    corpora["advice-adapter"] = advice_corpus(work / "corpus", work / "advice-corpus")
    for place, (name, corpus) in enumerate(corpora.items()):
        reporter.arm(name, place, len(corpora))
        train_embedded(corpus, work / name, reporter)
    config = RunConfig(
        base="embedded",
        adapters=tuple((None, str(work / name)) for name in corpora),
        bots=True,
        limit=limit,
        device="cpu",
        results=str(results),
        store=str(work / "responses.sqlite"),
    )
    return run(config, reporter)


def section(found: Sequence[Result]) -> str:
    """What `results/README.md` says of the results: the leaderboard, and the gate on the adapters."""
    if not found:
        return "No results yet.\n"
    board = leaderboard(found)
    text = leaderboard_report.to_markdown(board)
    rows = [row.result for row in board.rows]
    bases = [result for result in rows if result.kind == "base"]
    adapters = [result for result in rows if result.kind == "adapter"]
    if len(bases) == 1 and adapters:
        gate = run_gate(sorted(adapters, key=lambda a: a.name), bases[0], read_policy(POLICY))
        text += "\n" + gate_report.markdown(gate)
    return text


def renewed(readme: str, found: Sequence[Result]) -> str:
    """A README with the section between its marks made anew.

    Raises:
        ValueError: It has no such marks.
    """
    text, replaced = _BLOCK.subn(lambda m: f"{m[1]}\n{section(found)}\n{m[2]}", readme)
    if replaced != 1:
        raise ValueError(f"{replaced} sections between marks; expected one")
    return text


def superseded(outcome: Run, found: Sequence[Result]) -> list[Result]:
    """Results of the same arms of this suite's name that were not made now."""
    ours = {result.result_id for result in outcome.results}
    names = {result.name for result in outcome.results}
    return [
        result
        for result in found
        if result.result_id not in ours
        and result.name in names
        and result.suite.name == outcome.suite.name
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the results and renew the README beside them."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--work", type=Path, default=ROOT / "adapters" / "results", metavar="DIR")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="DIR")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N dialogues")
    parser.add_argument("--readme-only", action="store_true", help="train and score nothing")
    options = parser.parse_args(arguments)
    if options.limit is not None and options.results.resolve() == RESULTS:
        parser.error("--limit is another suite: give --results another folder")
    if not options.readme_only:
        run_and_list(options.work, options.results, options.limit)
    renew_readme(options.results)


def run_and_list(work: Path, results: Path, limit: int | None) -> None:
    """Make the results and say which files are new, kept or superseded."""
    quiet_libraries()
    import torch

    torch.set_num_threads(_THREADS)
    with threadpool_limits(_THREADS), RunReporter() as reporter:
        outcome = make_results(work, results, reporter, limit=limit)
    for result, new in zip(outcome.results, outcome.new, strict=True):
        print(f"{'new ' if new else 'kept'} {result.path}")
    for result in superseded(outcome, list(load_all(results))):
        print(f"old  {result.path}: remove it if nobody compares with it any more")


def renew_readme(results: Path) -> None:
    """Bring the section of a results folder's README up to date; the file is made if need be."""
    readme = results / "README.md"
    if not readme.is_file():
        shutil.copy(RESULTS / "README.md", readme)
    before = readme.read_text(encoding="utf-8")
    after = renewed(before, list(load_all(results)))
    if after != before:
        write_atomically(readme, after)
    print(f"{'renewed' if after != before else 'kept'} {readme}")
    if results.resolve() == RESULTS:
        record_console(PICTURE)
        print(f"drawn {PICTURE}")


def record_console(path: Path) -> None:
    """Draw what `rapport compare demo-adapter base` prints on the repository's results."""
    arms = (find(name, RESULTS) for name in ("demo-adapter", "base"))
    write_comparison(compare(*arms), "results", path)


if __name__ == "__main__":
    main()
