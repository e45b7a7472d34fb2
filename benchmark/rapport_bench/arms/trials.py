"""Whether a base's layers compute on this machine, found out before the base is loaded."""

from __future__ import annotations

from rapport_bench.arms.models import BaseModel
from rapport_tasks.common.errors import BadInput
from rapport_training.loading.capabilities import (
    dtype_problem,
    four_bit_problem,
    layer_kinds,
    stored_in_4_bits,
)
from rapport_training.loading.pretrained import empty_model


def require_working(base: BaseModel, device: str) -> None:
    """Try layers like the base's before gigabytes are read, and figures made.

    Raises:
        BadInput: They do not compute here in this type or in 4 bits, or compute something else.
    """
    kinds = layer_kinds(empty_model(base.folder, name=base.name))
    problem = dtype_problem(kinds, device=device, dtype=base.dtype, training=False)
    if problem:
        raise BadInput(
            f"{base.name}: {problem}",
            remedy="Choose another --dtype or --device; `rapport doctor` shows what works here.",
        )
    stored = stored_in_4_bits(base.folder)
    if not stored and base.quantization != "nf4":
        return
    problem = four_bit_problem(
        kinds, device=device, dtype=base.dtype, double_quantization=True, training=False
    )
    if problem:
        instead = "the base that it was made of" if stored else "it without --nf4"
        raise BadInput(
            f"{base.name} in 4 bits: {problem}",
            remedy=f"Score {instead}; `rapport doctor` shows what works here.",
        )
