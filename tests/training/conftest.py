from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rapport_training.lora.recipe import Recipe


def write_dialogues(path: Path, count: int = 6, exchanges: int = 2) -> Path:
    lines = []
    for number in range(count):
        messages = []
        for turn in range(exchanges):
            messages.append({"role": "user", "content": f"第{number}天了，还是睡不着{turn}"})
            messages.append({"role": "assistant", "content": f"听起来很累。第{turn}夜怎么过的？"})
        lines.append(json.dumps({"id": f"d-{number}", "messages": messages}, ensure_ascii=False))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def tiny_model(models: dict[str, Path]) -> Path:
    return models["qwen"]


@pytest.fixture(scope="session")
def tokenizer(tiny_model: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(tiny_model)


@pytest.fixture(scope="session")
def corpus_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dialogues(tmp_path_factory.mktemp("corpus") / "train.jsonl")


@pytest.fixture(scope="session")
def corpus_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `rapport prepare` leaves it."""
    folder = tmp_path_factory.mktemp("prepared") / "corpus"
    folder.mkdir()
    write_dialogues(folder / "train.jsonl", count=40)
    write_dialogues(folder / "validation.jsonl", count=2)
    (folder / "card.json").write_text("{}", encoding="utf-8")
    return folder


@pytest.fixture
def recipe(tiny_model: Path, corpus_file: Path) -> Recipe:
    return Recipe.model_validate(
        {
            "base": {"name": str(tiny_model)},
            "data": {"corpus": str(corpus_file), "max_length": 512},
            "lora": {"r": 4, "alpha": 16},
            "train": {
                "batch_size": 2,
                "gradient_accumulation": 1,
                "learning_rate": 0.01,
                "max_steps": 3,
            },
        }
    )


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)
