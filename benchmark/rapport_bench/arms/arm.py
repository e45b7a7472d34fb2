"""Arms: what is scored. Each has an identity, and all its answers are keyed by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rapport_bench.arms.adapters import Adapter
from rapport_bench.arms.models import BaseModel
from rapport_bench.common.identity import digest
from rapport_bench.results.sections import Kind as Kind
from rapport_tasks.common.paths import encodable


@dataclass(frozen=True, slots=True)
class Arm:
    """One column of the table.

    Attributes:
        name: Shown in tables, unique within a run.
        kind: What it is.
        arm_id: Hash of what answers (FORMATS: weights, quantisation, dtype, adapter, tokenizer,
            template; a bot's name and version; an imported file's hash).
        base: The full model that answers, or that the adapter sits on; `None` without weights.
        adapter: The adapter, if any.
        tokenizer_sha256: `None` without weights.
        chat_template_sha256: `None` without weights.
    """

    name: str
    kind: Kind
    arm_id: str
    base: BaseModel | None = None
    adapter: Adapter | None = None
    tokenizer_sha256: str | None = None
    chat_template_sha256: str | None = None


def model_arm(
    name: str,
    kind: Kind,
    base: BaseModel,
    adapter: Adapter | None,
    tokenizer: Any,
    *,
    template_sha256: str | None = None,
) -> Arm:
    """The arm of a full model, or of an adapter on one.

    Args:
        name: See `Arm`.
        kind: See `Arm`.
        base: See `Arm`.
        adapter: See `Arm`.
        tokenizer: The base's.
        template_sha256: `rendering_sha256` of the template that it is asked with [default: that of the
            tokenizer's own].
    """
    from rapport_tasks.prompts.chat_template import rendering_sha256, tokenizer_renderer

    tokenizer_sha256 = digest(
        {
            "tokenizer": tokenizer.backend_tokenizer.to_str()
            if getattr(tokenizer, "backend_tokenizer", None) is not None
            else sorted(tokenizer.get_vocab().items()),
            "special": {key: str(value) for key, value in tokenizer.special_tokens_map.items()},
        }
    )
    template_sha256 = template_sha256 or rendering_sha256(tokenizer_renderer(tokenizer))
    identity = {
        "base": [base.weights_sha256, base.config_sha256],
        "quantization": base.quantization,
        "dtype": base.dtype,
        "adapter": [adapter.weights_sha256, adapter.config_sha256] if adapter else None,
        "tokenizer": tokenizer_sha256,
        "chat_template": template_sha256,
    }
    return Arm(
        encodable(name), kind, digest(identity), base, adapter, tokenizer_sha256, template_sha256
    )


def weightless_arm(name: str, kind: Kind, version: str) -> Arm:
    """The arm of a bot, of the gold replies, or of a file of imported replies."""
    return Arm(name, kind, digest({"kind": kind, "name": name, "version": version}))


def replies_arm(name: str, file_sha256: str) -> Arm:
    """The arm of imported replies: its identity is the file's hash, whatever it is called."""
    return Arm(encodable(name), "replies", digest({"kind": "replies", "file": file_sha256}))
