"""Checks of a results folder to which many people contribute, before a merge.

`folder` walks it and says which file is checked by what, `reading` refuses what is no honest file,
`content` what a result, validity report or list of baselines must hold, `history` what was edited.
"""
