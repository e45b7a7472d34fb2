"""Whether a model's own tensors are still what they were when it was loaded, whatever hangs on it."""

from __future__ import annotations

import itertools
from typing import Any

import torch

_WORDS = 1 << 22  # of a tensor that are summed at a time


class Fingerprint:
    """The tensors of a model that was just loaded, and a checksum of each."""

    def __init__(self, model: Any) -> None:
        self._tensors = dict(itertools.chain(model.named_parameters(), model.named_buffers()))
        self._sums = {name: _checksum(tensor) for name, tensor in self._tensors.items()}

    def is_unchanged(self, model: Any) -> bool:
        """Whether the model, or what it is wrapped in, uses these tensors with these numbers."""
        used = {id(t) for t in itertools.chain(model.parameters(), model.buffers())}
        return all(
            id(tensor) in used and _checksum(tensor) == self._sums[name]
            for name, tensor in self._tensors.items()
        )

    def is_all_of(self, model: Any) -> bool:
        """Whether, besides, the model has no other tensors and calls them by the same names."""
        found = dict(itertools.chain(model.named_parameters(), model.named_buffers()))
        return found.keys() == self._tensors.keys() and self.is_unchanged(model)


def _checksum(tensor: torch.Tensor) -> list[int]:
    """Sums of the bits, each word times an odd number that depends on its place, modulo 2^64.

    A change of one word always changes it. 4-bit weights carry their scales outside the tensor.
    """
    state = getattr(tensor, "quant_state", None)
    scales = (getattr(state, name, None) for name in ("absmax", "code"))
    return [_sum(t) for t in (tensor.detach(), *scales) if isinstance(t, torch.Tensor)]


def _sum(tensor: torch.Tensor) -> int:
    flat = tensor.detach().contiguous().view(-1).view(torch.uint8)
    whole = flat.numel() // 4 * 4
    words = [*torch.split(flat[:whole].view(torch.int32), _WORDS), flat[whole:]]
    total = 0
    for place, part in enumerate(words, start=1):
        odd = torch.arange(1, 2 * part.numel() + 1, 2, device=part.device, dtype=torch.int64)
        total += place * 0x9E3779B1 * int((part.long() * odd).sum())
    return total
