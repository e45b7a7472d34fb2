"""Makes LoRA adapters for rapport-bench: a recipe and a corpus in, an adapter folder out.

Importing this package is cheap: torch is loaded by `rapport_training.lora.train` alone.
"""

from __future__ import annotations

from pathlib import Path

EMBEDDED_BASE: Path = Path(__file__).parent / "embedded_base"
"""The tiny base model that comes with the package: a fixture, not a model to talk to."""

RECIPES: Path = Path(__file__).parent / "recipes"
"""The recipes that come with the package."""

EMBEDDED_RECIPE: Path = RECIPES / "embedded.toml"
"""The recipe of the demo: the embedded base on the package's own training dialogues."""

__all__ = ["EMBEDDED_BASE", "EMBEDDED_RECIPE", "RECIPES"]
