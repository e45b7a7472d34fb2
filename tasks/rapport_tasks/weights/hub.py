"""Finding a model's or adapter's folder: what ships with the package, a local folder, or the hub."""

from __future__ import annotations

import re
from pathlib import Path

from rapport_tasks.common.errors import BadInput, close_match
from rapport_tasks.common.paths import local_path, require_encodable

_FILES = ["*.json", "*.safetensors", "*.jinja", "*.model", "*.txt"]


def find_folder(name: str, *, embedded: Path) -> Path:
    """Find a folder by what the user called it; the only place that may use the network.

    Args:
        name: ``embedded``, a local folder, or a hub id.
        embedded: Where the embedded base lies.

    Raises:
        BadInput: It is neither a folder nor can the hub give it.
    """
    if name == "embedded":
        return embedded
    folder = local_path(name)
    if folder.is_dir():
        require_encodable(folder)
        return folder
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", name) or name.startswith("."):
        near = [str(p) for p in folder.parent.glob("*/")] if folder.parent.is_dir() else []
        raise BadInput(
            f"{name}: no such folder",
            remedy=close_match(name, [*near, "embedded"])
            + "Name a local folder, a hub id such as Qwen/Qwen1.5-1.8B, or embedded.",
        )
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, allow_patterns=_FILES))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        raise BadInput(
            f"{name}: not a local folder, and the hub did not give it ({type(error).__name__})",
            remedy=close_match(name, ["embedded"])
            + "Check the id and the network, log in if it is gated, or name a local folder.",
        ) from None
