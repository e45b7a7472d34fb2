"""Checkpoints beside the adapter-to-be, so that a training that was killed goes on where it was.

``.NAME.checkpoints/`` holds ``identity.json`` (what is trained on what, and how), ``training.jsonl`` to
watch, and complete checkpoints alone: each appears in one move. Nothing in it is an adapter to
`rapport run`, which asks for ``adapter_config.json``. The folder goes when the adapter is written.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from rapport_tasks.common.errors import BadInput
from rapport_training.disk import disk_problem

_PREFIX = "checkpoint-"
FULL_DISK_REMEDY = (
    "Free disk space and run the same command again: it goes on from the last checkpoint."
)


class Checkpoints:
    """The checkpoint folder of one adapter, locked while a training uses it."""

    def __init__(self, out: Path) -> None:
        self.folder = out.parent / f".{out.name}.checkpoints"
        self._lock = FileLock(self.folder / ".lock", timeout=0)

    def open(self, identity: dict[str, Any], *, restart: bool) -> Path | None:
        """Begin or go on.

        Args:
            identity: What must be the same for a training to go on, as plain JSON.
            restart: Throw away what another training left here.

        Returns:
            The last complete checkpoint, if there is one.

        Raises:
            BadInput: Checkpoints of other settings lie here, another process trains here, or the
                folder cannot be written.
            Incomplete: The disk is full.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock.acquire()
            for leftover in self.folder.glob(".*.unfinished-*"):
                shutil.rmtree(leftover, ignore_errors=True)
            last = self.last()
            if last is not None and not restart:
                self._check(identity, last)
                return last
            for old in self.folder.glob(f"{_PREFIX}*"):
                shutil.rmtree(old)
            text = json.dumps(identity, indent=1, sort_keys=True, ensure_ascii=False)
            (self.folder / "identity.json").write_text(text + "\n", encoding="utf-8")
        except Timeout:
            raise BadInput(
                f"{self.folder}: another process is training there",
                remedy="Wait for it, or name another folder.",
            ) from None
        except BaseException as error:
            self._lock.release()
            problem = disk_problem(error, self.folder, FULL_DISK_REMEDY)
            if problem is not None:
                raise problem from None
            raise
        return None

    def last(self) -> Path | None:
        """The complete checkpoint of the latest step."""
        found = [path for path in self.folder.glob(f"{_PREFIX}*") if path.is_dir()]
        return max(found, key=lambda path: int(path.name.removeprefix(_PREFIX)), default=None)

    def close(self) -> None:
        """Leave the folder to others; remove it if no checkpoint is in it."""
        if self._lock.is_locked:
            if self.last() is None:
                self.remove()
            Path(self._lock.lock_file).unlink(missing_ok=True)
            self._lock.release()

    def remove(self) -> None:
        """Remove everything: the adapter is written, or nothing here is of use."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _check(self, identity: dict[str, Any], last: Path) -> None:
        path = self.folder / "identity.json"
        try:
            before = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            before = {}
        old, new = dict(_flat(before)), dict(_flat(json.loads(json.dumps(identity))))
        changed = [
            f"{key} {old.get(key)!r} -> {new.get(key)!r}"
            for key in sorted(old.keys() | new.keys())
            if old.get(key) != new.get(key)
        ]
        if changed:
            more = f" and {len(changed) - 5} more" if len(changed) > 5 else ""
            raise BadInput(
                f"{self.folder}: a training with other settings stopped here after step "
                f"{last.name.removeprefix(_PREFIX)}: {'; '.join(changed[:5])}{more}",
                remedy="Give the same settings to go on, add --restart to throw its steps away, "
                "or name another folder.",
            )


def _flat(value: Any, key: str = "") -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [pair for k, v in value.items() for pair in _flat(v, f"{key}.{k}" if key else k)]
    return [(key, value)]
