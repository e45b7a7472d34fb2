"""One base in memory, one adapter on it at a time, and the proof that each is applied whole.

A fingerprint of the base's tensors and its logits on a fixed probe are taken before anything is attached.
PEFT changes the base itself for some adapters (PiSSA, OLoRA, LoftQ, trained biases, copied layers): the
fingerprint shows it, such an adapter is scored on a base that is thrown away afterwards, and no other arm
meets it. Nothing is resized: a base and its adapter must have the same softmax.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from rapport_bench.arms.adapters import (
    AS,
    Adapter,
    adapter_state,
    adapter_tensors,
    changes_nothing,
    lora_config,
    whole_state,
)
from rapport_bench.arms.fingerprint import Fingerprint
from rapport_bench.arms.models import BaseModel
from rapport_bench.arms.trials import require_working
from rapport_tasks.common.errors import AdapterMismatch, BadInput
from rapport_training.loading.capabilities import keep_unpacked
from rapport_training.loading.pretrained import first_line, load_causal_lm, load_config, some

PROBE = "最近总是睡不好，心里很乱。I can't sleep and my mind won't stop."
_DETERMINISTIC = ("pissa", "olora", "loftq")
"""Ways to begin an adapter that change the base, the same way each time."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What attaching an adapter and taking it off again does to the logits of a probe.

    Attributes:
        max_logit_change: Largest absolute change of a logit, 0 for an adapter that changes nothing.
        base_restored_exactly: Whether the base's logits came back bit for bit.
        no_op: Whether no logit changes, and the adapter's file says so.
        own_base: Whether it changes the base's own tensors, so that it was scored on a base of its own.
    """

    max_logit_change: float
    base_restored_exactly: bool
    no_op: bool
    own_base: bool


def default_device() -> str:
    """``cuda`` or ``mps`` where there is one, else ``cpu``."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def default_dtype(device: str) -> str:
    """float32 where it costs little and makes replies repeatable, bfloat16 on a GPU."""
    return "bfloat16" if device.startswith("cuda") else "float32"


def context_length(base: BaseModel, tokenizer: Any) -> int:
    """How many tokens the model was made for: its positions, or else its tokenizer's limit."""
    config = load_config(base.folder, name=base.name).get_text_config()
    for name in ("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len"):
        value = getattr(config, name, None)
        if isinstance(value, int) and value > 0:
            return value
    limit = tokenizer.model_max_length
    return int(limit) if limit and limit < 1 << 24 else 2048


class LoadedBase:
    """A base model in memory; `activated` puts one adapter on it, or none.

    Args:
        base: What to load.
        tokenizer: Its tokenizer, for the probe.
        device: A torch device.

    Raises:
        BadInput: It cannot be loaded whole, or its logits are no numbers or see what follows.
    """

    def __init__(self, base: BaseModel, tokenizer: Any, device: str) -> None:
        self.base = base
        self._device = device
        self._ids = list(tokenizer.encode(PROBE, add_special_tokens=False)[:128])
        self._peft: Any = None
        self._attached: Adapter | None = None
        require_working(base, device)
        self._load()

    def _load(self) -> None:
        self.model = keep_unpacked(_load_base(self.base, self._device))
        self._fingerprint = Fingerprint(self.model)
        self._logits = self._probe(self.model, self._ids)
        self._require_causal()

    def _require_causal(self) -> None:
        if not bool(self._logits.amax(dim=-1).isfinite().all()):
            raise BadInput(
                f"{self.base.name}: its logits are no finite numbers in {self.base.dtype}",
                remedy="Try --dtype bfloat16 or float32; if that does not help, the weights are damaged.",
            )
        half = len(self._ids) // 2
        alone = self._probe(self.model, self._ids[:half])
        tolerance = 1e-3 if self.base.dtype == "float32" else 0.1
        moved = float((alone - self._logits[:, :half]).abs().max() / self._logits.std())
        if moved > tolerance:
            raise BadInput(
                f"{self.base.name}: what it predicts depends on the tokens that follow",
                remedy="Use a causal language model; encoders such as BERT cannot be scored.",
            )

    @contextmanager
    def activated(self, adapter: Adapter | None) -> Iterator[Any]:
        """Yield the model as the arm: the base for `None`, otherwise base and adapter."""
        if adapter is not self._attached or (adapter is None and self._peft is not None):
            self._detach()
            if adapter is not None:
                self._attach(adapter)
        yield self.model if adapter is None else self._peft

    def _attach(self, adapter: Adapter) -> None:
        from peft import PeftModel

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what they say is asked for below
                self._peft = PeftModel.from_pretrained(
                    self.model, str(adapter.folder), adapter_name=AS, is_trainable=False
                )
        except Exception as error:  # whatever PEFT raises on files that it cannot use
            raise AdapterMismatch(
                f"adapter {adapter.name!r} cannot be put on {self.base.name} ({first_line(error)})",
                remedy="Give the base it was trained on with --base.",
            ) from None
        self._attached = adapter
        self._peft.eval()
        _require_whole(self._peft, adapter)

    def _detach(self) -> None:
        """Take the adapter off; a base that it changed is loaded anew."""
        if self._peft is None:
            return
        intact = self._fingerprint.is_unchanged(self._peft)
        if intact:
            vars(self._peft.unload()).pop(
                "peft_config", None
            )  # PEFT's mark, which it would warn about
        self._peft = self._attached = None
        if not intact or not self._fingerprint.is_all_of(self.model):
            del self.model
            self._load()

    @torch.inference_mode()
    def _probe(self, model: Any, ids: list[int]) -> torch.Tensor:
        batch = torch.tensor([ids], device=self.model.device)
        logits: torch.Tensor = model(input_ids=batch, use_cache=False).logits.float()
        return logits

    def prove(self, adapter: Adapter) -> Proof:
        """Show that an adapter is applied and can be taken off again.

        Raises:
            AdapterMismatch: It was not applied whole, has weights but changes nothing, gives logits
                that are no numbers, changes the base in a way that is another each time, or the base
                does not come back.
        """
        with self.activated(None):
            extra = _trained_tokens(adapter)
            before = self._probe(self.model, self._ids + extra)
        with self.activated(adapter) as model:
            own_base = not self._fingerprint.is_unchanged(model)
            self._require_deterministic(adapter, own_base)
            on = self._probe(model, self._ids + extra)
            restored = own_base or self._off_is(before, model, self._ids + extra)
        with self.activated(None):
            after = self._probe(self.model, self._ids + extra)
            restored &= torch.equal(self._probe(self.model, self._ids), self._logits)
        if not bool(on.amax(dim=-1).isfinite().all()):
            raise AdapterMismatch(
                f"adapter {adapter.name!r} gives logits that are no finite numbers in {self.base.dtype}",
                remedy="Try --dtype bfloat16 or float32; if that does not help, its training diverged.",
            )
        if not restored or not torch.equal(before, after):
            raise AdapterMismatch(
                f"switching adapter {adapter.name!r} off does not restore {self.base.name}",
                remedy="Report this with the versions that `rapport doctor` prints.",
            )
        change = float((on - before).abs().max())
        no_op = change == 0 and changes_nothing(adapter)
        if change == 0 and not no_op:
            raise AdapterMismatch(
                f"adapter {adapter.name!r} has weights but changes no logit: it was not applied",
                remedy="Check target_modules in its adapter_config.json against the base.",
            )
        return Proof(change, True, no_op, own_base)

    def _off_is(self, before: torch.Tensor, model: Any, ids: list[int]) -> bool:
        with model.disable_adapter():
            return torch.equal(self._probe(model, ids), before)

    def _require_deterministic(self, adapter: Adapter, own_base: bool) -> None:
        config = self._peft.peft_config[AS]
        begun = config.init_lora_weights
        if own_base and isinstance(begun, str) and begun not in _DETERMINISTIC:
            raise AdapterMismatch(
                f"adapter {adapter.name!r} changes the base when PEFT loads it "
                f"(init_lora_weights = {begun[:20]!r}), and not the same way each time",
                remedy="Save it as plain LoRA: PEFT's save_pretrained with "
                "path_initial_model_for_weight_conversion.",
            )


def _require_whole(peft_model: Any, adapter: Adapter) -> None:
    """Every tensor of the file is in the model, bit for bit, and the model's adapter has no other."""
    state, everything = adapter_state(peft_model), whole_state(peft_model)
    left = set(state)
    differs = []
    for key, tensor in adapter_tensors(adapter):
        left.discard(key)
        there = state.get(key, everything.get(key))
        if there is None or not torch.equal(there.cpu(), tensor.to(there.dtype)):
            differs.append(key)
    if differs or left:
        raise AdapterMismatch(
            f"adapter {adapter.name!r} was not applied whole: {some(differs or left)} of its tensors "
            + ("are not in the loaded model" if differs else "do not come from its file"),
            remedy="Save the adapter again with this version of PEFT.",
        )


def _trained_tokens(adapter: Adapter) -> list[int]:
    """Tokens whose embeddings alone an adapter changes, so that the probe holds some of them."""
    chosen = lora_config(adapter.folder).trainable_token_indices
    lists = chosen.values() if isinstance(chosen, dict) else [chosen or []]
    return [token for tokens in lists for token in list(tokens)[:8]]


def _load_base(base: BaseModel, device: str) -> Any:
    placed = "" if base.quantization == "none" else device
    model = load_causal_lm(
        base.folder,
        name=base.name,
        dtype=base.dtype,
        nf4=base.quantization == "nf4",
        device=placed,
    )
    return model if placed else model.to(device)
