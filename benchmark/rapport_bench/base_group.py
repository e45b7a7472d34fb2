"""One full model with its adapters: checked early, loaded late and once, shown to be applied."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rapport_bench import asked, loading
from rapport_bench.arms import Arm
from rapport_bench.engine import ArmModel, encoder_for
from rapport_bench.models import (
    Adapter,
    BaseModel,
    check_adapter,
    identify_adapter,
    identify_base,
)
from rapport_bench.store import ResponseStore, digest
from rapport_tasks.chat_template import rendering_sha256

if TYPE_CHECKING:
    from rapport_bench.run import Named, Reporter, RunConfig


class BaseGroup:
    """One full model and its adapters: loaded at most once, and only if an answer is missing."""

    def __init__(
        self,
        config: RunConfig,
        store: ResponseStore,
        reporter: Reporter,
        path: str,
        adapters: Sequence[Named],
    ) -> None:
        device = loading.default_device() if config.device == "auto" else config.device
        dtype = loading.default_dtype(device) if config.dtype == "auto" else config.dtype
        self.base: BaseModel = identify_base(
            path, quantization=config.quantization, dtype=dtype, store=store
        )
        self.adapters: list[Adapter] = [identify_adapter(p, n, store) for n, p in adapters]
        for adapter in self.adapters:
            for warning in check_adapter(self.base, adapter):
                reporter.warn(warning)
        self.tokenizer = loading.load_tokenizer(self.base)
        self._context_length = loading.context_length(self.base, self.tokenizer)
        self.template = asked.template_of(config, self.base, self.adapters, self.tokenizer)
        self.template_sha256 = rendering_sha256(self.template)
        for remark in asked.remarks(
            self.template, self.template_sha256, self.adapters, self.tokenizer
        ):
            reporter.warn(remark)
        self._encode = encoder_for(self.tokenizer, self._context_length)
        self._store, self._reporter = store, reporter
        self._device, self._batch_tokens = device, config.batch_tokens
        self._loaded: Any = None
        self._numerics = {
            "device": device.split(":")[0],
            "dtype": dtype,
            "torch": importlib.metadata.version("torch"),
            "transformers": importlib.metadata.version("transformers"),
            "batch_tokens": config.batch_tokens,
        }

    def model(self, arm: Arm, numerics: Mapping[str, Any]) -> ArmModel:
        """The arm as an lm-eval model that answers from the store first."""
        return ArmModel(
            arm,
            self.tokenizer,
            render=self.template,
            encode=self._encode,
            context_length=self._context_length,
            store=self._store,
            numerics=numerics,
            activate=lambda: self._activated(arm),
            batch_tokens=self._batch_tokens,
            progress=self._reporter.progress,
        )

    def choose_numerics(self, arm: Arm, tasks: Iterable[Any]) -> dict[str, Any]:
        """This machine's numerics, unless the store holds all answers under one other set."""
        model = self.model(arm, self._numerics)
        keys: list[str] = []
        for task in tasks:
            task.build_all_requests(
                apply_chat_template=True, chat_template=model.apply_chat_template
            )
            keys += model.keys(task.instances)
        complete = self._store.complete_numerics(keys, self._numerics) if keys else None
        return complete or self._numerics

    @contextmanager
    def _activated(self, arm: Arm) -> Iterator[Any]:
        if self._loaded is None:
            self._loaded = loading.LoadedBase(self.base, self.adapters, self._device)
        if arm.adapter is not None:
            self.proof(arm, self._numerics)  # before anything is scored with it
        with self._loaded.activated(arm.adapter) as model:
            yield model

    def proof(self, arm: Arm, numerics: Mapping[str, Any]) -> dict[str, Any]:
        """That the adapter is applied: shown once, remembered beside the responses."""
        assert arm.adapter is not None
        key = f"proof:{digest([arm.arm_id, numerics])}"
        known = self._store.recall(key)
        if known is None:
            if self._loaded is None:
                self._loaded = loading.LoadedBase(self.base, self.adapters, self._device)
            proof = self._loaded.prove(arm.adapter, self.tokenizer)
            known = asdict(proof) | {"max_logit_change": float(f"{proof.max_logit_change:.3g}")}
            self._store.remember(key, known)
        if known["no_op"]:
            self._reporter.warn(f"adapter {arm.name!r} changes nothing: all of its lora_B are 0")
        return {name: known[name] for name in ("max_logit_change", "base_restored_exactly")}
