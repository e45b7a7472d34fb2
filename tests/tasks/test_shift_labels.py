"""Labels of topic shifts, and those that come with the project."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from rapport_tasks.dialogues.builtin import EVALUATION_ZH, TRAINING_EN, TRAINING_ZH
from rapport_tasks.dialogues.dialogue import read_dialogues
from rapport_tasks.shifts.shift_labels import ShiftLabels, read_shift_labels

OWN = Path(__file__).parents[2] / "tasks" / "data" / "shifts.tsv"
PUBLIC = Path(__file__).parents[2].parent / "shared" / "data" / "dialogues_zh"
HEADER = "source\tsplit\tdialogue\tfirst\tsecond\n"


def test_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "labels.tsv"
    path.write_text(f"{HEADER}a\tfit\td-1\t1:2,3:1\t3:2\nb\theld\td-2\t-\t?\n", encoding="utf-8")
    first = ShiftLabels("a", "fit", "d-1", ({1: 2, 3: 1}, {3: 2}))
    second = ShiftLabels("b", "held", "d-2", ({},))
    assert read_shift_labels(path) == [first, second]
    assert read_shift_labels(path, split="held") == [second]
    assert first.shares(5) == [0.5, 0, 1, 0]
    assert second.shares(3) == [0, 0]
    with pytest.raises(ValueError, match="d-1: a label for no message of 3"):
        first.shares(3)


@pytest.mark.parametrize("labels", ["3", "3:", "x:1", "3:1,"])
def test_what_is_no_label_is_refused(tmp_path: Path, labels: str) -> None:
    path = tmp_path / "labels.tsv"
    path.write_text(f"{HEADER}a\tfit\td-1\t{labels}\t?\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"invalid literal|unpack"):
        read_shift_labels(path)


def test_labels_of_own_dialogues_fit_them() -> None:
    """One line a dialogue, each pass of which labels its own messages alone."""
    labels = read_shift_labels(OWN)
    assert max(Counter(row.dialogue for row in labels).values()) == 1
    for source, split, path in (
        ("eval_zh", "held", EVALUATION_ZH),
        ("train_zh", "fit", TRAINING_ZH),
        ("train_en", "held", TRAINING_EN),
    ):
        dialogues = {dialogue.id: dialogue for dialogue in read_dialogues(path)}
        found = [row for row in labels if row.source == source]
        assert {row.dialogue for row in found} == dialogues.keys()
        assert {row.split for row in found} == {split}
        for row in found:
            assert len(row.passes) == 2
            assert row.shares(len(dialogues[row.dialogue].messages))


def test_what_is_learned_from_is_not_measured_on() -> None:
    fitted = {(row.source, row.dialogue) for row in read_shift_labels(OWN, split="fit")}
    held = {(row.source, row.dialogue) for row in read_shift_labels(OWN, split="held")}
    assert {source for source, _ in fitted} == {"train_zh", "smile", "cpsycound"}
    assert not fitted & held
    assert all(
        {grade for one in row.passes for grade in one.values()} <= {1, 2}
        for row in read_shift_labels(OWN)
    )


@pytest.mark.skipif(not PUBLIC.is_dir(), reason="development data is absent")
@pytest.mark.parametrize(("source", "kept"), [("smile", 1000), ("cpsycound", 400)])
def test_the_first_lines_of_public_files_are_for_measuring_alone(source: str, kept: int) -> None:
    ids = [dialogue.id for dialogue in read_dialogues(PUBLIC / f"{source}.jsonl")]
    for split, lines in (("held", ids[:kept]), ("fit", ids[kept:])):
        found = [row for row in read_shift_labels(OWN, split=split) if row.source == source]
        assert found
        assert {row.dialogue for row in found} <= set(lines)
