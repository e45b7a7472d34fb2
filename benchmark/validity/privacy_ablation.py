"""What each rule of anonymisation gains: recall and precision with it removed.

    python benchmark/validity/privacy_ablation.py [PART...] [--dialogues FILE...] [--every N] [--dead]

Rules are read from the source of `rapport_training.privacy`, so a new one is measured as it is: every
function (returns nothing), pattern (never matches), branch (never taken), condition (left out),
alternative of a pattern, member of a set, and the lists in `data/`, whole and word by word. Each is
removed from a fresh import of the package; PARTs choose those whose label has one of these texts.

Printed for each: recall and precision of all kinds and of names alone on the sentences of
development and on those held out, and how many marks go and come in the dialogues (counts only, of
every N-th dialogue). `--dead` prints those that change nothing anywhere. One that changes no marked
sentence is dead weight unless dialogues speak for it; one that gains on the sentences of development
alone was made for them.

The trained model reads each sentence once, and a rule is tried only on texts where it does
something: where the branch is taken, the condition decides, the literal word stands.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.resources import files
from itertools import islice
from pathlib import Path
from types import ModuleType

from removals import edits

from rapport_tasks.dialogues.dialogue import read_dialogues
from rapport_training.privacy import model, words
from rapport_training.privacy.anonymisation import Span
from rapport_training.privacy.marks import read_marked, tally

ROOT = Path(__file__).parents[2]
DEVELOPMENT = sorted((ROOT / "tests" / "training").glob("privacy_*_zh.txt"))
HELD_OUT = sorted(Path(__file__).parent.glob("privacy_*_zh.txt"))
PACKAGE = "rapport_training.privacy"
KEPT = {"marks"}
"""Modules without rules."""

Finder = Callable[[Sequence[str]], list[list[Span]]]

Spans = frozenset[tuple[int, int, int, str]]
"""What is found in one conversation: message, start, end, kind."""

Acting = dict[tuple[str, int], set[tuple[int, int]]]
"""For each rule (module, number) the texts (set, number) where it does something."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Something to remove: the `number`-th of a module's, or a word (all words: empty) of a list."""

    label: str
    module: str
    number: int = -1
    section: tuple[str, str] = ("", "")
    literal: str = ""


@dataclass(frozen=True, slots=True)
class Texts:
    """What is measured on: conversations of one message or more, with their marks where known."""

    name: str
    conversations: list[list[str]]
    marks: list[tuple[Span, ...]] | None


# --- the package without it -----------------------------------------------------------------------


@cache
def source(module: str) -> str:
    """The source of one module of the package."""
    return files(PACKAGE).joinpath(f"{module}.py").read_text(encoding="utf-8")


def rules() -> list[Rule]:
    """Everything that can be removed."""
    found = []
    names = sorted(path.name[:-3] for path in files(PACKAGE).iterdir() if path.name.endswith(".py"))
    for module in names:
        if module not in KEPT:
            found += [
                Rule(f"{module} {edit.label}", module, number, literal=edit.literal)
                for number, edit in enumerate(edits(ast.parse(source(module))))
            ]
    for path in files(PACKAGE).joinpath("data").iterdir():
        for section in re.findall(r"^\[(\w+)\]$", path.read_text(encoding="utf-8"), re.M):
            found.append(Rule(f"{path.name} [{section}]", "words", section=(path.name, section)))
            found += [
                Rule(f"{path.name} [{section}] {word}", "words", -1, (path.name, section), word)
                for word in dict.fromkeys(words.word_list(path.name, section))
            ]
    return found


class Ablated(MetaPathFinder, Loader):
    """Imports the package anew, without one rule; `seen` instead notes where all of them act."""

    def __init__(self, rule: Rule | None, *, watching: bool = False) -> None:
        self.rule = rule
        self.watching = watching
        self.seen: set[tuple[str, int]] = set()

    def finder(self) -> Finder:
        """`find_identifiers` of such a package."""
        kept = {
            name: sys.modules.pop(name)
            for name in list(sys.modules)
            if name.startswith(PACKAGE + ".")
        }
        sys.meta_path.insert(0, self)
        try:
            found: Finder = importlib.import_module(f"{PACKAGE}.anonymisation").find_identifiers
        finally:
            sys.meta_path.remove(self)
            for name in [name for name in sys.modules if name.startswith(PACKAGE + ".")]:
                del sys.modules[name]
            sys.modules.update(kept)
        return found

    def find_spec(self, name: str, path: object, target: object = None) -> ModuleSpec | None:
        """The specification of a module of the package; of no other."""
        return ModuleSpec(name, self) if name.startswith(PACKAGE + ".") else None

    def exec_module(self, module: ModuleType) -> None:
        """Run a module without the rule, with what the trained model and the dictionary have said."""
        name = module.__name__.removeprefix(PACKAGE + ".")
        tree = ast.parse(source(name))
        if self.watching and name not in KEPT:
            for number, edit in enumerate(list(edits(tree))):
                if edit.watch:
                    edit.watch(number)
            _forget(tree)
            module.__dict__["_seen"] = lambda number, value, decides: self._note(
                (name, number), value, decides
            )
        elif self.rule and self.rule.module == name and self.rule.number >= 0:
            next(islice(edits(tree), self.rule.number, None)).apply()
        exec(compile(ast.fix_missing_locations(tree), name, "exec"), module.__dict__)
        known = module.__dict__
        if name == "words":
            known["_segmenter"] = words._segmenter
            if self.rule and self.rule.section[0]:
                known["word_list"] = self._word_list
        if name == "model":
            known.update(_model=model._model, _scores=_scores)

    def _word_list(self, name: str, section: str) -> tuple[str, ...]:
        listed = words.word_list(name, section)
        assert self.rule
        if (name, section) != self.rule.section:
            return listed
        return tuple(word for word in listed if self.rule.literal not in ("", word)) or ("\0",)

    def _note(self, key: tuple[str, int], value: object, decides: object) -> object:
        if bool(value) == decides:
            self.seen.add(key)
        return value


def _forget(tree: ast.Module) -> None:
    """Let no function of a text keep its answers, so that each text shows what acts on it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.decorator_list = [
                one for one in node.decorator_list if "lru_cache" not in ast.unparse(one)
            ]


_scores = cache(model._scores)


# --- what it gains --------------------------------------------------------------------------------


def marked(name: str, paths: Sequence[Path]) -> Texts:
    """Marked sentences, each a conversation of its own."""
    texts = [text for path in paths for text in read_marked(path)]
    return Texts(name, [[text.text] for text in texts], [text.spans for text in texts])


def spoken(paths: Sequence[Path], every: int) -> Texts:
    """Every `every`-th dialogue of some files."""
    dialogues = [one for path in paths for one in list(read_dialogues(path))[::every]]
    return Texts("dialogues", [[m.content for m in one.messages] for one in dialogues], None)


def figures(texts: Texts, before: list[Spans], now: list[Spans]) -> str:
    """Recall and precision of marked texts, of dialogues the marks gone and come."""
    if texts.marks is None:
        gone = sum(len(one - other) for one, other in zip(before, now, strict=True))
        come = sum(len(other - one) for one, other in zip(before, now, strict=True))
        return f"{texts.name} -{gone} +{come}"
    counts = tally(
        (marks, [Span(start, end, kind) for _, start, end, kind in sorted(spans)])
        for marks, spans in zip(texts.marks, now, strict=True)
    )
    name = "姓名"
    return (
        f"{texts.name} {_share(counts.overlapping.total(), counts.marked.total())} "
        f"{_share(counts.right.total(), counts.found.total())} names "
        f"{_share(counts.overlapping[name], counts.marked[name])} "
        f"{_share(counts.right[name], counts.found[name])}"
    )


def _share(part: int, whole: int) -> str:
    return f"{part / whole if whole else 0:.3f} ({part}/{whole})"


def spans_of(finder: Finder, conversation: list[str]) -> Spans:
    """What a finder finds in one conversation."""
    return frozenset(
        (number, span.start, span.end, span.kind)
        for number, spans in enumerate(finder(conversation))
        for span in spans
    )


def main() -> None:
    """Print what each rule gains."""
    parser = argparse.ArgumentParser(description="What each rule of anonymisation gains.")
    parser.add_argument("parts", nargs="*", help="only rules whose label has one of these")
    parser.add_argument("--dialogues", nargs="+", type=Path, default=[], help="files of dialogues")
    parser.add_argument("--every", type=int, default=10, help="read every N-th dialogue (10)")
    parser.add_argument("--dead", action="store_true", help="only rules that change nothing")
    options = parser.parse_args()
    measured = [marked("dev", DEVELOPMENT), marked("held-out", HELD_OUT)]
    if options.dialogues:
        measured.append(spoken(options.dialogues, options.every))
    acting, base = watch(measured)
    print("with everything:", "; ".join(map(figures, measured, base, base)), flush=True)
    for rule in rules():
        if options.parts and not any(part in rule.label for part in options.parts):
            continue
        try:
            now = without(rule, measured, base, acting)
        except Exception as error:
            if not options.dead:
                print(f"{rule.label}: cannot be removed alone ({type(error).__name__})", flush=True)
            continue
        if options.dead:
            if now == base:
                print(rule.label, flush=True)
        elif now == base:
            print(f"{rule.label}: changes nothing", flush=True)
        else:
            told = "; ".join(map(figures, measured, base, now))
            print(f"{rule.label}: {told}", flush=True)


def watch(measured: list[Texts]) -> tuple[Acting, list[list[Spans]]]:
    """Where each rule acts, and what is found with all of them."""
    watched = Ablated(None, watching=True)
    finder = watched.finder()
    always = set(watched.seen)
    acting: Acting = {}
    base = []
    for place, texts in enumerate(measured):
        found = []
        for index, conversation in enumerate(texts.conversations):
            watched.seen.clear()
            found.append(spans_of(finder, conversation))
            for key in watched.seen:
                acting.setdefault(key, set()).add((place, index))
        base.append(found)
    return {key: texts for key, texts in acting.items() if key not in always}, base


def without(
    rule: Rule, measured: list[Texts], base: list[list[Spans]], acting: Acting
) -> list[list[Spans]]:
    """What is found without a rule."""
    watched = rule.number >= 0 and _watched(rule)
    now = [list(found) for found in base]
    todo = [
        (place, index)
        for place, texts in enumerate(measured)
        for index, conversation in enumerate(texts.conversations)
        if (
            (place, index) in acting.get((rule.module, rule.number), ())
            if watched
            else any(rule.literal in text for text in conversation)
        )
    ]
    if todo:
        finder = Ablated(rule).finder()
        for place, index in todo:
            now[place][index] = spans_of(finder, measured[place].conversations[index])
    return now


def _watched(rule: Rule) -> bool:
    edit = next(islice(edits(ast.parse(source(rule.module))), rule.number, None))
    return edit.watch is not None


if __name__ == "__main__":
    main()
