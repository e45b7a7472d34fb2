"""What identities are made of: canonical JSON, its hash, and names for files."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def canonical(value: Any) -> str:
    """Compact sorted JSON: the text that identities are hashes of."""
    return json.dumps(
        value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
    )


def digest(value: Any) -> str:
    """Hex SHA-256 of `canonical`."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()
