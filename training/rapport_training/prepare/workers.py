"""Pieces of work, and an ordered map over processes that holds only a few of them at a time."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, TypeVar

from rapport_tasks.common.errors import Incomplete

In = TypeVar("In")
Out = TypeVar("Out")

_STOPPING = (signal.SIGINT, signal.SIGTERM)

_work: Callable[[Any], Any] | None = None


def ordered_map(
    make: Callable[..., Callable[[In], Out]],
    arguments: tuple[Any, ...],
    items: Iterable[In],
    workers: int,
) -> Iterator[Out]:
    """Apply a function to items, results in the order of the items whatever the number of workers.

    Args:
        make: Called once in every process, with `arguments`; returns the function. A module-level
            function or class.
        arguments: Pickled once a process.
        items: Read only as fast as they are worked on: two for each worker are under way.
        workers: Number of processes; 1 stays in this one.

    Raises:
        Incomplete: A worker was killed, for want of memory as a rule.
    """
    if workers == 1:
        function = make(*arguments)
        yield from map(function, items)
        return
    # Not fork: the progress display runs a thread.
    pool = ProcessPoolExecutor(
        workers,
        multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(os.getpid(), make, arguments),
    )
    pending: deque[Future[Any]] = deque()
    try:
        for item in items:
            with _uninterrupted():
                pending.append(pool.submit(_call, item))
            if len(pending) > 2 * workers:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    except BrokenProcessPool:
        raise Incomplete(
            "a worker process was killed, probably for want of memory",
            remedy="Use fewer --workers or a lower --memory; nothing was written.",
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def in_batches(items: Iterable[In], size: int, size_of: Callable[[In], int]) -> Iterator[list[In]]:
    """Items in lists, each complete as soon as it has this size."""
    held: list[In] = []
    room = size
    for item in items:
        held.append(item)
        room -= size_of(item)
        if room <= 0:
            yield held
            held, room = [], size
    if held:
        yield held


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Signals wait: a worker that is only half begun would outlive us, and complain."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(parent: int, make: Callable[..., Callable[[Any], Any]], arguments: Any) -> None:
    global _work
    # Ctrl-C reaches the whole group; the parent alone answers it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)
    threading.Thread(target=_follow, args=(parent,), daemon=True).start()
    _work = make(*arguments)


def _follow(parent: int) -> None:
    """Do not outlive a parent that was killed."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _call(item: Any) -> Any:
    assert _work is not None
    return _work(item)
