"""SIGTERM, which schedulers and `timeout` send, stops a command as Ctrl-C does."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType

_SAME_REQUEST = 5.0  # seconds: `timeout` sends the signal twice


def watch_sigterm() -> Callable[[], bool]:
    """From now on SIGTERM raises `KeyboardInterrupt`, so that what is half done is tidied up.

    A signal that somebody else handles or ignores is left to them, and so is every thread but the main one.

    Returns:
        Says whether the signal came.
    """
    came: list[float] = []

    def stop(_: int, __: FrameType | None) -> None:
        now = time.monotonic()
        if came and now - came[-1] < _SAME_REQUEST:
            return  # not in the middle of the tidying up
        came.append(now)
        raise KeyboardInterrupt

    main = threading.current_thread() is threading.main_thread()
    if main and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, stop)
    return lambda: bool(came)


def follow_launcher() -> None:
    """End with `accelerate launch`, which dies of SIGTERM without a word to the one process it started."""
    if "ACCELERATE_MIXED_PRECISION" not in os.environ:  # what it sets in any case
        return
    launcher = os.getppid()

    def follow() -> None:
        while os.getppid() == launcher:
            time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=follow, daemon=True).start()
