"""From a configuration to the backends of its arms; everything that can be refused is refused here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rapport_bench.arms.arm import Kind, model_arm
from rapport_bench.arms.backend import Backend
from rapport_bench.arms.replies import imported_backend, reference_backends
from rapport_bench.arms.store import ResponseStore
from rapport_bench.running.config import Named, Reporter, RunConfig
from rapport_bench.running.group import BaseGroup, InProcess
from rapport_bench.running.suite import Suite
from rapport_tasks.common.errors import BadInput


def backends(
    config: RunConfig, suite: Suite, store: ResponseStore, reporter: Reporter
) -> list[Backend]:
    """What answers for each arm, in the order asked for, the base first.

    Raises:
        RapportError: A base, adapter or file of replies cannot be used, or two arms share a name.
    """
    imported = [
        imported_backend(name, Path(path), suite.dialogues) for name, path in config.replies
    ]
    made: list[Backend] = []
    if config.base:
        made += _group(config, suite, store, reporter, (None, config.base), config.adapters)
    for model in config.models:
        made += _group(config, suite, store, reporter, model)
    made += imported
    if config.bots:
        made += reference_backends()
    _require_distinct_names(made)
    return made


def _group(
    config: RunConfig,
    suite: Suite,
    store: ResponseStore,
    reporter: Reporter,
    model: Named,
    adapters: Sequence[Named] = (),
) -> Iterator[InProcess]:
    name, path = model
    kind: Kind = "base" if model == (None, config.base) else "model"
    group = BaseGroup(config, store, reporter, path, adapters)
    for adapter in (None, *group.adapters):
        arm = model_arm(
            adapter.name if adapter else name or ("base" if kind == "base" else Path(path).name),
            "adapter" if adapter else kind,
            group.base,
            adapter,
            group.tokenizer,
            template_sha256=group.template_sha256,
        )
        yield InProcess(group, suite, arm)


def _require_distinct_names(made: Sequence[Backend]) -> None:
    names = [backend.arm.name for backend in made]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise BadInput(
            f"several arms are called {', '.join(doubled)}",
            remedy="Name them apart, for example --adapter new=PATH.",
        )
