"""One full model with its adapters: checked early, loaded late and once, shown to be applied.

Each of them answers through an `InProcess` backend; they share the group's weights.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rapport_bench.arms import asked, loading
from rapport_bench.arms.adapters import Adapter, check_adapter, identify_adapter
from rapport_bench.arms.arm import Arm
from rapport_bench.arms.backend import ALL, Promise, Provenance
from rapport_bench.arms.engine import ArmModel, encoder_for
from rapport_bench.arms.models import BaseModel, identify_base
from rapport_bench.arms.store import ResponseStore, replies_fact
from rapport_bench.common.identity import digest
from rapport_bench.running.suite import Suite
from rapport_tasks.common.errors import BadInput, Incomplete
from rapport_tasks.prompts.chat_template import rendering_sha256
from rapport_tasks.prompts.rendering import prompts_sha256
from rapport_training.loading.pretrained import embedding_rows, empty_model, load_tokenizer

if TYPE_CHECKING:
    from rapport_bench.running.config import Named, Reporter, RunConfig


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
        model = empty_model(self.base.folder, name=self.base.name)
        self.tokenizer = load_tokenizer(
            self.base.folder, name=self.base.name, rows=embedding_rows(model)
        )
        self._context_length = loading.context_length(self.base, self.tokenizer)
        self.template = asked.template_of(
            config.template, config.template_args, self.base, self.adapters, self.tokenizer
        )
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
            activate=lambda: self._activated(arm, numerics),
            batch_tokens=self._batch_tokens,
            progress=self._reporter.progress,
        )

    def choose_numerics(self, arm: Arm, tasks: Iterable[Any]) -> dict[str, Any]:
        """This machine's numerics, unless the store holds all answers under one other set.

        Raises:
            BadInput: Nothing that is asked fits into the model's context.
        """
        model = self.model(arm, self._numerics)
        keys: list[str] = []
        asked = 0
        for task in tasks:
            task.build_all_requests(
                apply_chat_template=True, chat_template=model.apply_chat_template
            )
            asked += len(task.instances)
            keys += model.keys(task.instances)
        if asked and not keys:
            raise BadInput(
                f"{self.base.name} reads {self._context_length} tokens, which not one turn of the "
                "dialogues fits in",
                remedy="Use a model with a longer context, shorter dialogues, or fewer --max-new-tokens.",
            )
        complete = self._store.complete_numerics(keys, self._numerics) if keys else None
        return complete or self._numerics

    @contextmanager
    def _activated(self, arm: Arm, numerics: Mapping[str, Any]) -> Iterator[Any]:
        if digest(numerics) != digest(self._numerics):
            raise Incomplete(
                f"arm {arm.name!r}: answers of another machine were lost from the response store "
                "while they were read",
                remedy="Run the same command again: they are then computed here, all of them.",
            )
        if self._loaded is None:
            self._loaded = loading.LoadedBase(self.base, self.tokenizer, self._device)
            for adapter in self.adapters:  # whatever must be refused is, before hours of work
                self._prove(adapter, self._numerics)
        with self._loaded.activated(arm.adapter) as model:
            yield model

    def proof(self, arm: Arm, numerics: Mapping[str, Any]) -> dict[str, Any]:
        """That the adapter is applied: shown once, remembered beside the responses."""
        assert arm.adapter is not None
        known = self._prove(arm.adapter, numerics)
        if known["no_op"]:
            self._reporter.warn(f"adapter {arm.name!r} changes nothing: all of its lora_B are 0")
        if known["own_base"]:
            self._reporter.warn(
                f"adapter {arm.name!r} changes the base itself, not only what it adds to it: it was "
                "scored on a copy of its own"
            )
        shown = ("max_logit_change", "base_restored_exactly")
        return {k: known[k] for k in (*shown, "own_base") if k in shown or known[k]}

    def _prove(self, adapter: Adapter, numerics: Mapping[str, Any]) -> dict[str, Any]:
        base = self.base
        identity = [base.weights_sha256, base.config_sha256, base.quantization, base.dtype]
        identity += [adapter.weights_sha256, adapter.config_sha256]
        key = f"proof-2:{digest([identity, numerics])}"
        known: dict[str, Any] | None = self._store.recall(key)
        if known is None:
            if self._loaded is None:
                self._loaded = loading.LoadedBase(self.base, self.tokenizer, self._device)
            proof = self._loaded.prove(adapter)
            known = asdict(proof) | {"max_logit_change": float(f"{proof.max_logit_change:.3g}")}
            self._store.remember(key, known)
        return known


class InProcess:
    """A model loaded here, or an adapter on it; see `rapport_bench.arms.backend.Backend`.

    Args:
        group: Whose weights it uses.
        suite: What is asked.
        arm: Its identity.
    """

    likelihoods = True
    promises: frozenset[Promise] = ALL

    def __init__(self, group: BaseGroup, suite: Suite, arm: Arm) -> None:
        self.arm = arm
        self._group, self._suite = group, suite
        self._numerics: dict[str, Any] = {}
        self._model: ArmModel | None = None

    def model(self, tasks: Sequence[Any]) -> ArmModel:
        """Answers from the store, and by the weights what is missing there."""
        self._numerics = self._group.choose_numerics(self.arm, tasks)
        self._model = self._group.model(self.arm, self._numerics)
        return self._model

    def provenance(self) -> Provenance:
        """Numerics, the proof of an adapter, and the prompts; lists the replies in the store."""
        assert self._model is not None
        if self._model.reply_keys:
            fact = replies_fact(self.arm.arm_id, self._suite.suite_id, self._numerics)
            self._model.store.remember(fact, self._model.reply_keys)
        proof = self._group.proof(self.arm, self._numerics) if self.arm.adapter else None
        system = self._suite.settings.system
        return Provenance(
            self._numerics,
            proof,
            prompts_sha256(self._suite.dialogues, self._group.template, system=system),
        )
