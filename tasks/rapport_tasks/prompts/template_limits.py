"""Chat templates compiled as transformers compiles them, within limits, and blind to the clock.

A template is a program by someone else, and it is run for every dialogue. It is given
`SECONDS` of processor time and `CHARACTERS` of text, more for many messages and long ones, and `MEMORY`.
What it can see of the world outside is fixed: another day renders the same bytes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache, wraps
from pathlib import Path
from typing import Any

SECONDS = 1.0
MESSAGES_A_SECOND = 1000
CHARACTERS = 1 << 20
MEMORY = 512 << 20
LONGEST_SOURCE = 1 << 20
TODAY = datetime(2024, 7, 26)
"""The date that templates see: the one that Llama 3.1's falls back on where it is told none."""

_MOST_DIGITS = 4096  # bits of a whole number
_LOCK = threading.Lock()  # one rendering at a time: the limits are those of the process


class OverLimit(Exception):
    """A template that takes more than it is given; the message says of what."""


Render = Callable[[Mapping[str, Any]], str]
"""What the template is given, ``messages`` among it -> text."""


@lru_cache(maxsize=64)
def compiled(source: str) -> tuple[Render, frozenset[str]]:
    """A template as a function, and the names that it reads.

    Raises:
        Exception: Of whatever kind, as the template is wrong in whatever way; so does the function.
    """
    import jinja2
    from jinja2 import nodes

    if len(source) > LONGEST_SOURCE:
        raise OverLimit(f"{len(source):,} characters of template")
    environment = _environment()
    with _LOCK, _bounded(SECONDS):
        tree = environment.parse(source)
        reads = frozenset(n.name for n in tree.find_all(nodes.Name) if n.ctx == "load")
        for node in tree.find_all((nodes.For, nodes.Macro, nodes.CallBlock)):
            step = nodes.Call(nodes.EnvironmentAttribute("step"), [], [], None, None)
            node.body.insert(0, nodes.ExprStmt(step).set_lineno(node.lineno))
            if isinstance(node, nodes.For) and node.test is not None:
                node.test = nodes.And(step, node.test)
        tree.set_environment(environment)
        code = environment.compile(tree)
        template = jinja2.Template.from_code(environment, code, environment.make_globals(None))

    def render(given: Mapping[str, Any]) -> str:
        parts, length, messages = [], 0, given["messages"]
        content = sum(len(message["content"]) for message in messages)
        allowed = CHARACTERS + 1000 * len(messages) + 100 * content
        with _LOCK, _bounded(SECONDS + len(messages) / MESSAGES_A_SECOND):
            for part in template.generate(given):
                parts.append(part)
                length += len(part)
                if length > allowed:
                    raise OverLimit(f"more than {allowed:,} characters of text")
            return "".join(parts)

    return render, reads


@lru_cache(maxsize=1)
def _environment() -> Any:
    """The sandbox that transformers compiles chat templates in, with its tags, filters and functions."""
    from transformers.utils.chat_template_utils import _compile_jinja_template

    environment = _compile_jinja_template("").environment.overlay()
    chance = ("lipsum", "random")  # a prompt is the same each time
    environment.globals = {k: v for k, v in environment.globals.items() if k not in chance}
    filters = {k: v for k, v in environment.filters.items() if k not in chance}
    environment.filters = {name: _stepping(function) for name, function in filters.items()}
    environment.tests = {name: _stepping(test) for name, test in environment.tests.items()}
    environment.globals |= {"strftime_now": TODAY.strftime, "range": _range}
    environment.intercepted_binops = frozenset({"*", "**"})
    environment.binop_table = environment.binop_table | {"*": _times, "**": _power}
    environment.step = _step
    return environment


def _range(*bounds: int) -> range:
    from jinja2.sandbox import MAX_RANGE, safe_range

    try:
        return safe_range(*bounds)
    except OverflowError:
        raise OverLimit(f"a range of more than {MAX_RANGE:,} numbers") from None


def _times(left: Any, right: Any) -> Any:
    if isinstance(left, int) and isinstance(right, int):
        _check_digits(left.bit_length() + right.bit_length())
    return left * right


def _power(left: Any, right: Any) -> Any:
    if isinstance(left, int) and isinstance(right, int):
        _check_digits(left.bit_length() * abs(right))
    return left**right


def _check_digits(bits: int) -> None:
    if bits > _MOST_DIGITS:  # one such operation may take hours
        raise OverLimit("a whole number of thousands of digits")


_deadline = 0.0


def _step() -> bool:
    """Called in every pass of a loop and every call of a macro, a filter or a test."""
    if time.thread_time() > _deadline:
        raise OverLimit("more time than a template needs")
    return True


def _stepping(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def step(*given: Any, **named: Any) -> Any:
        _step()
        return function(*given, **named)

    return step


@contextmanager
def _bounded(seconds: float) -> Iterator[None]:
    """Set the time, and bound the memory that the process may take on top of what it has."""
    global _deadline
    _deadline = time.thread_time() + seconds
    try:
        import resource

        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except (ImportError, OSError):  # no such limit here
        yield
        return
    before = resource.getrlimit(resource.RLIMIT_AS)
    most = pages * resource.getpagesize() + MEMORY
    if before[0] != resource.RLIM_INFINITY:
        most = min(most, before[0])
    resource.setrlimit(resource.RLIMIT_AS, (most, before[1]))
    try:
        yield
    except MemoryError:
        raise OverLimit(f"more than {MEMORY >> 20:,} MiB of memory") from None
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
