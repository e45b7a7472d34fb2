"""The repository's own results: how the bad adapter's corpus is made, and that the README is true."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pytest

from made_results import columns, result
from rapport_bench.cli.main import _run
from rapport_bench.judging.gate_policy import read_policy
from rapport_bench.results.result import load_all, save
from rapport_bench.running.outcome import Run
from rapport_tasks.acts.classifier import RuleActClassifier
from rapport_tasks.dialogues.builtin import TRAINING_ZH
from rapport_tasks.dialogues.dialogue import read_dialogues
from rapport_tasks.dialogues.sentences import split_sentences

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location(
        "make_results", ROOT / "benchmark" / "make_results.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def arms():
    """A base, an adapter like it, one that advises, and gold without likelihoods."""
    replies = {k: v for k, v in columns(3, advice=0.3).items() if k not in ("nll_sum", "tokens", "chars", "likelihood_turns")}  # fmt: skip
    return [
        result("base", columns(1), kind="base"),
        result("demo-adapter", columns(2), kind="adapter"),
        result("advice-adapter", columns(2, advice=0.97, nll=0.5), kind="adapter"),
        result("gold", replies, kind="gold"),
    ]


# --- the README and the policy of the repository -------------------------------------------------


def test_the_readme_of_the_results_is_what_the_results_say(script):
    readme = (script.RESULTS / "README.md").read_text(encoding="utf-8")
    assert script.renewed(readme, list(load_all(script.RESULTS))) == readme, (
        "run: python benchmark/make_results.py --readme-only"
    )
    for name in ("demo-adapter", "advice-adapter", "make results", "gate.toml"):
        assert name in readme


def test_the_picture_of_the_console_is_what_the_results_say(script, tmp_path):
    script.record_console(tmp_path / "console.svg")
    assert (tmp_path / "console.svg").read_bytes() == script.PICTURE.read_bytes()


def test_no_arm_of_the_repository_has_two_results_of_one_suite(script):
    found = list(load_all(script.RESULTS))
    assert len({(r.suite_id, r.name) for r in found}) == len(found)


def test_the_policy_of_the_repository_is_the_one_of_the_documentation(script, tmp_path):
    page = (ROOT / "docs" / "gate.md").read_text(encoding="utf-8")
    (block,) = [b for b in page.split("```toml\n")[1:] if b.startswith("[policy]")]
    shown = tmp_path / "shown.toml"
    shown.write_text(block.split("```")[0], encoding="utf-8")
    assert read_policy(script.POLICY) == read_policy(shown)
    assert [rule.metric.name for rule in read_policy(script.POLICY).rules] == [
        "nll_per_token", "aer_share", "continuity",
    ]  # fmt: skip
    assert "--policy results/gate.toml" in page


# --- the corpus of the bad adapter ---------------------------------------------------------------


def test_every_reply_is_replaced_by_advice_and_nothing_else_is_touched(script):
    classifier = RuleActClassifier()
    for dialogue in read_dialogues(TRAINING_ZH)[:20]:
        made = script.advised(dialogue)
        assert (made.id, made.domain, made.crisis) == (
            dialogue.id,
            dialogue.domain,
            dialogue.crisis,
        )
        assert len(made.messages) == len(dialogue.messages)
        for before, after in zip(dialogue.messages, made.messages, strict=True):
            assert before.role == after.role
            if before.role != "assistant":
                assert before == after
                continue
            sentences = [s.text for s in split_sentences(after.content)]
            assert len(sentences) == 3
            assert {acts.label for acts in classifier.classify(sentences)} == {"advice"}


def test_the_corpus_is_a_folder_that_training_takes(script, tmp_path):
    from rapport_training.lora.recipe import load_recipe

    source = tmp_path / "corpus"
    source.mkdir()
    dialogues = read_dialogues(TRAINING_ZH)
    for name, some in (("train.jsonl", dialogues[:3]), ("validation.jsonl", dialogues[3:4])):
        lines = [json.dumps(d.to_json(), ensure_ascii=False) for d in some]
        (source / name).write_text("\n".join(lines), encoding="utf-8")
    made = script.advice_corpus(source, tmp_path / "advice")
    recipe = load_recipe("embedded", {"data.corpus": str(made)})
    assert read_dialogues(recipe.corpus_file()) == [script.advised(d) for d in dialogues[:3]]
    assert read_dialogues(recipe.validation_file()) == [script.advised(dialogues[3])]
    again = {path: path.read_bytes() for path in made.iterdir()}
    script.advice_corpus(source, tmp_path / "advice")
    assert {path: path.read_bytes() for path in made.iterdir()} == again


# --- the section, and the command ----------------------------------------------------------------


def test_the_section_shows_board_and_gate(script):
    text = script.section(arms())
    board, gate = text.split("## rapport gate")
    for name in ("base", "demo-adapter", "advice-adapter", "gold"):
        assert name in board
    assert "reference: gold" in board
    _, advice, demo = gate.split("### ")
    assert advice.startswith("advice-adapter")
    assert "FAIL" in advice.split("\n")[0]
    assert "regressed" in advice
    assert demo.startswith("demo-adapter")
    assert "FAIL" not in demo.split("\n")[0]
    assert script.section([]) == "No results yet.\n"
    assert "rapport gate" not in script.section(arms()[:1])


def test_a_readme_is_renewed_between_its_marks_alone(script):
    readme = (script.RESULTS / "README.md").read_text(encoding="utf-8")
    once = script.renewed(readme, arms())
    assert script.renewed(once, arms()[::-1]) == once
    assert script.renewed(once, []) == script.renewed(readme, [])
    assert once.split("<!--")[0] == readme.split("<!--")[0]
    assert "| 1 | 1 |" in once
    with pytest.raises(ValueError, match="0 sections"):
        script.renewed("# Results\n", [])


def test_older_results_of_the_same_arms_are_named(script, tmp_path):
    class Suite:
        name = "made"

    new = arms()
    old = result("base", columns(7), kind="base", suite="1" * 64)
    other = result("somebody's", columns(8))
    outcome = Run(Suite(), new, [True] * len(new))
    assert script.superseded(outcome, [*new, old, other]) == [old]


def test_the_command_makes_everything_once(script, tmp_path, monkeypatch, capsys):
    """Scored results in place of a model's; the adapters are asked for as they should be."""
    trained, asked = [], []

    def prepare(corpus: Path) -> Path:
        corpus.mkdir(parents=True, exist_ok=True)
        line = json.dumps(read_dialogues(TRAINING_ZH)[0].to_json())
        for name in ("train.jsonl", "validation.jsonl"):
            (corpus / name).write_text(line, encoding="utf-8")
        return corpus

    def train(corpus: Path, adapter: Path, reporter: object) -> None:
        trained.append((corpus.name, adapter.name))

    def score(config, reporter):
        asked.append(config)
        saved = [save(made, config.results) for made in arms()]
        return Run(type("Suite", (), {"name": "made"})(), *map(list, zip(*saved, strict=True)))

    monkeypatch.setattr(script, "prepare_builtin", prepare)
    monkeypatch.setattr(script, "train_embedded", train)
    monkeypatch.setattr(script, "run", score)
    words = ["--work", str(tmp_path / "work"), "--results", str(tmp_path / "results"), "--limit", "3"]  # fmt: skip
    script.main(words)
    first = capsys.readouterr().out
    assert trained == [("corpus", "demo-adapter"), ("advice-corpus", "advice-adapter")]
    (config,) = asked
    assert (config.base, config.bots, config.limit, config.device) == ("embedded", True, 3, "cpu")
    assert [Path(path).name for _, path in config.adapters] == ["demo-adapter", "advice-adapter"]
    assert first.count("new ") == 4
    assert "renewed" in first
    files = {p: p.read_bytes() for p in (tmp_path / "results").rglob("*") if p.is_file()}
    assert len(files) == 5
    script.main(words)
    again = capsys.readouterr().out
    assert again.count("kept ") == 5
    assert files == {p: p.read_bytes() for p in (tmp_path / "results").rglob("*") if p.is_file()}
    script.main([*words, "--readme-only"])
    assert len(trained) == 4  # two each time, none with --readme-only


def test_a_limit_is_kept_out_of_the_repository(script, capsys):
    with pytest.raises(SystemExit) as caught:
        script.main(["--limit", "3"])
    assert caught.value.code == 2
    assert "another folder" in capsys.readouterr().err


def test_the_gate_stops_the_bad_adapter_by_the_shipped_policy(script, tmp_path, capsys):
    for made in arms():
        save(made, tmp_path)
    call = ["gate", "--baseline", "base", "--policy", str(script.POLICY), "--results", str(tmp_path)]  # fmt: skip
    assert _run([*call, "--candidate", "advice-adapter", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)["data"]["candidates"][0]["metrics"]
    assert found["aer_share"]["verdict"] == "regressed"
