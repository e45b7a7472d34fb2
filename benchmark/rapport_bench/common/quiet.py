"""Libraries kept quiet, and from a network that nobody asked for."""

from __future__ import annotations

import logging
import os


def quiet_libraries() -> None:
    """Before anything imports these libraries: quiet, and no network that nobody asked for."""
    os.environ.setdefault("TQDM_DISABLE", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    # Where a processor has AVX512-BF16, bitsandbytes asks on import for a package with a kernel that
    # `rapport_training.loading.capabilities.keep_unpacked` leaves unused.
    logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)
