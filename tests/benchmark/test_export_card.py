"""`rapport export model-card`: our entries in an adapter's README, and nothing else of it touched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from huggingface_hub import EvalResult, ModelCard, metadata_load
from safetensors.numpy import save_file

from made_results import columns, result
from rapport_bench.arms.adapters import identify_adapter
from rapport_bench.cli.main import _run
from rapport_bench.export.card import MARK
from rapport_bench.results.result import Result, save, seal

CARD = """---
# who made it
base_model: Qwen/Qwen1.5-1.8B   # the study's
license: 'other'
tags: [lora, "rapport-bench"]
version: 1.10
model-index:
- name: empathy
  results:
  - task: {type: text-generation}
    dataset: {name: "mine, validation", type: mine}
    metrics:
    - {type: perplexity, value: 15.58, odd: kept}
# what it was made of
datasets:
- mine
---

# empathy

---
A line and ---, {braces}, `code` <b>html</b>.
"""


def make_folder(name: str = "empathy", seed: int = 0, card: str | None = CARD) -> Path:
    """An adapter's folder, without a model."""
    folder = Path(name)
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    key = "base_model.model.q_proj.lora_A.weight"
    save_file({key: rng.normal(size=(2, 2))}, folder / "adapter_model.safetensors")
    config = {"peft_type": "LORA", "r": 4, "lora_alpha": 8}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    if card is not None:
        (folder / "README.md").write_bytes(card.encode())
    return folder


def scored(
    folder: Path, *, suite: str = "0", seed: int = 1, created: str = "2026-11-22T10:00:00Z",
    name: str = "empathy", columns_of: Any = None,
) -> Result:  # fmt: skip
    """A result of the adapter in a folder."""
    adapter = identify_adapter(str(folder), None, None)
    made = result(name, columns_of or columns(seed, 12), kind="adapter", suite=suite * 64)
    data = made.to_json()
    data["arm"]["base"] = {"name": "Qwen/Qwen1.5-1.8B", "weights_sha256": "b" * 64,
                           "quantization": "nf4", "dtype": "bfloat16"}  # fmt: skip
    data["arm"]["adapter"] = {
        "weights_sha256": adapter.weights_sha256, "config_sha256": adapter.config_sha256,
        "rank": 4, "proof": {"max_logit_change": 1.31, "base_restored_exactly": True},
    }  # fmt: skip
    data["volatile"] = {"created": created}
    saved, _ = save(seal(data), "results")
    return saved


@pytest.fixture
def export(tmp_path, monkeypatch, capsys):
    """Run the command; returns exit code, output and errors."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = _run(["export", "model-card", *map(str, arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def entries(folder: Path) -> list[EvalResult]:
    """Our entries, as the hub's library reads them."""
    card = ModelCard.load(folder / "README.md")
    return [entry for entry in card.data.eval_results if entry.task_name == MARK]


def test_the_hub_reads_what_was_measured(export):
    folder = make_folder()
    saved = scored(folder)
    code, out, err = export(folder)
    assert (code, err) == (0, "")
    assert out == f"empathy/README.md: {saved.result_id[:8]} (1 of ours in model-index; 1 of others kept)\n"  # fmt: skip
    found = {entry.metric_type: entry for entry in entries(folder)}
    markers = {name for name in saved.metrics if name.startswith("marker_")}
    assert set(found) == set(saved.metrics) - markers
    entry, figure = found["aer_share"], saved.metrics["aer_share"]
    assert entry.metric_value == pytest.approx(figure.value, rel=1e-5)
    assert entry.metric_args["ci95"] == pytest.approx(figure.ci, rel=1e-5)
    assert (entry.metric_args["better"], entry.metric_args["dialogues"]) == ("band", 12)
    assert (entry.task_type, entry.dataset_type) == ("text-generation", "made")
    assert entry.dataset_revision == saved.suite_id
    assert entry.dataset_args["result_id"] == saved.result_id
    export(folder, "--all-metrics")
    assert {entry.metric_type for entry in entries(folder)} == set(saved.metrics)


def test_everything_else_of_the_readme_stays(export):
    folder = make_folder()
    scored(folder)
    before = metadata_load(folder / "README.md")
    export(folder)
    text = (folder / "README.md").read_text()
    assert text.split("\n---\n", 1)[1] == CARD.split("\n---\n", 1)[1]
    after = metadata_load(folder / "README.md")
    assert after["model-index"][0]["results"][0] == before["model-index"][0]["results"][0]
    assert {**after, "model-index": 0} == {**before, "model-index": 0}
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", "adapter_config.json", "adapter_model.safetensors"]  # fmt: skip


def test_a_second_run_changes_nothing_and_a_new_result_replaces_the_old(export):
    folder = make_folder()
    scored(folder)
    export(folder)
    once = (folder / "README.md").read_bytes()
    code, out, _ = export(folder)
    assert (code, "unchanged" in out) == (0, True)
    assert (folder / "README.md").read_bytes() == once
    newer = scored(folder, seed=2, created="2026-11-23T10:00:00Z")
    code, out, err = export(folder)
    assert f"{newer.result_id[:8]} (1 of ours" in out
    assert "older and of one suite" in err
    assert {e.dataset_args["result_id"] for e in entries(folder)} == {newer.result_id}
    other = scored(folder, suite="1", seed=3)
    export(folder, "--result", other.result_id)  # the other suite's entry stays
    assert {e.dataset_revision for e in entries(folder)} == {"0" * 64, "1" * 64}
    assert metadata_load(folder / "README.md")["model-index"][0]["results"][0]["dataset"]["type"] == "mine"  # fmt: skip


def test_entries_of_former_weights_go(export):
    folder = make_folder()
    scored(folder)
    export(folder)
    card = (folder / "README.md").read_text()
    retrained = make_folder("again/empathy", seed=7, card=card)
    fresh = scored(retrained, suite="1")
    assert export(retrained)[0] == 0
    assert {e.dataset_args["result_id"] for e in entries(retrained)} == {fresh.result_id}


def test_a_result_of_other_weights_or_settings_is_refused(export):
    folder, other = make_folder(), make_folder("other", seed=1)
    theirs = scored(other)
    before = (folder / "README.md").read_bytes()
    code, _, err = export(folder, "--result", theirs.result_id)
    assert code == 2
    assert "does not belong to empathy: it was scored with weights" in err
    assert "rapport run --adapter" in err
    save(result("parrot", columns(4, 12), kind="bot"), "results")
    code, _, err = export(folder, "--result", "parrot")
    assert code == 2
    assert "of a bot, not of an adapter" in err
    code, _, err = export(folder)
    assert code == 2
    assert "none of 2 results is of these weights" in err
    Path(str(theirs.path)).unlink()  # it has the same name
    scored(folder)
    config = {"peft_type": "LORA", "r": 4, "lora_alpha": 16}  # the same weights, twice as strong
    (folder / "adapter_config.json").write_text(json.dumps(config))
    code, _, err = export(folder, "--result", "empathy")
    assert code == 2
    assert "it was scored with config" in err
    assert (folder / "README.md").read_bytes() == before


def test_undefined_metrics_are_left_out_and_said(export):
    folder = make_folder()
    made = columns(1, 12)
    made |= {"continuity_n": 0 * made["turns"], "continuity_sum": 0.0 * made["turns"]}
    scored(folder, columns_of=made)
    code, _, err = export(folder)
    assert code == 0
    assert err == "warning: left out as undefined: continuity\n"
    assert "continuity" not in {e.metric_type for e in entries(folder)}
    nothing = {key: 0 * value for key, value in columns(1, 12).items()}
    lost = scored(folder, columns_of=nothing, suite="1")
    code, _, err = export(folder, "--result", lost.result_id)
    assert code == 2
    assert "no metric has a value" in err


CARDS = {
    "none": None,
    "empty": "",
    "no metadata": "# only text\n---\nnot metadata\n",
    "empty metadata": "---\n---\n# x\n",
    "no index": "---\nlicense: mit\n---\n# x\n",
    "index first": "---\nmodel-index:\n- name: x\n  results: []\nlicense: mit\n---\n# x\n",
    "null index": "---\nmodel-index:\nlicense: mit\n---\n# x\n",
    "no results": "---\nmodel-index:\n- name: x\n---\n# x\n",
    "CRLF": CARD.replace("\n", "\r\n"),
    "BOM": "\ufeff" + CARD,
    "flow": "---\n{license: mit, model-index: [{name: x, results: []}]}\n---\n# x\n",
    "anchor": "---\nmodel-index:\n- &a\n  name: x\n  results: []\nother: *a\n---\n# x\n",
    "quoted key": '---\n"model-index":\n- name: x\n  results: []\nlicense: mit\n---\n# x\n',
    "two models": "---\nmodel-index:\n- name: x\n  results: []\n- name: y\n  results: []\n---\n# x\n",
    "no last line": "---\nlicense: mit\n---",
    "odd breaks": '---\nnote: "a\u2028b"\nmodel-index:\n- name: x\n  results: []\nlicense: mit\n---\n# x\n',
}


@pytest.mark.parametrize("kind", CARDS)
def test_any_card_takes_the_results_and_keeps_its_own(export, kind):
    folder = make_folder(card=CARDS[kind])
    saved = scored(folder)
    before = (metadata_load(folder / "README.md") or {}) if CARDS[kind] is not None else None
    code, _, err = export(folder)
    assert (code, err) == (0, "")
    data = (folder / "README.md").read_bytes()
    after = metadata_load(folder / "README.md")
    assert {e.dataset_args["result_id"] for e in entries(folder)} == {saved.result_id}
    if before is None:
        assert after["library_name"] == "peft"
        return
    assert {**after, "model-index": 0} == {**before, "model-index": 0}
    body = (CARDS[kind] or "").split("---", 2)[-1] if before else CARDS[kind]
    assert data.decode().endswith(body or "")
    if kind == "CRLF":
        assert data.count(b"\r\n") == data.count(b"\n") == data.count(b"\r")
    if kind == "two models":
        assert [model["name"] for model in after["model-index"]] == ["x", "y"]
    assert export(folder)[1].count("unchanged") == 1


@pytest.mark.parametrize(
    "card",
    [
        "---\nlicense: [\n---\n",
        "---\n- a\n---\n",
        "---\nmodel-index: 3\n---\n",
        "---\nmodel-index: [3]\n---\n",
        "---\nmodel-index:\n- name: x\n  results: 3\n---\n",
        "---\nmodel-index:\n- name: x\n  results:\n  - task: 3\n---\n",
        "---\nmodel-index:\n- name: x\n  results:\n  - nothing: here\n---\n",
    ],
)
def test_a_card_that_the_hub_cannot_read_is_refused_untouched(export, card):
    folder = make_folder(card=card)
    scored(folder)
    code, _, err = export(folder)
    assert code == 2
    assert "empathy/README.md: " in err
    assert "Repair the metadata block" in err
    assert (folder / "README.md").read_text() == card


def test_a_card_in_another_encoding_is_refused(export):
    folder = make_folder()
    scored(folder)
    (folder / "README.md").write_bytes("---\nlicense: mit\n---\n".encode("utf-16"))
    code, _, err = export(folder)
    assert code == 2
    assert "not UTF-8" in err


@pytest.mark.parametrize("name", ["a/b", "..", "x y", "🙂", "x" * 300, "=1+1", "<script>", "'\"\\", "a: b # c", "\u202ex", "- a"])  # fmt: skip
def test_hostile_names_stay_data(export, name):
    folder = make_folder()
    saved = scored(folder, name=name)
    data = saved.to_json()
    assert export(folder, "--result", saved.result_id)[0] == 0
    assert len(entries(folder)) == len([m for m in data["metrics"] if not m.startswith("marker_")])
    block = (folder / "README.md").read_text().split("---")[1]
    assert set(yaml.safe_load(block)) == set(yaml.safe_load(CARD.split("---")[1]))


def test_bad_arguments_are_refused(export):
    folder = make_folder()
    scored(folder)
    assert "no such folder" in export("nowhere")[2]
    Path("plain").mkdir()
    assert "no PEFT adapter" in export("plain")[2]
    code, _, err = export(folder, "--result", "mina")
    assert code == 2
    assert "no result 'mina'" in err
    twice = scored(folder, seed=2)
    both = [word for r in Path("results").glob("v1/*/*/*.json") for word in ("--result", r)]
    code, _, err = export(folder, *both)
    assert code == 2
    assert "two results of one suite" in err
    assert twice.path is not None
    twice.path.write_text(twice.path.read_text().replace('"rank": 4', '"rank": 5'))
    code, _, err = export(folder, "--result", twice.path)
    assert code == 2
    assert "edited" in err
    assert export(folder, "--results", "plain")[0] == 2


def test_json_says_what_became_of_the_card(export):
    folder = make_folder()
    saved = scored(folder)
    code, out, _ = export(folder, "--json")
    envelope = json.loads(out)
    assert (code, envelope["command"]) == (0, "export")
    assert envelope["data"] == {
        "path": "empathy/README.md", "results": [saved.result_id], "changed": True, "entries": 1,
        "kept": 1, "undefined": [],
    }  # fmt: skip


def test_a_full_disk_leaves_the_card_as_it_was(export, monkeypatch):
    folder = make_folder()
    scored(folder)

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    assert export(folder)[0] == 4
    assert (folder / "README.md").read_text() == CARD


def test_the_card_that_training_writes_takes_results(export):
    from rapport_training.lora.model_card import model_card

    record = {
        "recipe": {"lora": {"r": 4, "alpha": 8, "dropout": 0.0, "target_modules": ["q_proj"]},
                   "data": {"max_length": 64, "loss_on": "assistant"},
                   "train": {"learning_rate": 1e-3, "lr_schedule": "cosine", "warmup_ratio": 0.0,
                             "batch_size": 1, "gradient_accumulation": 1}},
        "corpus": {"name": "mine", "dialogues": 1, "tokens": 1, "labelled_tokens": 1,
                   "overlong": 0, "languages": ["zh"]},
        "memory": {"peak_bytes": 1, "peak_is": "x", "full_fine_tuning_bytes": 1,
                   "full_fine_tuning_is": "x"},
        "parameters": {"trainable": 1, "total": 2},
        "base": {"name": "base", "license": "mit", "weights_sha256": "b" * 64},
        "effective": {"quantization": "none", "dtype": "float32", "optimizer": "adamw", "device": "cpu",
                      "processes": 1, "fallbacks": []},
        "tokenizer": {"template": "own"},
        "steps": 1, "seed": 0, "loss": {"first": 1.0, "last": 1.0}, "validation": None,
        "training_seconds": 1.0, "warnings": [],
    }  # fmt: skip
    folder = make_folder(card=model_card(record, "empathy"))
    before = (folder / "README.md").read_text()
    saved = scored(folder)
    assert export(folder)[0] == 0
    after = (folder / "README.md").read_text()
    assert {e.dataset_args["result_id"] for e in entries(folder)} == {saved.result_id}
    assert after.split("\n---\n", 1)[1] == before.split("\n---\n", 1)[1]
