"""Cards: Markdown for people, rendered from a template beside the module that knows the figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def render_card(template: Path, values: dict[str, Any]) -> str:
    """Fill in a Jinja template; numbers get commas, and what `cell` filters breaks no table."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        trim_blocks=True,
        keep_trailing_newline=True,
        finalize=_with_commas,
        undefined=StrictUndefined,
    )
    environment.filters["cell"] = lambda text: text.replace("|", "\\|").replace("\n", " ")
    return environment.from_string(template.read_text(encoding="utf-8")).render(values)


def _with_commas(value: Any) -> Any:
    return f"{value:,}" if isinstance(value, int | float) else value
