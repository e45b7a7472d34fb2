"""What git says of a results folder: files are added, never edited."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from rapport_tasks.common.errors import BadInput

_TIMEOUT = 120
_FILES = ("--literal-pathspecs", "ls-files", "--error-unmatch", "--")


def changed_since(base_ref: str, root: Path, folders: Sequence[str]) -> Iterator[tuple[Path, str]]:
    """Files that were there where the present branch left `base_ref`, and no longer are the same.

    The files on disk are compared, committed or not. What `base_ref` got after the branch left it
    is no change of the branch.

    Args:
        base_ref: Such as ``origin/main``.
        root: A results folder in a git checkout.
        folders: Those of its folders that count.

    Returns:
        (path, ``edited`` or ``deleted``) of each.

    Raises:
        BadInput: No git, no checkout, no such revision, or a history cut off before it.
    """
    wanted = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{base_ref}^{{commit}}")
    commit = _git(root, *wanted, problem=f"--base-ref {base_ref}: no such revision").strip()
    fork = _git(
        root,
        "merge-base",
        commit,
        "HEAD",
        problem=f"--base-ref {base_ref}: no common history with the present branch",
    ).strip()
    listing = _git(
        root,
        *("diff", "--name-status", "-z", "--no-renames", "--no-ext-diff", "--relative"),
        *("--diff-filter=MDT", fork, "--", *folders),
        problem="git diff failed",
    )
    fields = listing.split("\0")[:-1]
    for letter, name in zip(fields[::2], fields[1::2], strict=True):
        yield root / name, "deleted" if letter == "D" else "edited"


def tracked(path: Path) -> bool:
    """Whether git has a file, so that a merge would bring it; not without git or outside a checkout."""
    try:
        _git(path.parent, *_FILES, path.name, problem="not there")
    except BadInput:
        return False
    return True


def _git(root: Path, *arguments: str, problem: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, timeout=_TIMEOUT, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BadInput(f"{root}: git cannot be run: {error}", remedy="Install git.") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().split("\n")[0]
        raise BadInput(
            f"{root}: {problem}" + (f" ({said})" if said else ""),
            remedy="Name a revision of this repository, such as origin/main, and fetch its whole "
            "history (in GitHub Actions: fetch-depth: 0).",
        )
    return os.fsdecode(done.stdout)
