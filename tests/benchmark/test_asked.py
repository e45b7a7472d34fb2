"""In whose words arms are asked: one template a run, part of every identity, the same in training."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from conftest import CHATML, DIALOGUES, make_adapter
from made_tokenizers import KINDS, TEMPLATES, made_tokenizer
from rapport_bench.arms.store import ResponseStore
from rapport_bench.arms.texts import _stored
from rapport_bench.cli.main import _run
from rapport_bench.results.result import load
from rapport_bench.running.config import RunConfig
from rapport_bench.running.run import run
from rapport_tasks.common.errors import BadInput, UnsupportedTemplate
from rapport_tasks.common.protocol import Generation
from rapport_tasks.dialogues.dialogue import read_dialogues
from rapport_tasks.prompts.chat_template import tokenizer_renderer
from rapport_training.lora.recipe import Recipe
from rapport_training.lora.train import train
from rapport_training.lora.validation import summed_nll
from rapport_training.sequences.corpus import IGNORED, encode_dialogues


class Silent:
    """A reporter that keeps what it is warned of."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def suite(self, suite: object) -> None: ...

    def arm(self, name: str, index: int, total: int) -> None: ...

    def progress(self, what: str, done: int, total: int) -> None: ...

    def warn(self, message: str) -> None:
        self.warnings.append(message)


@pytest.fixture
def copied(models: dict[str, Path], tmp_path: Path) -> Any:
    """A copy of the tiny Qwen with another template."""

    def copy(template: str | None, name: str = "base") -> Path:
        folder = tmp_path / name
        shutil.copytree(models["qwen"], folder)
        (folder / "chat_template.jinja").unlink()
        if template is not None:
            (folder / "chat_template.jinja").write_text(template, encoding="utf-8")
        return folder

    return copy


@pytest.fixture
def config(data: Path, tmp_path: Path) -> RunConfig:
    return RunConfig(
        base="named by each test",
        data=str(data),
        tasks=("rapport_perplexity",),
        generation=Generation("greedy", max_new_tokens=8),
        results=str(tmp_path / "results"),
        store=str(tmp_path / "store.sqlite"),
    )


def scored(config: RunConfig, **changes: Any) -> dict[str, Any]:
    """The base's result."""
    return run(replace(config, **changes), Silent()).results[0].to_json()


def sums(result: dict[str, Any]) -> tuple[float, int]:
    columns = result["dialogues"]["columns"]
    return sum(columns["nll_sum"]), sum(columns["tokens"])


# --- one tokenisation --------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["plain", "chatml", "labels", "generation", "own-bos"])
@pytest.mark.parametrize("kind", KINDS)
def test_validation_is_the_benchmarks_own_for_every_tokenizer(kind, name, models, config, tmp_path):
    base = tmp_path / "base"
    shutil.copytree(models["llama"], base)
    for file in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        (base / file).unlink()
    made_tokenizer(kind, TEMPLATES[name]).save_pretrained(base)
    nll, tokens = sums(scored(config, base=str(base)))
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(base)
    dialogues = read_dialogues(config.data)
    assert summed_nll(model, tokenizer, dialogues) == (pytest.approx(nll, rel=1e-6), tokens)
    encoded = encode_dialogues(dialogues, tokenizer, tokenizer_renderer(tokenizer))
    assert sum(s.scored() for sequences in encoded for s in sequences) == tokens
    whole = all(len(sequences) == 1 for sequences in encoded)
    reaching = kind in ("merging", "metaspace-always", "metaspace") and not whole
    assert (
        whole or reaching
    )  # one row a dialogue, unless its history has other tokens than its replies
    bos = [list(s.tokens).count(tokenizer.bos_token_id) for group in encoded for s in group]
    adds = kind.startswith("bos") or name == "own-bos"
    assert set(bos) == {int(adds)}
    assert all(s.labels[0] == IGNORED for group in encoded for s in group)


# --- one rendering -----------------------------------------------------------------------------


def test_a_date_in_the_template_changes_nothing_on_another_day(copied, config, monkeypatch):
    from transformers.utils import chat_template_utils

    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime(2031, 5, 6)

    dated = "{{ '<|im_start|>system\n' + strftime_now('%d %b %Y') + '<|im_end|>\n' }}" + CHATML
    base = str(copied(dated))
    today = scored(config, base=base)
    monkeypatch.setattr(chat_template_utils, "datetime", Later)
    assert scored(config, base=base, store=config.store + "2")["result_id"] == today["result_id"]


def test_templates_that_render_alike_are_one_arm(copied, models, config):
    spelled = copied(CHATML.replace("m['role']", "m.role"), "spelled")
    other = copied(CHATML.replace("m['content']", "m['content'] | trim"), "other")
    arms = [scored(config, base=str(b))["arm"] for b in (models["qwen"], spelled, other)]
    assert arms[0]["arm_id"] == arms[1]["arm_id"] != arms[2]["arm_id"]
    assert arms[0]["chat_template_sha256"] != arms[2]["chat_template_sha256"]
    # They differ for padded messages, of which these data have none.
    assert arms[0]["prompts_sha256"] == arms[1]["prompts_sha256"] == arms[2]["prompts_sha256"]


def test_the_prompts_of_a_result_are_those_of_its_data_whatever_tasks_were_run(models, config):
    base = str(models["qwen"])
    one = scored(config, base=base)["arm"]["prompts_sha256"]
    assert scored(config, base=base, tasks=("rapport_aer",))["arm"]["prompts_sha256"] == one
    assert scored(config, base=base, limit=3)["arm"]["prompts_sha256"] != one


def test_a_result_without_the_hash_of_its_prompts_is_read(models, config):
    from rapport_bench.results.result import result_id

    path = run(replace(config, base=str(models["qwen"])), Silent()).results[0].path
    data = json.loads(path.read_text(encoding="utf-8"))
    del data["arm"]["prompts_sha256"]
    data["result_id"] = result_id(data)
    path.write_text(json.dumps(data), encoding="utf-8")
    assert load(path).asked == data["arm"]["chat_template_sha256"]


def test_training_renders_as_a_run_with_the_same_options_does(models, config, tmp_path):
    template = tmp_path / "mine.jinja"
    template.write_text(CHATML + "{{ '<think></think>' if not thinking }}", encoding="utf-8")
    recipe = {
        "base": {
            "name": str(models["qwen"]), "template": str(template), "template_args": {"thinking": False},
        },
        "data": {
            "corpus": config.data, "validation": config.data, "max_length": 512, "system": "倾听",
        },
        "train": {"max_steps": 1},
    }  # fmt: skip
    record = train(Recipe.model_validate(recipe), tmp_path / "adapter").record
    found = scored(
        config, base=str(models["qwen"]), system="倾听", template=str(template),
        template_args=("thinking=false",),
    )  # fmt: skip
    nll, tokens = sums(found)
    validation = record["validation"]
    assert (validation["base_nll_sum"], validation["tokens"]) == (
        pytest.approx(nll, rel=1e-6),
        tokens,
    )
    assert record["tokenizer"]["rendering_sha256"] == found["arm"]["chat_template_sha256"]
    assert record["tokenizer"]["template"] == "mine.jinja"
    assert len(record["tokenizer"]["system_sha256"]) == 64
    assert str(tmp_path) not in json.dumps(record)


# --- whose template ----------------------------------------------------------------------------

LABELS = "{% for m in messages %}{{ '### ' + m.role + ':\n' + m.content + '<|endoftext|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '### assistant:\n' }}{% endif %}"


@pytest.fixture
def bringing(models, tmp_path) -> Path:
    """An adapter whose folder brings a template of its own, as trainers save them."""
    adapter = make_adapter(models["qwen"], tmp_path / "bringing")
    for file in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(models["qwen"] / file, adapter)
    (adapter / "chat_template.jinja").write_text(LABELS, encoding="utf-8")
    return adapter


def test_an_adapters_own_template_is_said_and_may_be_chosen(models, bringing, config, tmp_path):
    config = replace(config, base=str(models["qwen"]), adapters=((None, str(bringing)),))
    reporter = Silent()
    by_base = run(config, reporter).results
    [said] = [w for w in reporter.warnings if "template" in w]
    assert "'bringing'" in said
    assert "--template adapter" in said
    assert not [w for w in reporter.warnings if "tokenizer" in w]  # it is the base's
    by_adapter = run(replace(config, template="adapter"), Silent()).results
    file = tmp_path / "mine.jinja"
    file.write_text(LABELS, encoding="utf-8")
    by_file = run(replace(config, template=str(file)), Silent()).results
    for one, other, third in zip(by_base, by_adapter, by_file, strict=True):
        assert one.arm.arm_id != other.arm.arm_id
        assert one.columns["nll_sum"] != other.columns["nll_sum"]
        assert one.suite_id == other.suite_id
        assert third.result_id == other.result_id  # what renders alike is one arm, wherever it lay
    # Base and adapter are asked in the same words, so that they can be compared.
    assert by_adapter[0].asked == by_adapter[1].asked != by_base[0].asked


def test_a_template_that_renders_alike_is_not_worth_a_word(models, bringing, config):
    (bringing / "chat_template.jinja").write_text(CHATML.replace("m['role']", "m.role"))
    reporter = Silent()
    run(replace(config, base=str(models["qwen"]), adapters=((None, str(bringing)),)), reporter)
    assert reporter.warnings == []


def test_a_base_without_a_template_and_an_adapter_with_one(copied, bringing, config):
    config = replace(config, base=str(copied(None)), adapters=((None, str(bringing)),))
    reporter = Silent()
    plain = run(config, reporter).results
    assert any("the plain template" in w and "'bringing'" in w for w in reporter.warnings)
    chosen = run(replace(config, template="adapter"), Silent()).results
    assert plain[1].columns["nll_sum"] != chosen[1].columns["nll_sum"]


def test_another_tokenizer_in_the_adapters_folder_is_said(models, bringing, config):
    path = bringing / "tokenizer.json"
    tokenizer = json.loads(path.read_text(encoding="utf-8"))
    tokenizer["added_tokens"].append(
        tokenizer["added_tokens"][0] | {"id": 440, "content": "[rule]"}
    )
    path.write_text(json.dumps(tokenizer), encoding="utf-8")
    config = replace(config, base=str(models["qwen"]), adapters=((None, str(bringing)),))
    for content, said in ((None, "differs from the base's in 1 tokens"), ("{", "cannot be read")):
        if content is not None:
            path.write_text(content)
        reporter = Silent()
        run(config, reporter)
        assert [w for w in reporter.warnings if said in w and "'bringing'" in w]


def test_an_adapter_that_was_trained_under_another_rendering_is_said(models, bringing, config):
    (bringing / "chat_template.jinja").unlink()
    config = replace(config, base=str(models["qwen"]), adapters=((None, str(bringing)),))
    right = scored(config)["arm"]["chat_template_sha256"]
    for sha256, said in ((right, False), ("0" * 64, True)):
        record = {"tokenizer": {"rendering_sha256": sha256}}
        (bringing / "training.json").write_text(json.dumps(record))
        reporter = Silent()
        run(config, reporter)
        assert any("trained on dialogues" in w for w in reporter.warnings) == said


def test_named_templates_are_chosen_by_name(copied, config):
    base = copied(CHATML)
    more = base / "additional_chat_templates"
    more.mkdir()
    (more / "rag.jinja").write_text(LABELS, encoding="utf-8")
    found = [scored(config, base=str(base), template=name) for name in ("base", "rag")]
    assert sums(found[0]) != sums(found[1])
    assert found[0]["arm"]["arm_id"] != found[1]["arm"]["arm_id"]
    (base / "chat_template.jinja").rename(more / "tool_use.jinja")
    with pytest.raises(UnsupportedTemplate, match="rag, tool_use") as caught:
        scored(config, base=str(base))
    assert "--template NAME" in caught.value.remedy
    assert sums(scored(config, base=str(base), template="tool_use")) == sums(found[0])


# --- system messages ---------------------------------------------------------------------------


def test_a_system_message_makes_another_suite(models, config, tmp_path):
    base = str(models["qwen"])
    without, given = scored(config, base=base), scored(config, base=base, system="倾听")
    assert without["suite"]["suite_id"] != given["suite"]["suite_id"]
    assert "system_sha256" not in without["suite"]["protocol"]
    assert sums(without) != sums(given)
    assert "倾听" not in json.dumps(
        {k: v for k, v in given.items() if k != "volatile"}, ensure_ascii=False
    )
    file = tmp_path / "system.txt"
    file.write_text("倾听\n", encoding="utf-8")
    assert scored(config, base=base, system=str(file))["result_id"] == given["result_id"]


def test_a_template_that_needs_a_system_message_has_one_remedy(copied, config, bringing):
    needs = "{% if messages[0].role != 'system' %}{{ raise_exception('no') }}{% endif %}" + CHATML
    (bringing / "chat_template.jinja").unlink()
    config = replace(config, base=str(copied(needs)), adapters=((None, str(bringing)),))
    with pytest.raises(UnsupportedTemplate, match="'d-0'") as caught:
        run(config, Silent())
    assert "--system TEXT" in caught.value.remedy
    assert len(run(replace(config, system="倾听"), Silent()).results) == 2


# --- thinking ----------------------------------------------------------------------------------

SWITCHED = CHATML.replace(
    "assistant\\n' }}",
    "assistant\\n' }}{{ '<think>\\n\\n</think>\\n\\n' if enable_thinking is defined and not enable_thinking else '<think>\\n' }}",
)


def test_replies_that_are_all_thought_are_counted_as_that(copied, config):
    config = replace(config, base=str(copied(SWITCHED)), tasks=("rapport_aer",))
    reporter = Silent()
    result = run(config, reporter).results[0]
    [said] = [w for w in reporter.warnings if "think" in w]
    assert "--template-arg enable_thinking=false" in said
    columns = {name: sum(values) for name, values in result.columns.items()}
    assert columns["thought"] == columns["degenerate_thought"] == columns["degenerate"] > 0
    assert columns["replies"] - columns["thought"] == columns["degenerate_empty"]
    assert columns["reply_chars"] == columns["advice"] == columns["empathy"] == 0
    with ResponseStore(config.store) as store:
        texts = _stored(store, result)
    assert {text for texts in texts.values() for text in texts} == {""}
    quiet = Silent()
    config = replace(config, template_args=("enable_thinking=false",))
    spoken = run(config, quiet).results[0]
    assert quiet.warnings == []
    assert "thought" not in spoken.columns
    assert spoken.arm.arm_id != result.arm.arm_id
    assert sum(spoken.columns["reply_chars"]) > 0


def test_thoughts_in_imported_replies_are_cut_off_and_counted(config, tmp_path):
    lines = {"plain": [], "thinking": []}
    for record in DIALOGUES:
        for turn, message in enumerate(record["messages"]):
            if message["role"] == "assistant":
                line = {"id": record["id"], "turn": turn, "content": message["content"]}
                thought = f"<think>你应该多休息。</think>\n{message['content']}"
                lines["plain"].append(line)
                lines["thinking"].append(line | {"content": thought})
    for name, some in lines.items():
        text = "\n".join(json.dumps(line, ensure_ascii=False) for line in some)
        (tmp_path / f"{name}.jsonl").write_text(text, encoding="utf-8")
    replies = tuple((None, str(tmp_path / f"{name}.jsonl")) for name in lines)
    config = replace(config, base=None, replies=replies, tasks=())
    plain, thinking = run(config, Silent()).results
    assert sum(thinking.columns["thought"]) == len(lines["thinking"])
    assert {k: v for k, v in thinking.columns.items() if k != "thought"} == plain.columns


def test_the_tags_of_thoughts_may_be_special_tokens(models):
    from rapport_bench.arms.generation import _text

    tokenizer = AutoTokenizer.from_pretrained(models["qwen"])
    tokenizer.add_special_tokens({"extra_special_tokens": ["<think>", "</think>"]})
    tokens = tokenizer.encode("<think>嗯</think>我在听。<|im_end|>")
    assert _text(tokenizer, tokens) == "<think>嗯</think>我在听。"
    assert tokenizer.decode(tokens, skip_special_tokens=True) == "嗯我在听。"
    rest = tokens[tokens.index(tokenizer.convert_tokens_to_ids("</think>")) + 1 :]
    assert _text(tokenizer, rest) == "我在听。"


# --- what cannot be used -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "template",
    [
        "{{ 1//0 }}",
        "{{ messages + 1 }}",
        "{% include 'x' %}",
        "{% for i in range(10**9) %}x{% endfor %}",
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
        "{% for m in messages %}",
        "{{ 'x' * 10**10 }}",
        "",
    ],
)
@pytest.mark.parametrize("command", ["run", "train"])
def test_a_template_of_no_use_ends_in_exit_2_with_its_file_named(
    command, template, copied, data, tmp_path, capsys, monkeypatch
):
    monkeypatch.setenv("RAPPORT_STORE", str(tmp_path / "store.sqlite"))
    monkeypatch.chdir(tmp_path)
    base = copied(None)
    config = json.loads((base / "tokenizer_config.json").read_text())
    (base / "tokenizer_config.json").write_text(json.dumps(config | {"chat_template": template}))
    if template:
        (base / "chat_template.jinja").write_text(template)
    arguments = {
        "run": ["run", "--base", "base", "--data", str(data), "--tasks", "perplexity"],
        "train": ["train", "embedded", "--set", "base.name=./base", "--set",
                  f"data.corpus={data}", "--set", "train.max_steps=1", "--set", "data.max_length=512", "-o", "adapter"],
    }[command]  # fmt: skip
    code = _run(arguments)
    error = capsys.readouterr().err
    if template:
        assert code == 2, error
        assert "chat_template.jinja" in error
        assert "--template" in error
    else:
        assert code == 0, error  # no template is the plain one


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"template": "nothing.jinja"}, "no such file"),
        ({"template_args": ("x",)}, "KEY=VALUE"),
        ({"template_args": ("messages=[]",)}, "messages"),
    ],
)
def test_options_of_no_use_are_refused(changes, said, models, config):
    with pytest.raises(BadInput, match=said) as caught:
        scored(config, base=str(models["qwen"]), **changes)
    assert caught.value.remedy


def test_an_argument_that_the_template_does_not_read_is_said(models, config):
    reporter = Silent()
    config = replace(config, base=str(models["qwen"]), template_args=("enable_thinking=false",))
    run(config, reporter)
    assert any("enable_thinking" in w for w in reporter.warnings)


def test_text_stops_are_text_for_a_tokenizer_that_does_not_know_them(models):
    from rapport_bench.arms.arm import weightless_arm
    from rapport_bench.arms.engine import ArmModel

    tokenizer = AutoTokenizer.from_pretrained(
        models["llama"]
    )  # unknown text is <unk>, a special token
    model = ArmModel(
        weightless_arm("x", "bot", "1"), tokenizer, render=tokenizer_renderer(tokenizer),
        encode=None, context_length=8, store=None, numerics={}, activate=None, batch_tokens=8,
        progress=lambda *_: None,
    )  # fmt: skip
    tokenizer.unk_token = "<unk>"
    assert model._until_text(("###", "</s>")) == ("###",)
    assert model._stop_ids(("###", "</s>")) == {tokenizer.eos_token_id}
