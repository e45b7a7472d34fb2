"""What other packages add, by entry points."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import TypeVar

from rapport_tasks.common.errors import BadInput

_Kind = TypeVar("_Kind")


def offered(group: str, kind: type[_Kind]) -> Iterator[tuple[str, _Kind]]:
    """What installed packages offer in a group, by the names of the entry points.

    Args:
        group: Of entry points.
        kind: What each must be.

    Yields:
        Whose it is, for messages, and what it is.

    Raises:
        BadInput: It cannot be imported, or is something else.
    """
    for point in sorted(entry_points(group=group), key=lambda point: point.name):
        package = point.dist.name if point.dist else "an installed package"
        source = f"{group}: {point.name!r} of {package}"
        try:
            found = point.load()
        except Exception as error:  # another's code
            raise BadInput(
                f"{source} cannot be loaded: {type(error).__name__}: {error}",
                remedy=f"Mend or uninstall {package}.",
            ) from error
        if not isinstance(found, kind):
            raise BadInput(
                f"{source} is no {kind.__name__}",
                remedy=f"{point.value} must be one, not its name.",
            )
        yield source, found
