"""People as judges: blinded rating sheets out, ratings in.

A *study* is a folder: ``study.json`` (public, no arm is named in it), ``key.json`` (which letter is
which arm) and ``sheets/`` (what raters get). `study` holds the two types that everything else shares.
"""
