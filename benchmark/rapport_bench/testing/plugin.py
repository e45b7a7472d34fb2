"""The pytest plugin: ``--rapport-candidate``, the fixture ``rapport_result``, the marker ``rapport``.

pytest loads this module at every start, so it imports nothing beyond pytest and the standard library;
everything else waits until a test asks for the fixture.
"""

from __future__ import annotations

import shlex
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from rapport_bench.testing.assertions import RapportResult

_MARKER = "rapport: needs --rapport-candidate and may run a model; every test that uses rapport_result has it"
_OPTIONS = {
    "candidate": ("[NAME=]ADAPTER|RESULT", "Adapter folder; or a saved result: name, id or file."),
    "base": ("MODEL", "Base of the adapter: hub id or folder; 'embedded' needs no network."),
    "baseline": (
        "ARM|FILE|ID",
        "What the candidate is set against [default: the base; for a saved candidate the named "
        "baseline].",
    ),
    "baseline-name": ("NAME", "Which baseline of baselines.toml [default: main]."),
    "results": ("DIR", "Folder of result files [default: results]."),
    "policy": ("FILE", "Gate policy: margins, directions and the family of tests."),
    "data": ("FILE", "Dialogues as JSONL instead of the built-in ones."),
    "limit": ("N", "Only the first N dialogues (another suite)."),
    "store": ("FILE", "Response store [default: in the user's cache folder]."),
    "run": ("OPTIONS", "Further options of `rapport run`, in quotes, such as '--nf4 --bots'."),
}
_FLAGS = {
    "strict": "An inconclusive metric fails instead of warning.",
    "require": "Without --rapport-candidate, tests that need it are errors instead of skipped.",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Every option has an ini key of its name: ``rapport_candidate``, ``rapport_baseline_name``."""
    group = parser.getgroup("rapport", "rapport-bench: regression tests of adapters")
    for name, (metavar, text) in _OPTIONS.items():
        group.addoption(f"--rapport-{name}", metavar=metavar, default=None, help=text)
        parser.addini(_ini(name), f"Default of --rapport-{name}.", default="")
    for name, text in _FLAGS.items():
        group.addoption(f"--rapport-{name}", action="store_true", default=None, help=text)
        parser.addini(_ini(name), f"Default of --rapport-{name}.", type="bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, for ``--strict-markers``."""
    config.addinivalue_line("markers", _MARKER)


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say what is tested."""
    candidate = _value(config, "candidate")
    base = _value(config, "base")
    return f"rapport: {candidate}{f' on {base}' if base else ''}" if candidate else None


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark what uses the fixture, so that ``-m "not rapport"`` leaves it out."""
    if "rapport_result" in getattr(item, "fixturenames", ()):
        item.add_marker("rapport")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a marked test without a candidate, also one that does not use the fixture."""
    if item.get_closest_marker("rapport") and not _value(item.config, "candidate"):
        _without_candidate(item.config)


@pytest.fixture(scope="session")
def rapport_result(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> RapportResult:
    """The candidate's result beside the baseline's, scored or read once a session.

    Use ``rapport_result.assert_not_regressed("continuity", margin=0.02)``; ``.candidate`` and
    ``.baseline`` are the results.
    """
    config = request.config
    if not _value(config, "candidate"):
        _without_candidate(config)
    from rapport_bench.api import RapportWarning
    from rapport_bench.arms.text_sources import Sources
    from rapport_bench.judging.gate_policy import read_policy
    from rapport_bench.testing.assertions import RapportResult
    from rapport_bench.testing.session import Wanted, session_results
    from rapport_tasks.common.errors import RapportError

    shared = tmp_path_factory.getbasetemp()
    workerinput = getattr(config, "workerinput", None)
    if workerinput is not None:  # a worker's own folder lies in that of the session
        shared = shared.parent
    results = _path(config, "results") or str(config.invocation_params.dir / "results")
    more = [
        word
        for name in ("data", "limit", "store")
        if (value := _value(config, name) if name == "limit" else _path(config, name))
        for word in (f"--{name}", value)
    ]
    try:
        policy = _path(config, "policy")
        rules = read_policy(policy) if policy else None
        wanted = Wanted(
            _reference(config, "candidate"),
            _reference(config, "base"),
            _reference(config, "baseline"),
            _value(config, "baseline-name") or "main",
            results,
            (*more, *_words(config)),
        )
        candidate, baseline = session_results(
            wanted, shared, lambda text: warnings.warn(text, RapportWarning, stacklevel=2)
        )
    except RapportError as error:
        pytest.fail(f"rapport: {error.message}\n  {error.remedy}", pytrace=False)
    sources = Sources(_path(config, "data") or None, _path(config, "store") or None)
    return RapportResult(candidate, baseline, rules, _flag(config, "strict"), results, sources)


def _without_candidate(config: pytest.Config) -> NoReturn:
    reason = "no --rapport-candidate: an adapter's folder (with --rapport-base) or a saved result"
    if _flag(config, "require"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def _ini(name: str) -> str:
    return f"rapport_{name.replace('-', '_')}"


def _value(config: pytest.Config, name: str) -> str:
    given = config.getoption(_ini(name))
    return _at_home(str(config.getini(_ini(name)) if given is None else given))


def _at_home(word: str) -> str:
    """With ``~`` expanded, which ini files and quotes keep from the shell."""
    if "~" not in word:
        return word
    from rapport_tasks.common.paths import expand_home

    return expand_home(word)


def _flag(config: pytest.Config, name: str) -> bool:
    return bool(config.getoption(_ini(name)) or config.getini(_ini(name)))


def _root(config: pytest.Config, name: str) -> Path:
    """What a relative path is relative to: the call's folder, for ini keys that of the ini file."""
    if config.getoption(_ini(name)) is None and config.inipath is not None:
        return config.inipath.parent
    return config.invocation_params.dir


def _path(config: pytest.Config, name: str) -> str:
    value = _value(config, name)
    return str(_root(config, name) / value) if value else ""


def _reference(config: pytest.Config, name: str) -> str:
    """A name or id as it is; what exists as a file or folder, ``NAME=PATH`` too, with full path."""
    value, root = _value(config, name), _root(config, name)
    if value and (root / value).exists():
        return str(root / value)
    head, separator, path = value.partition("=")
    if separator and path and (root / path).exists():
        return f"{head}={root / path}"
    return value


def _words(config: pytest.Config) -> list[str]:
    try:
        return list(map(_at_home, shlex.split(_value(config, "run"))))
    except ValueError as error:
        pytest.fail(f"rapport: --rapport-run: {error}", pytrace=False)
