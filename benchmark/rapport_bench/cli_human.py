"""The command group `rapport human`."""

from __future__ import annotations

import click

from rapport_bench.cli_human_score import plan, score


@click.group(epilog="Example: rapport human score study ratings")
def human() -> None:
    """Ask people: blinded rating sheets out, ratings in."""


human.add_command(score)
human.add_command(plan)
