"""Tiny models made on the spot, so that no test needs a network or a download."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

# Shared machines are slow at times; a slow example is no failure.
hypothesis.settings.register_profile(
    "shared", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("shared")

os.environ.setdefault("OMP_NUM_THREADS", "1")  # workers share the cores; tiny models gain nothing
os.environ.setdefault("TQDM_DISABLE", "1")
os.environ.pop("COLUMNS", None)  # tables have the width that is theirs when piped
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many browser tests were left out, which a skip among many would hide."""
    skipped = [r for r in terminalreporter.getreports("skipped") if "browser" in r.keywords]
    if skipped:
        reason = skipped[0].longrepr[2] if isinstance(skipped[0].longrepr, tuple) else ""
        terminalreporter.write_line(f"browser tests left out: {len(skipped)} ({reason})")


CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>' + '\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
LLAMA = (
    "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'user' %}"
    "{{ '[INST] ' + m['content'] + ' [/INST]' }}{% elif m['role'] == 'assistant' %}"
    "{{ ' ' + m['content'] + '</s>' }}{% else %}{{ raise_exception('no system role') }}{% endif %}"
    "{% endfor %}"
)

_TEXT = [
    "昨天我和妈妈吵了一架，心里一直堵得慌，晚上也睡不着。",
    "你愿意多说一点当时发生了什么吗？听上去那一刻你很孤单。",
    "工作压力很大，领导总是批评我，我该怎么办？",
    "也许可以先把今晚留给自己，慢慢来，不用一下子都解决。",
    "I keep thinking about what she said and I can't sleep at night.",
    "That was a hard thing to hear. What stayed with you the most?",
]


def make_tokenizer(folder: Path, specials: list[str], template: str | None, **names: str) -> None:
    """Train a small byte-level BPE tokenizer and save it."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=specials,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_TEXT, trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names)
    if template is not None:
        fast.chat_template = template
    fast.save_pretrained(folder)


def make_model(
    folder: Path,
    kind: str,
    *,
    vocabulary: int = 448,
    width: int = 32,
    seed: int = 0,
    tied: bool = True,
) -> Path:
    """Save a random two-layer model with its tokenizer: ``qwen``, ``llama`` or ``plain``.

    bitsandbytes' 4-bit kernels need a `width` of 64 or a multiple of it.
    """
    import torch
    from transformers import (
        GPT2Config,
        GPT2LMHeadModel,
        LlamaConfig,
        LlamaForCausalLM,
        Qwen2Config,
        Qwen2ForCausalLM,
    )

    torch.manual_seed(seed)
    shape = {
        "vocab_size": vocabulary,
        "hidden_size": width,
        "intermediate_size": 2 * width,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 512,
        "initializer_range": 0.3,  # so that distributions are not flat
    }
    if kind == "qwen":
        model = Qwen2ForCausalLM(Qwen2Config(**shape, tie_word_embeddings=tied))
        specials = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
        names = {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"}
        make_tokenizer(folder, specials, CHATML, **names)
    elif kind == "llama":
        model = LlamaForCausalLM(LlamaConfig(**shape))
        names = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<unk>"}
        make_tokenizer(folder, ["<unk>", "<s>", "</s>"], LLAMA, **names)
    else:
        config = GPT2Config(
            vocab_size=vocabulary, n_embd=width, n_layer=2, n_head=4, n_positions=512,
            initializer_range=0.3, bos_token_id=0, eos_token_id=0,
        )  # fmt: skip
        model = GPT2LMHeadModel(config)
        names = {"eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>"}
        make_tokenizer(folder, ["<|endoftext|>"], None, **names)
    model.eval().save_pretrained(folder)
    return folder


def make_adapter(base: Path, folder: Path, *, seed: int = 1, scale: float = 0.5) -> Path:
    """Save a LoRA adapter for a base; ``scale`` 0 leaves lora_B at zero (a no-op)."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    targets = ["c_attn"] if "gpt2" in type(model).__name__.lower() else ["q_proj", "v_proj"]
    config = LoraConfig(
        r=4, lora_alpha=8, target_modules=targets, fan_in_fan_out=targets == ["c_attn"]
    )
    adapted = get_peft_model(model, config)
    with torch.no_grad():
        for name, parameter in adapted.named_parameters():
            if "lora_B" in name:
                parameter.copy_(scale * torch.randn_like(parameter))
    adapted.save_pretrained(folder)
    return folder


def make_lora(
    base: Path,
    folder: Path,
    *,
    biases: bool = False,
    vocabulary: int | None = None,
    **settings: Any,
) -> Path:
    """Save an adapter of any kind of LoRA whose update is not zero.

    Args:
        base: A tiny model.
        folder: Where to save it.
        biases: Change the biases that learn, too.
        vocabulary: Resize the base's vocabulary first.
        settings: Of PEFT's ``LoraConfig``.
    """
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(5)
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    if vocabulary is not None:
        model.resize_token_embeddings(vocabulary)
    usual = {"r": 4, "lora_alpha": 8, "target_modules": ["q_proj", "v_proj"]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PEFT comments on tied weights and on embeddings it saves
        adapted = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", **usual | settings))
        learns = ("lora_B", "lora_embedding_B", "modules_to_save", "trainable_tokens_delta")
        with torch.no_grad():
            for name, parameter in adapted.named_parameters():
                if any(part in name for part in learns) or (biases and name.endswith(".bias")):
                    parameter.add_(0.3 * torch.randn_like(parameter))
        adapted.save_pretrained(folder)
    return folder


@pytest.fixture
def packing_processor(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """bitsandbytes as on a processor with AVX512-BF16, where it packs 4-bit weights for a kernel.

    The packing is its own. The kernel, which other processors cannot run, stands here in Python: like
    the real one it fills memory behind autograd's back and returns a view of it.
    """
    import torch
    from bitsandbytes.functional import has_avx512bf16
    from bitsandbytes.nn import modules

    def gemv_4bit(inputs, packed, shape, scales, code, blocksize):
        outputs, width = shape
        rows = inputs.to(torch.bfloat16).reshape(-1, width)
        out = torch.empty((len(rows), outputs), dtype=torch.bfloat16)
        with torch.no_grad():
            halves = packed.reshape(-1, 32)
            numbers = torch.cat([halves & 15, halves >> 4], -1).reshape(-1, width // 2, 32, 2)
            numbers = numbers.transpose(-3, -2).reshape(outputs, width).int()
            weight = code[numbers] * scales.float().T.repeat_interleave(blocksize, 1)
            product = rows.detach() @ weight.to(torch.bfloat16).T
            out.view(torch.int16).numpy()[:] = product.view(torch.int16).numpy()
        return out.to(inputs.dtype).reshape(*inputs.shape[:-1], outputs)

    monkeypatch.setattr(modules, "has_avx512bf16", lambda: True)
    library = torch.library.Library("bitsandbytes", "IMPL")
    if not has_avx512bf16():
        library.impl("gemv_4bit", gemv_4bit, "CPU")
    yield
    library._destroy()


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of the three tiny models."""
    root = tmp_path_factory.mktemp("models")
    return {kind: make_model(root / kind, kind) for kind in ("qwen", "llama", "plain")}


@pytest.fixture(scope="session")
def wide_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Qwen whose layers 4-bit kernels accept."""
    return make_model(tmp_path_factory.mktemp("wide") / "qwen", "qwen", width=64)


@pytest.fixture(scope="session")
def adapters(models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two adapters on the tiny Qwen, and one that changes nothing."""
    root = tmp_path_factory.mktemp("adapters")
    return {
        "a": make_adapter(models["qwen"], root / "a", seed=1),
        "b": make_adapter(models["qwen"], root / "b", seed=2),
        "noop": make_adapter(models["qwen"], root / "noop", scale=0.0),
    }


DIALOGUES = [
    {
        "id": f"d-{n}",
        "domain": "家庭" if n % 2 else "职场",
        "crisis": n == 3,
        "messages": [
            {"role": "user", "content": f"{_TEXT[0]}这是第{n}次了。"},
            {"role": "assistant", "content": _TEXT[1]},
            {"role": "user", "content": _TEXT[2]},
            {"role": "assistant", "content": f"{_TEXT[3]}第{n}步以后再说。"},
            {"role": "user", "content": "谢谢你，我试试看。"},
            {"role": "assistant", "content": "嗯，我们慢慢来，下次你想从哪里说起？"},
        ][: 6 if n % 3 else 4],
    }
    for n in range(6)
]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A small dialogue file."""
    return write_dialogues(tmp_path / "dialogues.jsonl", DIALOGUES)


def write_dialogues(path: Path, dialogues: list[dict]) -> Path:
    path.write_text(
        "\n".join(json.dumps(d, ensure_ascii=False) for d in dialogues) + "\n", encoding="utf-8"
    )
    return path
