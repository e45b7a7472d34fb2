"""Memory: what training took, and what full fine-tuning would take."""

from __future__ import annotations

import resource
import sys

import torch

BYTES_PER_TUNED_PARAMETER = 16
"""Weight, gradient and both moments of AdamW in float32: 4 + 4 + 4 + 4 bytes.

Mixed precision comes to the same: bfloat16 weight and gradient (2 + 2) beside a float32 master weight
and two moments (4 + 4 + 4). Activations come on top.
"""


def reset_peak() -> None:
    """Begin to measure on a GPU; the peak of a process in main memory cannot be reset."""
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()


def peak_bytes() -> int:
    """Peak so far: allocated by torch on the GPU if there is one, else this process's resident set."""
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def peak_kind() -> str:
    """What `peak_bytes` measures, in words."""
    if torch.cuda.is_available():
        return f"allocated on {torch.cuda.get_device_name()}"
    return "resident set of the process, libraries included, on the CPU"


def full_tuning_bytes(parameters: int) -> int:
    """Memory of full fine-tuning with AdamW, without activations: 16 bytes a parameter.

    >>> full_tuning_bytes(1_836_828_672) / 1e9
    29.389258752
    """
    return BYTES_PER_TUNED_PARAMETER * parameters
