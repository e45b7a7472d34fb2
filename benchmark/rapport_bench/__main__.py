"""``python -m rapport_bench`` is ``rapport``."""

from rapport_bench.cli.main import main

main()
