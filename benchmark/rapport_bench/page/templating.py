"""Where the page's templates are found, and how they escape."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined


@cache
def environment() -> Environment:
    """Templates with escaping on; an unknown name is an error."""
    return Environment(
        loader=PackageLoader("rapport_bench.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
