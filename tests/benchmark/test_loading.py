"""What is loaded is what was hashed, an adapter is applied whole, and no arm meets another's base."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from conftest import make_lora, make_model
from rapport_bench.arms.adapters import Adapter, check_adapter, identify_adapter
from rapport_bench.arms.loading import LoadedBase
from rapport_bench.arms.models import BaseModel, identify_base
from rapport_bench.arms.store import ResponseStore
from rapport_tasks.common.errors import AdapterMismatch, BadInput
from rapport_training.loading.pretrained import (
    embedding_rows,
    empty_model,
    load_causal_lm,
    load_config,
    load_tokenizer,
)

Tensors = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def untied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("untied") / "untied", "qwen", tied=False)


def identified(folder: Path, store: Path) -> BaseModel:
    with ResponseStore(store) as opened:
        return identify_base(str(folder), quantization="none", dtype="float32", store=opened)


def adapter_at(folder: Path, name: str | None = None) -> Adapter:
    return identify_adapter(str(folder), name, None)


def loaded(folder: Path, store: Path) -> LoadedBase:
    rows = embedding_rows(empty_model(folder, name="x"))
    return LoadedBase(identified(folder, store), load_tokenizer(folder, name="x", rows=rows), "cpu")


def logits(base: LoadedBase, adapter: Adapter | None) -> torch.Tensor:
    with torch.inference_mode(), base.activated(adapter) as model:
        return model(input_ids=torch.arange(1, 30)[None]).logits


def merged(folder: Path, adapter: Path) -> torch.Tensor:
    """Logits of an adapter on a base that nothing else was ever put on, by PEFT alone."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PEFT comments on adapters of tied weights
        adapted = PeftModel.from_pretrained(model, adapter).eval()
    with torch.inference_mode():
        return adapted(input_ids=torch.arange(1, 30)[None]).logits


def copied(folder: Path, to: Path, change: Callable[[Tensors], Tensors]) -> Path:
    """A copy of a model's or adapter's folder with other tensors."""
    shutil.copytree(folder, to)
    file = next(to.glob("*.safetensors"))
    save_file(change(load_file(file)), file, metadata={"format": "pt"})
    return to


# ---- adapters that change the base ------------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [
        {"init_lora_weights": "pissa"},
        {"init_lora_weights": "olora"},
        {"bias": "all"},
        {"bias": "lora_only"},
    ],
    ids=lambda settings: "-".join(settings.values()),
)
def test_an_adapter_that_changes_the_base_gets_one_of_its_own(
    models, adapters, tmp_path, settings
) -> None:
    folder = make_lora(models["qwen"], tmp_path / "changer", biases=True, **settings)
    changer, plain = adapter_at(folder), adapter_at(adapters["a"])
    base = loaded(models["qwen"], tmp_path / "s")
    alone = {None: logits(base, None), plain: logits(base, plain)}
    proof = base.prove(changer)
    assert proof.own_base
    assert proof.base_restored_exactly
    assert torch.allclose(logits(base, changer), merged(models["qwen"], folder), atol=1e-5)
    for arm in (plain, None, changer, plain, None):
        found = logits(base, arm)
        assert arm is changer or torch.equal(found, alone[arm])


def test_a_plain_adapter_shares_the_base(models, adapters, tmp_path) -> None:
    base = loaded(models["qwen"], tmp_path / "s")
    model, before = base.model, logits(base, None)
    proof = base.prove(adapter_at(adapters["a"]))
    assert not proof.own_base
    assert base.model is model, "the base was loaded a second time"
    assert torch.equal(logits(base, None), before)


def test_a_base_that_is_another_each_time_is_refused(models, adapters, tmp_path) -> None:
    folder = make_lora(models["qwen"], tmp_path / "fast", init_lora_weights="pissa_niter_4")
    with pytest.raises(AdapterMismatch, match="init_lora_weights = 'pissa_niter_4'"):
        loaded(models["qwen"], tmp_path / "s").prove(adapter_at(folder))


def test_a_changed_number_is_seen_wherever_it_is(models, tmp_path) -> None:
    from rapport_bench.arms.fingerprint import Fingerprint

    model = load_causal_lm(models["qwen"], name="x", dtype="bfloat16")
    print_ = Fingerprint(model)
    assert print_.is_all_of(model)
    parameter = dict(model.named_parameters())["model.layers.1.mlp.down_proj.weight"]
    kept = parameter.data
    for change in (lambda t: t[-1, -1].add_(1), lambda t: t[0].copy_(t[1])):
        parameter.data = kept.clone()
        assert print_.is_all_of(model)
        change(parameter.data)
        assert not print_.is_unchanged(model)
    parameter.data = kept
    model.register_buffer("another", torch.zeros(1))
    assert print_.is_unchanged(model)
    assert not print_.is_all_of(model)


# ---- adapters that are not whole ----------------------------------------------------------------


def rename(old: str, new: str) -> Callable[[Tensors], Tensors]:
    return lambda tensors: {key.replace(old, new): value for key, value in tensors.items()}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: {k: v for k, v in t.items() if ".layers.0." in k}, "lacks 4 of 8 tensors"),
        (lambda t: {k: v for k, v in t.items() if "lora_A" in k}, "lacks 4 of 8 tensors"),
        (lambda t: {k: torch.zeros(0) for k in t}, "no numbers in 8 of 8 tensors"),
        (lambda t: {}, "no numbers in 0 of 0 tensors"),
        (rename("base_model.model.", ""), "names without the prefix 'base_model.model.'"),
        (rename("model.model.", "model.model._orig_mod."), "names that PEFT does not know"),
        (rename(".weight", ".default.weight"), "names that PEFT does not know"),
        (lambda t: t | {"base_model.model.model.layers.0.self_attn.k_proj.lora_A.weight": torch.ones(4, 32)},
         "has 1 tensors that its configuration does not cover"),
        (lambda t: {k: v * float("nan") if "layers.1" in k else v for k, v in t.items()},
         "numbers that are not finite"),
        (lambda t: {k: torch.cat([v, v]) if "lora_A" in k else v for k, v in t.items()},
         r"4 tensors have another shape: .*\(lora_A is 8 x 32, should be 4 x 32\)"),
    ],
    ids=["half", "only-A", "zero3", "empty", "no-prefix", "compiled", "adapter-name", "uncovered",
         "nan", "rank"],
)  # fmt: skip
def test_an_adapter_that_is_not_whole_is_refused(
    models, adapters, tmp_path, change, message
) -> None:
    adapter = adapter_at(copied(adapters["a"], tmp_path / "a", change))
    with pytest.raises(AdapterMismatch, match=message):
        check_adapter(identified(models["qwen"], tmp_path / "s"), adapter)


def test_a_tensor_that_peft_did_not_take_is_noticed(
    models, adapters, tmp_path, monkeypatch
) -> None:
    """Whatever went wrong while loading: the file's numbers are looked for in the model."""
    import peft.peft_model

    real = peft.peft_model.set_peft_model_state_dict

    def forgetful(model, tensors, **arguments):
        kept = {k: v.clone() for k, v in tensors.items()}
        next(v for k, v in kept.items() if "layers.1" in k)[0, 0] += 1
        return real(model, kept, **arguments)

    monkeypatch.setattr(peft.peft_model, "set_peft_model_state_dict", forgetful)
    base = loaded(models["qwen"], tmp_path / "s")
    with pytest.raises(AdapterMismatch, match=r"not applied whole: .*layers\.1"):
        base.prove(adapter_at(adapters["a"]))


KINDS = {
    "lora_bias": {"lora_bias": True},
    "embedding": {"target_modules": ["q_proj", "embed_tokens"]},
    "saved-norm": {"modules_to_save": ["norm"]},
    "tokens": {"trainable_token_indices": [1, 2, 5]},
    "dora": {"use_dora": True},
    "rslora": {"use_rslora": True, "rank_pattern": {"v_proj": 2}, "alpha_pattern": {"q_proj": 16}},
    "regex": {"target_modules": r".*\.(q|v)_proj"},
    "all-linear": {"target_modules": "all-linear"},
    "parameters": {"target_parameters": ["mlp.gate_proj.weight"], "target_modules": ["q_proj"]},
    "some-layers": {"layers_to_transform": [1]},
}


@pytest.mark.parametrize("settings", KINDS.values(), ids=KINDS)
def test_every_kind_of_lora_scores_as_peft_alone_does(models, tmp_path, settings) -> None:
    folder = make_lora(models["qwen"], tmp_path / "adapter", **settings)
    adapter = adapter_at(folder)
    base = loaded(models["qwen"], tmp_path / "s")
    check_adapter(base.base, adapter)
    before = logits(base, None)
    assert base.prove(adapter).max_logit_change > 0
    assert torch.allclose(logits(base, adapter), merged(models["qwen"], folder), atol=1e-5)
    assert torch.equal(logits(base, None), before)


@pytest.mark.parametrize(
    "settings",
    [{"target_modules": ["q_proj", "lm_head"]}, {"modules_to_save": ["embed_tokens", "lm_head"]}],
    ids=["lora-on-head", "saved-head"],
)
def test_adapters_of_the_head_score_as_peft_alone_does(untied, tmp_path, settings) -> None:
    folder = make_lora(untied, tmp_path / "adapter", **settings)
    base, adapter = loaded(untied, tmp_path / "s"), adapter_at(folder)
    check_adapter(base.base, adapter)
    before = logits(base, None)
    assert base.prove(adapter).max_logit_change > 0
    assert torch.allclose(logits(base, adapter), merged(untied, folder), atol=1e-5)
    assert torch.equal(logits(base, None), before)


def test_a_resized_vocabulary_is_refused_for_that_reason(models, tmp_path) -> None:
    folder = make_lora(
        models["qwen"], tmp_path / "resized", vocabulary=464, modules_to_save=["embed_tokens"]
    )
    with pytest.raises(AdapterMismatch, match="464 x 32, should be 448 x 32") as e:
        check_adapter(identified(models["qwen"], tmp_path / "s"), adapter_at(folder))
    assert "another vocabulary" in e.value.remedy


def test_a_zero_lora_b_is_no_no_op_where_something_else_changes(models, tmp_path) -> None:
    def grow(tensors: Tensors) -> Tensors:
        grown = {k: v * 1.7 if "magnitude" in k or "norm" in k else v for k, v in tensors.items()}
        return {k: v * 0 if "lora_B" in k else v for k, v in grown.items()}

    base = loaded(models["qwen"], tmp_path / "s")
    for name, settings in (("dora", {"use_dora": True}), ("norm", {"modules_to_save": ["norm"]})):
        made = make_lora(models["qwen"], tmp_path / name, **settings)
        proof = base.prove(adapter_at(copied(made, tmp_path / f"{name}-0", grow)))
        assert proof.max_logit_change > 0
        assert not proof.no_op


# ---- configurations as other trainers write them ---------------------------------------------


def with_config(adapter: Path, to: Path, change: dict) -> Path:
    shutil.copytree(adapter, to)
    path = to / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    return to


TRAINERS = {
    "LLaMA-Factory": {"task_type": "CAUSAL_LM", "peft_version": "0.17.1", "megatron_core": "megatron.core"},
    "ms-swift": {"base_model_name_or_path": "/models/Qwen1___5-1___8B", "corda_config": None, "eva_config": None},
    "axolotl": {"task_type": "CAUSAL_LM", "auto_mapping": None, "loftq_config": {}, "layers_pattern": None},
    "unsloth": {"auto_mapping": {"base_model_class": "Qwen2ForCausalLM", "unsloth_fixed": True}, "revision": None},
    "TRL": {"arrow_config": None, "ensure_weight_tying": False, "qalora_group_size": 16, "alora_invocation_tokens": None},
    "older-PEFT": {"enable_lora": None, "merge_weights": False},
}  # fmt: skip


@pytest.mark.parametrize("trainer", TRAINERS)
def test_adapters_of_other_trainers_are_the_same_arm(models, adapters, tmp_path, trainer) -> None:
    """Key order, sets as lists, and what a version adds at its default change nothing."""
    plain = adapter_at(adapters["a"])
    folder = with_config(adapters["a"], tmp_path / trainer, TRAINERS[trainer])
    path = folder / "adapter_config.json"
    config = json.loads(path.read_text())
    config["target_modules"] = config["target_modules"][::-1]
    path.write_text(json.dumps(dict(reversed(config.items()))))
    found = adapter_at(folder)
    assert found.config_sha256 == plain.config_sha256
    assert check_adapter(identified(models["qwen"], tmp_path / "s"), found) is not None


def test_settings_that_matter_change_the_arm(adapters, tmp_path) -> None:
    plain = adapter_at(adapters["a"]).config_sha256
    changes = [{"lora_alpha": 9}, {"use_rslora": True}, {"rank_pattern": {"q_proj": 2}}]
    found = {
        adapter_at(with_config(adapters["a"], tmp_path / str(i), change)).config_sha256
        for i, change in enumerate(changes)
    }
    assert len(found | {plain}) == 4


_REFUSED = "cannot be put on|PEFT does not take it"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"use_future_lora": True}, "use_future_lora: unknown to the installed PEFT"),
        ({"peft_type": "LOHA"}, "a LOHA adapter"),
        ({"r": None}, "r must be"),
        ({"r": "x"}, "r must be"),
        ({"r": 0}, "r must be"),
        ({"r": 10**400}, "r must be"),
        ({"lora_alpha": float("nan")}, "lora_alpha must be"),
        ({"target_modules": "(["}, _REFUSED),
        ({"target_modules": [[]]}, _REFUSED),
        ({"target_modules": ["nowhere"]}, "cannot be put on"),
        ({"layer_replication": [[0, 10**9]]}, "layer_replication must be"),
        ({"layer_replication": "all"}, "layer_replication must be"),
        ({"megatron_config": {"a": 1}}, _REFUSED),
        ({"rank_pattern": 3}, _REFUSED),
    ],
)
def test_hostile_adapter_configurations_are_bad_input(
    models, adapters, tmp_path, change, message
) -> None:
    folder = with_config(adapters["a"], tmp_path / "bad", change)
    with pytest.raises(BadInput, match=message):
        check_adapter(identified(models["qwen"], tmp_path / "s"), adapter_at(folder))


def test_a_nested_configuration_is_bad_input(adapters, tmp_path) -> None:
    folder = with_config(adapters["a"], tmp_path / "bad", {})
    (folder / "adapter_config.json").write_text("[" * 100_000)
    with pytest.raises(BadInput, match="nested too deeply"):
        adapter_at(folder)


# ---- bases ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: {k: v for k, v in t.items() if k != "lm_head.weight"}, "no language-model head"),
        (lambda t: {k: v for k, v in t.items() if "layers.1.mlp" not in k},
         r"tensors are missing, which transformers would fill at random: model\.layers\.1\.mlp"),
        (lambda t: {f"_orig_mod.{k}": v for k, v in t.items()}, r"no place in its architecture: _orig_mod\.lm_head\.weight, .* and 24 more"),
        (lambda t: t | {k.replace("layers.1", "layers.2"): v + 1 for k, v in t.items()},
         r"no place in its architecture: model\.layers\.2"),
        (lambda t: t | {"model.norm.weight": torch.ones(33)}, "another shape|cannot be loaded"),
        (lambda t: t | {"model.norm.weight": torch.full((32,), float("nan"))},
         "no finite numbers in model.norm.weight"),
    ],
    ids=["no-head", "no-layer", "prefix", "extra-layer", "shape", "nan"],
)  # fmt: skip
def test_a_checkpoint_that_is_not_whole_is_refused(untied, tmp_path, change, message) -> None:
    with pytest.raises(BadInput, match=message):
        load_causal_lm(copied(untied, tmp_path / "base", change), name="base", dtype="float32")


def test_a_model_without_a_language_model_head_is_refused_by_name(tmp_path) -> None:
    from transformers import (
        BertConfig,
        BertForMaskedLM,
        Qwen2Config,
        Qwen2ForSequenceClassification,
    )

    shape = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 448}
    shape["intermediate_size"] = 64
    folder = tmp_path / "scorer"
    Qwen2ForSequenceClassification(Qwen2Config(**shape, num_key_value_heads=2)).save_pretrained(
        folder
    )
    with pytest.raises(BadInput, match="no language-model head"):
        load_causal_lm(folder, name="scorer", dtype="float32")
    make_model(tmp_path / "bert", "qwen")
    BertForMaskedLM(BertConfig(**shape)).save_pretrained(tmp_path / "bert")
    with pytest.raises(BadInput, match="depends on the tokens that follow"):
        loaded(tmp_path / "bert", tmp_path / "s")


def test_other_files_in_the_folder_are_not_loaded(models, adapters, tmp_path) -> None:
    """An adapter, an index beside whole weights, and code of its own change nothing."""
    folder = tmp_path / "base"
    shutil.copytree(models["qwen"], folder)
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        shutil.copy(adapters["a"] / name, folder)
    save_file({"a": torch.ones(1)}, folder / "stale.safetensors")
    index = {"metadata": {}, "weight_map": {"model.norm.weight": "stale.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    clean, found = (loaded(f, tmp_path / "s") for f in (models["qwen"], folder))
    assert found.base.weights_sha256 == clean.base.weights_sha256
    assert torch.equal(logits(found, None), logits(clean, None))


def test_weights_that_the_configuration_names_are_loaded_and_hashed(models, tmp_path) -> None:
    folder = make_model(tmp_path / "base", "qwen", seed=7)
    seventh = loaded(folder, tmp_path / "s")
    (folder / "model.safetensors").rename(folder / "named.safetensors")
    shutil.copy(models["qwen"] / "model.safetensors", folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(
        json.dumps(config | {"transformers_weights": "named.safetensors"})
    )
    named = loaded(folder, tmp_path / "s")
    assert named.base == replace(seventh.base, folder=folder)
    assert torch.equal(logits(named, None), logits(seventh, None))


def test_shards_load_as_the_whole(models, tmp_path) -> None:
    from transformers import AutoModelForCausalLM

    folder = tmp_path / "base"
    shutil.copytree(models["qwen"], folder)
    (folder / "model.safetensors").unlink()
    model = AutoModelForCausalLM.from_pretrained(models["qwen"], dtype=torch.float32)
    model.save_pretrained(folder, max_shard_size="40KB")
    assert len(list(folder.glob("model-*.safetensors"))) > 1
    whole, sharded = (loaded(f, tmp_path / "s") for f in (models["qwen"], folder))
    assert whole.base.weights_sha256 == sharded.base.weights_sha256
    assert torch.equal(logits(whole, None), logits(sharded, None))


def test_code_that_comes_with_a_model_is_never_run(models, tmp_path) -> None:
    folder = tmp_path / "base"
    shutil.copytree(models["qwen"], folder)
    config = json.loads((folder / "config.json").read_text())
    code = {"AutoConfig": "evil.EvilConfig", "AutoModelForCausalLM": "evil.Evil"}
    (folder / "evil.py").write_text(
        f"open({str(tmp_path / 'ran')!r}, 'w')\nclass EvilConfig: pass\n"
    )
    (folder / "config.json").write_text(json.dumps(config | {"auto_map": code}))
    load_causal_lm(folder, name="x", dtype="float32")
    changed = config | {"auto_map": code, "model_type": "evil"}
    (folder / "config.json").write_text(json.dumps(changed))
    with pytest.raises(
        BadInput, match=r"architecture \(evil\) needs code that comes with the model"
    ):
        load_config(folder, name="x")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "change",
    [
        {"model_type": "qwen9"}, {"model_type": None}, {"hidden_act": "evil"}, {"dtype": "evil"},
        {"quantization_config": "x"}, {"num_attention_heads": 0}, {"num_hidden_layers": 10**9},
        {"num_hidden_layers": "2"}, {"hidden_size": 10**12}, {"hidden_size": None},
        {"rms_norm_eps": float("nan")}, {"vocab_size": -1}, {"rope_parameters": []},
    ],
    ids=lambda change: "-".join(f"{k}={str(v)[:8]}" for k, v in change.items()),
)  # fmt: skip
def test_hostile_base_configurations_are_bad_input(models, tmp_path, change) -> None:
    folder = tmp_path / "base"
    shutil.copytree(models["qwen"], folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | change))
    with pytest.raises(BadInput):
        loaded(folder, tmp_path / "s")


def test_a_tokenizer_must_be_there_and_fit(models, tmp_path) -> None:
    folder = tmp_path / "base"
    shutil.copytree(models["qwen"], folder)
    with pytest.raises(BadInput, match="tokens up to number 399, its embedding only 380 rows"):
        load_tokenizer(folder, name="x", rows=380)
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").unlink()
    with pytest.raises(BadInput, match=r"tokenizer in .* is missing or empty|no usable tokenizer"):
        load_tokenizer(folder, name="x", rows=448)


def test_overflow_is_said_before_anything_is_scored(models, tmp_path) -> None:
    folder = copied(
        models["qwen"],
        tmp_path / "base",
        lambda t: {k: v * 300 if "up_proj" in k or "gate_proj" in k else v for k, v in t.items()},
    )
    base = replace(identified(folder, tmp_path / "s"), dtype="float16")
    tokenizer = load_tokenizer(folder, name="x", rows=448)
    with pytest.raises(BadInput, match="no finite numbers in float16"):
        LoadedBase(base, tokenizer, "cpu")


def test_a_large_file_that_changed_is_hashed_anew(adapters, tmp_path, monkeypatch) -> None:
    """Same path, size and time of change, as after `cp -p` or `rsync -t`."""
    import os

    from rapport_bench.arms import models as module

    monkeypatch.setattr(module, "_SMALL", 0)
    folder = tmp_path / "adapter"
    with ResponseStore(tmp_path / "s") as store:
        hashes = []
        for name in ("a", "b", "a"):
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(adapters[name], folder)
            os.utime(folder / "adapter_model.safetensors", (1_700_000_000, 1_700_000_000))
            hashes.append(identify_adapter(str(folder), None, store).weights_sha256)
        assert hashes[0] == hashes[2] != hashes[1]
        calls = []
        monkeypatch.setattr(module, "weights_sha256", lambda path: calls.append(path))
        assert identify_adapter(str(folder), None, store).weights_sha256 == hashes[2]
        assert not calls, "a large file that nobody touched was read again"


@pytest.mark.parametrize(
    ("config", "found"),
    [
        ({"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_quant_type": "nf4"}, "bitsandbytes-4bit-nf4"),
        ({"quant_method": "bitsandbytes", "load_in_8bit": True}, "bitsandbytes-8bit"),
        ({"quant_method": "gptq", "bits": 4}, "gptq-4bit"),
        ({"quant_method": "fp8"}, "fp8"),
    ],
)  # fmt: skip
def test_weights_that_lie_there_quantised_say_so(models, tmp_path, config, found) -> None:
    folder = tmp_path / "base"
    shutil.copytree(models["qwen"], folder)
    whole = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(whole | {"quantization_config": config}))
    plain = identified(folder, tmp_path / "s")
    assert plain.quantization == found
    with ResponseStore(tmp_path / "s") as store:
        ask = {"quantization": "nf4", "dtype": "float32", "store": store}
        if found == "bitsandbytes-4bit-nf4":
            assert identify_base(str(folder), **ask) == plain
        else:
            with pytest.raises(BadInput, match=rf"quantised already \({found}\)"):
                identify_base(str(folder), **ask)
