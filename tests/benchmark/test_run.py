"""The main path on tiny models: arms, identities, resume, equality, order."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from conftest import DIALOGUES, write_dialogues
from rapport_bench.arms import engine
from rapport_bench.arms.bots import bots
from rapport_bench.arms.loading import LoadedBase
from rapport_bench.arms.store import ResponseStore
from rapport_bench.judging.compare import compare
from rapport_bench.running.config import RunConfig
from rapport_bench.running.outcome import Run
from rapport_bench.running.run import run
from rapport_tasks.common.errors import BadInput, Incomplete
from rapport_tasks.common.protocol import Generation


class Silent:
    """A reporter that keeps what it is told; it is told before the first batch of a kind, too."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.batches = 0

    def suite(self, suite: object) -> None: ...

    def arm(self, name: str, index: int, total: int) -> None: ...

    def progress(self, what: str, done: int, total: int) -> None:
        self.batches += 1

    def warn(self, message: str) -> None:
        self.warnings.append(message)


@pytest.fixture
def config(models, adapters, data, tmp_path) -> RunConfig:
    return RunConfig(
        base=str(models["qwen"]),
        adapters=((None, str(adapters["a"])), (None, str(adapters["b"]))),
        data=str(data),
        generation=Generation(max_new_tokens=12),
        batch_tokens=512,
        results=str(tmp_path / "results"),
        store=str(tmp_path / "store.sqlite"),
    )


def content(outcome: Run) -> dict[str, dict]:
    """Results by arm without what may differ between runs."""
    return {
        r.name: {key: value for key, value in r.to_json().items() if key != "volatile"}
        for r in outcome.results
    }


def no_model(*_: object) -> None:
    raise AssertionError("a model was loaded although every response was stored")


def test_all_kinds_of_arms_in_one_table(config, models, adapters, data, tmp_path) -> None:
    replies = tmp_path / "mine.jsonl"
    lines = [
        {"id": d["id"], "turn": turn, "content": m["content"]}
        for d in DIALOGUES
        for turn, m in enumerate(d["messages"])
        if m["role"] == "assistant"
    ]
    replies.write_text("\n".join(json.dumps(line) for line in lines))
    outcome = run(
        replace(
            config,
            models=(("other", str(models["llama"])),),
            replies=((None, str(replies)),),
            bots=True,
        ),
        Silent(),
    )
    kinds = {r.name: r.kind for r in outcome.results}
    assert kinds == {
        "base": "base",
        "a": "adapter",
        "b": "adapter",
        "other": "model",
        "mine": "replies",
        "gold": "gold",
    } | dict.fromkeys(bots(), "bot")
    by_name = {r.name: r for r in outcome.results}
    assert len({r.arm.arm_id for r in outcome.results}) == len(outcome.results)
    assert "nll_per_token" not in by_name["gold"].metrics
    # Imported gold replies score as the gold arm does.
    assert by_name["mine"].columns == by_name["gold"].columns
    proof = by_name["a"].arm.adapter.proof
    assert proof.max_logit_change > 0.01
    assert proof.base_restored_exactly is True
    # Another tokenizer: no token perplexity, but bits per character.
    other = compare(by_name["other"], by_name["base"])
    assert other.by_name("nll_per_token").difference is None
    assert other.by_name("nll_per_token").note == "different_tokenizer"
    assert other.by_name("bits_per_char").difference.value is not None
    assert compare(by_name["a"], by_name["base"]).by_name("nll_per_token").difference.value


def test_no_text_in_results(config) -> None:
    outcome = run(replace(config, bots=True), Silent())
    pieces = [m["content"][:8] for d in DIALOGUES for m in d["messages"]]
    for result in outcome.results:
        text = result.path.read_text(encoding="utf-8")
        assert not [piece for piece in pieces if piece in text]


def test_second_run_loads_nothing_and_finds_its_results(config, monkeypatch) -> None:
    first = run(config, Silent())
    assert all(first.new)
    before = {r.path: r.path.read_bytes() for r in first.results}
    monkeypatch.setattr(LoadedBase, "__init__", no_model)
    second = run(config, Silent())
    assert not any(second.new)
    assert content(first) == content(second)
    assert {path: path.read_bytes() for path in before} == before


def test_a_noop_adapter_equals_the_base_exactly(config, adapters) -> None:
    reporter = Silent()
    outcome = run(replace(config, adapters=((None, str(adapters["noop"])),)), reporter)
    base, noop = outcome.results
    assert base.columns == noop.columns
    comparison = compare(noop, base)
    assert all(m.difference.exactly_equal for m in comparison.metrics if m.metric.margin)
    assert {m.verdict for m in comparison.metrics if m.verdict} == {"equivalent"}
    assert any("lora_B" in warning for warning in reporter.warnings)


def test_order_of_arms_tasks_and_dialogues_changes_nothing(config, tmp_path) -> None:
    first = content(run(config, Silent()))
    other = replace(config, store=str(tmp_path / "o.sqlite"), results=str(tmp_path / "o"))
    swapped = content(run(replace(other, adapters=config.adapters[::-1]), Silent()))
    assert first == swapped
    alone = replace(other, store=None, tasks=("continuity", "aer"))
    alone = replace(alone, store=str(tmp_path / "p.sqlite"), results=str(tmp_path / "p"))
    for name, data in content(run(alone, Silent())).items():
        for column, values in data["dialogues"]["columns"].items():
            assert values == first[name]["dialogues"]["columns"][column]
    # Other neighbours in the file, another order: the same dialogues get the same replies.
    some = write_dialogues(tmp_path / "some.jsonl", DIALOGUES[4:1:-1])
    fewer = replace(other, data=str(some), store=str(tmp_path / "q.sqlite"))
    for name, data in content(run(fewer, Silent())).items():
        ids = first[name]["dialogues"]["id"]
        for column in ("reply_chars", "advice", "questions", "copied", "shifts"):
            expected = dict(zip(ids, first[name]["dialogues"]["columns"][column], strict=True))
            found = data["dialogues"]["columns"][column]
            assert found == [expected[i] for i in data["dialogues"]["id"]]


@pytest.mark.parametrize("batches", [2, 4])
def test_an_interrupted_run_resumes_to_the_identical_result(
    config, batches, monkeypatch, tmp_path
) -> None:
    whole = content(run(config, Silent()))
    again = replace(config, store=str(tmp_path / "s.sqlite"), results=str(tmp_path / "r"))

    class Killed(Silent):
        def progress(self, what: str, done: int, total: int) -> None:
            super().progress(what, done, total)
            if self.batches == batches:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(again, Killed())
    done: list[int] = []
    real = engine.score_batch
    monkeypatch.setattr(engine, "score_batch", lambda *a, **k: done.append(1) or real(*a, **k))
    assert content(run(again, Silent())) == whole
    uninterrupted = replace(config, store=str(tmp_path / "t.sqlite"), results=str(tmp_path / "t"))
    resumed = len(done)
    run(uninterrupted, Silent())
    assert resumed < len(done) - resumed  # what was finished before was not done again


def test_a_killed_process_loses_at_most_a_batch(config, tmp_path) -> None:
    whole = content(run(config, Silent()))
    store, results = tmp_path / "k.sqlite", tmp_path / "k"
    command = [sys.executable, "-m", "rapport_bench", "run", "--base", config.base]
    for _, path in config.adapters:
        command += ["--adapter", path]
    command += ["--data", config.data, "--results", str(results), "--store", str(store)]
    command += ["--max-new-tokens", "12", "--batch-tokens", "512"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wal = store.with_name("k.sqlite-wal")
    for _ in range(600):
        if (wal.exists() and wal.stat().st_size > 60_000) or process.poll() is not None:
            break
        time.sleep(0.05)
    process.kill()
    process.wait()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    found = {}
    for path in results.glob("v1/*/*/*.json"):
        data = json.loads(path.read_text(encoding="utf-8"))
        found[data["arm"]["name"]] = {k: v for k, v in data.items() if k != "volatile"}
    assert found == whole


def test_answers_of_another_machine_are_not_completed_on_this_one(config, monkeypatch) -> None:
    """They were there when the run chose their numerics; then the store was set aside."""
    run(config, Silent())
    here = replace(config, batch_tokens=config.batch_tokens // 2, results=config.results + "2")
    monkeypatch.setattr(ResponseStore, "get", lambda *_: {})
    with pytest.raises(Incomplete, match="answers of another machine were lost") as caught:
        run(here, Silent())
    assert "same command again" in caught.value.remedy


@pytest.mark.parametrize(
    "change",
    [
        {"generation": Generation(max_new_tokens=13)},
        {"generation": Generation(max_new_tokens=12, seeds=(1,))},
        {"generation": Generation("greedy", max_new_tokens=12)},
        {"limit": 3},
    ],
)
def test_what_is_asked_changes_the_suite(config, change) -> None:
    one = run(replace(config, adapters=()), Silent())
    other = run(replace(config, adapters=(), **change), Silent())
    assert one.suite.suite_id != other.suite.suite_id
    assert run(replace(config, adapters=(), tasks=("aer",)), Silent()).suite == one.suite


def test_a_changed_prompt_never_reuses_an_answer(config, tmp_path) -> None:
    first = run(replace(config, adapters=()), Silent())
    changed = json.loads(json.dumps(DIALOGUES))
    changed[0]["messages"][0]["content"] += "！"
    other = write_dialogues(tmp_path / "changed.jsonl", changed)
    reporter = Silent()
    second = run(replace(config, adapters=(), data=str(other)), reporter)
    assert reporter.batches > 0
    assert first.results[0].columns["nll_sum"][0] != second.results[0].columns["nll_sum"][0]
    assert first.results[0].columns["nll_sum"][1:] == pytest.approx(
        second.results[0].columns["nll_sum"][1:], abs=1e-3
    )


def test_several_seeds_are_summed(config) -> None:
    seeds = Generation(max_new_tokens=12, seeds=(0, 1))
    one = run(replace(config, adapters=()), Silent()).results[0]
    two = run(replace(config, adapters=(), generation=seeds), Silent()).results[0]
    other = Generation(max_new_tokens=12, seeds=(1,))
    second = run(replace(config, adapters=(), generation=other), Silent()).results[0]
    for column in ("replies", "reply_chars", "questions", "shift_opportunities"):
        total = [a + b for a, b in zip(one.columns[column], second.columns[column], strict=True)]
        assert two.columns[column] == total
    assert two.columns["nll_sum"] == one.columns["nll_sum"]


def test_over_long_turns_are_unscored_not_cut(config, tmp_path) -> None:
    long = json.loads(json.dumps(DIALOGUES[:2]))
    long[0]["messages"][2]["content"] = "很累。" * 400
    data = write_dialogues(tmp_path / "long.jsonl", long)
    result = run(replace(config, adapters=(), data=str(data)), Silent()).results[0]
    reasons = {(u.dialogue, u.turn, u.metric) for u in result.unscored if u.reason == "overlong"}
    assert reasons == {
        ("d-0", 3, m) for m in ("nll_per_token", "aer_share", "continuity", "shift_rate")
    }
    assert result.columns["likelihood_turns"][0] == result.columns["turns"][0] - 1
    assert result.metrics["nll_per_token"].coverage < 1


def test_a_context_that_takes_no_turn_is_said_before_anything_is_scored(config) -> None:
    long = Generation(max_new_tokens=512)
    with pytest.raises(BadInput, match="reads 512 tokens, which not one turn"):
        run(replace(config, tasks=("aer",), generation=long), Silent())


def test_names_must_differ(config) -> None:
    with pytest.raises(BadInput, match="several arms are called a"):
        run(replace(config, adapters=config.adapters[:1] * 2), Silent())


def test_a_model_without_template_runs(config, models) -> None:
    result = run(replace(config, base=str(models["plain"]), adapters=()), Silent()).results[0]
    assert result.metrics["nll_per_token"].coverage == 1
    assert result.columns["replies"] == result.columns["turns"]


def test_replies_of_a_result_are_found_again_without_a_tokenizer(config, monkeypatch) -> None:
    from rapport_bench.arms.text_sources import Sources
    from rapport_bench.arms.texts import find_texts

    generated: dict[tuple[str, str, int], str] = {}
    answer = engine.ArmModel.generate_until

    def spy(self, requests, disable_tqdm=False):
        replies = answer(self, requests, disable_tqdm)
        generated.update(
            ((self.arm.name, r.doc["id"], r.turn), str(text))
            for r, text in zip(requests, replies, strict=True)
        )
        return replies

    monkeypatch.setattr(engine.ArmModel, "generate_until", spy)
    outcome = run(replace(config, tasks=("topic_shift",)), Silent())
    found = find_texts(outcome.results, Sources(config.data, config.store))
    assert found.missing == ()
    names = {made.result_id: made.name for made in outcome.results}
    assert generated == {
        (names[result_id], identity, turn): text
        for result_id, texts in found.texts.items()
        for (identity, turn), (text,) in texts.items()
    }
    assert len(generated) == 3 * sum(len(d["messages"]) // 2 for d in DIALOGUES)
