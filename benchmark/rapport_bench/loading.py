"""One base in memory, its adapters on it, and the proof that each is really applied.

The base is loaded once and wrapped by PEFT once; adapters are added with ``load_adapter`` and the base
itself answers under ``disable_adapter()``. Nothing is resized: a base and its adapter must have the same
softmax. Adapters that failed to apply, silently, are a known accident, so each one must move the logits
of a probe, and disabling it must restore them bit for bit.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from rapport_bench.models import Adapter, BaseModel
from rapport_tasks.errors import AdapterMismatch, BadInput, UnsupportedTemplate
from rapport_tasks.rendering import render_plain, tokenizer_renderer

_PROBE = [
    {"role": "user", "content": "最近总是睡不好，心里很乱。I can't sleep and my mind won't stop."}
]


@dataclass(frozen=True, slots=True)
class Proof:
    """What switching an adapter on and off does to the logits of a probe.

    Attributes:
        max_logit_change: Largest absolute change of a logit, 0 for an adapter that changes nothing.
        base_restored_exactly: Whether the base's logits came back bit for bit.
        no_op: Whether all of its lora_B are zero, as in an untrained adapter.
    """

    max_logit_change: float
    base_restored_exactly: bool
    no_op: bool


def default_device() -> str:
    """``cuda`` or ``mps`` where there is one, else ``cpu``."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def default_dtype(device: str) -> str:
    """float32 where it costs little and makes replies repeatable, bfloat16 on a GPU."""
    return "bfloat16" if device.startswith("cuda") else "float32"


def load_tokenizer(base: BaseModel) -> Any:
    """The base's tokenizer, which all its arms share."""
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(base.folder)
    except (ValueError, OSError, KeyError) as error:
        raise BadInput(
            f"{base.name}: no usable tokenizer ({error})",
            remedy="Copy the tokenizer's files into the model's folder.",
        ) from None


def context_length(base: BaseModel, tokenizer: Any) -> int:
    """How many tokens the model was made for: its positions, or else its tokenizer's limit."""
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(base.folder)
    config = config.get_text_config()
    for name in ("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len"):
        value = getattr(config, name, None)
        if isinstance(value, int) and value > 0:
            return value
    limit = tokenizer.model_max_length
    return int(limit) if limit and limit < 1 << 24 else 2048


class LoadedBase:
    """A base model in memory with all its adapters; `activated` switches between them."""

    def __init__(self, base: BaseModel, adapters: Sequence[Adapter], device: str) -> None:
        self.base = base
        self.model = _load_model(base, device)
        self._peft: Any = None
        self._keys = {adapter.name: f"a{i}" for i, adapter in enumerate(adapters)}
        for adapter in adapters:
            self._add(adapter)
        self._shown_base: torch.Tensor | None = None

    def _add(self, adapter: Adapter) -> None:
        from peft import PeftModel

        key = self._keys[adapter.name]
        try:
            with warnings.catch_warnings():
                # peft reads an attribute that transformers 5 has renamed.
                warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing.*")
                if self._peft is None:
                    self._peft = PeftModel.from_pretrained(
                        self.model, str(adapter.folder), adapter_name=key, is_trainable=False
                    )
                else:
                    self._peft.load_adapter(
                        str(adapter.folder), adapter_name=key, is_trainable=False
                    )
        except (ValueError, RuntimeError, KeyError, TypeError) as error:
            raise AdapterMismatch(
                f"adapter {adapter.name!r} cannot be put on {self.base.name}: {error}",
                remedy="Give the base it was trained on with --base.",
            ) from None
        # load_adapter leaves the new layers in training mode, with dropout on (peft issue 2270).
        self._peft.eval()

    @contextmanager
    def activated(self, adapter: Adapter | None) -> Iterator[Any]:
        """Yield the model as the arm: the base for `None`, otherwise base and adapter."""
        if self._peft is None:
            yield self.model
        elif adapter is None:
            with self._peft.disable_adapter():
                yield self._peft
        else:
            self._peft.set_adapter(self._keys[adapter.name])
            self._peft.eval()
            yield self._peft

    @torch.inference_mode()
    def _probe(self, adapter: Adapter | None, ids: torch.Tensor) -> torch.Tensor:
        with self.activated(adapter) as model:
            logits: torch.Tensor = model(input_ids=ids, use_cache=False).logits.float()
            return logits

    def prove(self, adapter: Adapter, tokenizer: Any) -> Proof:
        """Show that an adapter is applied and can be taken off again.

        Raises:
            AdapterMismatch: It has weights but changes nothing, or the base does not come back.
        """
        try:
            text = tokenizer_renderer(tokenizer)(_PROBE, True)
        except UnsupportedTemplate:  # one that needs a system message
            text = render_plain(_PROBE)
        ids = torch.tensor([tokenizer.encode(text)[:128]], device=self.model.device)
        before = self._probe(None, ids)
        on = self._probe(adapter, ids)
        after = self._probe(None, ids)
        proof = Proof(
            max_logit_change=float((on - before).abs().max()),
            base_restored_exactly=torch.equal(before, after),
            no_op=self._is_zero(adapter),
        )
        if not proof.base_restored_exactly:
            raise AdapterMismatch(
                f"switching adapter {adapter.name!r} off does not restore {self.base.name}",
                remedy="Report this with the versions that `rapport doctor` prints.",
            )
        if proof.max_logit_change == 0 and not proof.no_op:
            raise AdapterMismatch(
                f"adapter {adapter.name!r} has weights but changes no logit: it was not applied",
                remedy="Check target_modules in its adapter_config.json against the base.",
            )
        return proof

    def _is_zero(self, adapter: Adapter) -> bool:
        key = self._keys[adapter.name]
        found = [
            parameter
            for name, parameter in self._peft.named_parameters()
            if ("lora_B" in name or "lora_embedding_B" in name) and f".{key}" in name
        ]
        return bool(found) and not any(bool(parameter.any()) for parameter in found)


def _load_model(base: BaseModel, device: str) -> Any:
    from transformers import AutoModelForCausalLM

    arguments: dict[str, Any] = {"dtype": getattr(torch, base.dtype)}
    if base.quantization == "nf4":
        from transformers import BitsAndBytesConfig

        arguments["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=getattr(torch, base.dtype),
        )
        arguments["device_map"] = {"": device}
    try:
        model = AutoModelForCausalLM.from_pretrained(base.folder, **arguments)
    except (ValueError, OSError, ImportError, RuntimeError) as error:
        raise BadInput(
            f"{base.name}: cannot be loaded ({error})",
            remedy="`rapport doctor` shows what this machine can run.",
        ) from None
    if base.quantization == "none":
        model = model.to(device)
    return model.eval()
