"""How a command ends that did not end well: one message with a remedy, and an exit code."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import click

from rapport_bench.cli.shared import SCHEMA_VERSION, json_line
from rapport_bench.common.standard_streams import OutputLost
from rapport_tasks.common.errors import FULL_DISK, BadInput, Incomplete, RapportError

KEPT = "Run the same command again: what was finished for good is kept."


def require_working_folder() -> None:
    """Libraries ask for it at every turn.

    Raises:
        BadInput: It was deleted, or cannot be entered.
    """
    try:
        Path.cwd()
    except OSError as error:
        raise BadInput(
            f"the working folder cannot be used ({error.strerror})",
            remedy="Change to a folder that exists, and run the same command again.",
        ) from None


def failed(arguments: Sequence[str], error: BaseException) -> int:
    """Say what ended a command; returns its exit code."""
    match error:
        case click.ClickException():
            context = getattr(error, "ctx", None)
            command = context.command_path if context else "rapport"
            return fail(arguments, "Usage", error.format_message(), f"See {command} --help.", 2)
        case KeyboardInterrupt() | click.exceptions.Abort():
            return fail(arguments, "Interrupted", "interrupted", KEPT, 130)
        case OSError(errno=int()):
            error = _of_the_machine(error)
        case UnicodeEncodeError(reason="surrogates not allowed"):
            error = BadInput(
                "a name or path holds bytes that are no UTF-8, where UTF-8 is needed",
                remedy="Rename the file or folder, or link to it under another name: ln -s.",
            )
        case OutputLost():
            arguments = ()  # standard error is what is left
    if isinstance(error, RapportError):
        return fail(arguments, error.kind, error.message, error.remedy, error.exit_code)
    traceback.print_exception(error)
    remedy = "This is a fault of rapport-bench: please report it with the traceback above."
    return fail(arguments, type(error).__name__, "unexpected error", remedy, 70)


def _of_the_machine(error: OSError) -> RapportError:
    """What no command foresaw of a disk, a path or a permission."""
    where = "" if error.filename is None else f"{Path(error.filename)}: "
    if error.errno in FULL_DISK:
        remedy = "Free disk space, there and for temporary files. "
        return Incomplete(f"{where}the disk is full ({error.strerror})", remedy=remedy + KEPT)
    remedy = "Check the path, its permissions and the disk, and run the same command again."
    return BadInput(f"{where}{error.strerror}", remedy=remedy)


def fail(arguments: Sequence[str], kind: str, message: str, remedy: str, exit_code: int) -> int:
    """Print a failure as the arguments ask for; returns the exit code."""
    if "--json" in arguments:
        command = next((word for word in arguments if not word.startswith("-")), "rapport")
        failure = {
            "command": command,
            "schema_version": SCHEMA_VERSION,
            "ok": False,
            "exit_code": exit_code,
            "error": {"kind": kind, "message": message, "remedy": remedy},
        }
        with suppress(OutputLost):
            click.echo(json_line(failure))
            return exit_code
    click.echo(f"rapport: {message}" + (f"\n  {remedy}" if remedy else ""), err=True)
    return exit_code
