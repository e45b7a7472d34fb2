"""What goes into a result file, put together from an arm's records."""

from __future__ import annotations

import datetime
import importlib.metadata
import subprocess
import time
from pathlib import Path
from typing import Any

from rapport_bench.arms.arm import Arm
from rapport_bench.arms.backend import Provenance
from rapport_bench.results import columns as record_columns
from rapport_bench.running.suite import Suite
from rapport_tasks.common.record import Record

_PACKAGES = ("tasks", "training", "benchmark")


Records = dict[str, dict[str, Record]]
"""Task -> dialogue id -> record."""


def content(suite: Suite, arm: Arm, records: Records, provenance: Provenance) -> dict[str, Any]:
    """Everything that the result's identity covers."""
    columns = record_columns.merge(suite.dialogues, records.values())
    base = arm.base and {
        "name": arm.base.name,
        "weights_sha256": arm.base.weights_sha256,
        "quantization": arm.base.quantization,
        "dtype": arm.base.dtype,
    }
    adapter = arm.adapter and {
        "weights_sha256": arm.adapter.weights_sha256,
        "config_sha256": arm.adapter.config_sha256,
        "rank": arm.adapter.rank,
        "proof": provenance.proof,
    }
    return {
        "suite": suite.to_json(),
        "arm": {
            "name": arm.name,
            "kind": arm.kind,
            "arm_id": arm.arm_id,
            "base": base,
            "adapter": adapter,
            "tokenizer_sha256": arm.tokenizer_sha256,
            "chat_template_sha256": arm.chat_template_sha256,
            **({"prompts_sha256": provenance.prompts_sha256} if provenance.prompts_sha256 else {}),
        },
        "numerics": provenance.numerics,
        "metrics": record_columns.summarise(columns),
        "dialogues": {
            "id": [dialogue.id for dialogue in suite.dialogues],
            "group": {
                "domain": [dialogue.domain for dialogue in suite.dialogues],
                "crisis": [dialogue.crisis for dialogue in suite.dialogues],
            },
            "columns": columns,
        },
        "unscored": [
            {"dialogue": identity, "turn": u.turn, "metric": u.metric, "reason": u.reason}
            for identity, u in record_columns.unscored(records.values())
        ],
    }


def volatile(started: float, command: str) -> dict[str, Any]:
    """When, how long, by which program and command; not part of the result's identity."""
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    return {
        "volatile": {
            "created": now.isoformat().replace("+00:00", "Z"),
            "seconds": round(time.monotonic() - started, 1),
            "rapport": importlib.metadata.version("rapport-bench"),
            "git": _git_state(),
            "command": command,
        }
    }


def _git_state() -> dict[str, Any] | None:
    """Commit of the checkout this program runs from, if it runs from one.

    ``dirty`` speaks of the packages alone: results that a run adds to the checkout change no result.
    """
    here = Path(__file__).parent

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", str(here), *arguments],
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        ).stdout.strip()

    try:
        git("ls-files", "--error-unmatch", Path(__file__).name)
        changed = git("status", "--porcelain", "--", *(f":/{folder}" for folder in _PACKAGES))
        return {"commit": git("rev-parse", "HEAD"), "dirty": bool(changed)}
    except (OSError, subprocess.SubprocessError):
        return None
