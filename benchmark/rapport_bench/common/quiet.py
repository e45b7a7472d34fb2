"""Libraries kept quiet, and from a network that nobody asked for."""

from __future__ import annotations

import logging
import os

_PACKED = "kernels-community/quantization-bitsandbytes"


def quiet_libraries() -> None:
    """Before anything imports these libraries: quiet, and no network that nobody asked for."""
    os.environ.setdefault("TQDM_DISABLE", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    # With the package kernels installed transformers would take code from the hub, and so would bitsandbytes
    # on import, which heeds no variable of its own: it is sent to a place that holds none.
    if os.environ.setdefault("USE_HUB_KERNELS", "0") == "0":
        os.environ.setdefault("LOCAL_KERNELS", f"{_PACKED}={os.devnull}")
    # It says so where a processor has AVX512-BF16; the kernel is one that
    # `rapport_training.loading.capabilities.keep_unpacked` leaves unused.
    logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)
