"""Studies on disk and blinded rating sheets: who judges what, in which order, on which page."""
