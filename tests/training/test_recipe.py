from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel

from rapport_tasks.common.errors import BadInput
from rapport_tasks.dialogues.builtin import TRAINING_ZH
from rapport_tasks.dialogues.dialogue import read_dialogues
from rapport_training import EMBEDDED_BASE, EMBEDDED_RECIPE, RECIPES
from rapport_training.lora.base import resolve_base
from rapport_training.lora.recipe import Recipe, dialogue_file, load_recipe, parse_settings

SMALL = '[base]\nname = "embedded"\n[data]\ncorpus = "builtin:train_zh"\n'


def write(folder: Path, text: str) -> Path:
    path = folder / "recipe.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.name)
def test_every_shipped_recipe_parses(path: Path) -> None:
    load_recipe(path)


def test_the_embedded_recipe_trains_the_embedded_base_on_the_built_in_dialogues() -> None:
    recipe = load_recipe(EMBEDDED_RECIPE)
    assert resolve_base(recipe.base.name) == EMBEDDED_BASE
    assert recipe.corpus_file() == TRAINING_ZH
    assert len(read_dialogues(TRAINING_ZH)) == 104
    assert (recipe.lora.r, recipe.lora.alpha, recipe.lora.dropout) == (16, 64, 0.05)
    assert recipe.lora.target_modules == ("q_proj", "k_proj", "v_proj", "o_proj")


def test_defaults_fill_what_is_left_out(tmp_path: Path) -> None:
    recipe = load_recipe(write(tmp_path, SMALL))
    assert recipe.train.seed == 0
    assert recipe.require.quantization


@pytest.mark.parametrize(
    ("extra", "named", "remedy"),
    [
        ("[train]\nlearning_rat = 1.0\n", "'train.learning_rat'", "'learning_rate'"),
        ("[trian]\nepochs = 1\n", "'trian'", "'train'"),
        ("[lora]\nrank = 8\n", "'lora.rank'", "Known here: r, alpha"),
        ("[train]\nepochs = 0\n", "train.epochs = 0", ""),
        ("[train]\nlearning_rate = nan\n", "train.learning_rate: nan is not a finite number", ""),
        ('[train]\noptimizer = "sgd"\n', "train.optimizer = 'sgd'", ""),
        ("[lora]\ntarget_modules = []\n", "lora.target_modules = []", ""),
        ("[train\n", "not TOML", ""),
    ],
)
def test_a_bad_recipe_names_file_key_and_remedy(
    tmp_path: Path, extra: str, named: str, remedy: str
) -> None:
    path = write(tmp_path, SMALL + extra)
    with pytest.raises(BadInput) as caught:
        load_recipe(path)
    assert caught.value.message.startswith(f"{path}: ")
    assert named in caught.value.message
    assert remedy in caught.value.remedy


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"'data\.corpus' is missing"):
        load_recipe(write(tmp_path, '[base]\nname = "embedded"\n[data]\n'))


def test_a_missing_recipe_offers_its_neighbour(tmp_path: Path) -> None:
    write(tmp_path, SMALL)
    with pytest.raises(BadInput) as caught:
        load_recipe(tmp_path / "recipes.toml")
    assert "'recipe.toml'" in caught.value.remedy


def test_a_shipped_recipe_goes_by_its_name(tmp_path: Path) -> None:
    assert load_recipe("embedded") == load_recipe(EMBEDDED_RECIPE)
    with pytest.raises(BadInput) as caught:
        load_recipe("embeded")
    assert "'embedded'" in caught.value.remedy
    assert "qwen1.5-1.8b-emotion-recommended" in caught.value.remedy


def test_the_studys_recipe_says_what_the_study_did() -> None:
    recipe = load_recipe("qwen1.5-1.8b-emotion")
    assert recipe.base.name == "Qwen/Qwen1.5-1.8B"
    assert (recipe.base.quantization, recipe.base.dtype) == ("nf4", "bfloat16")
    assert not recipe.base.double_quantization
    assert (recipe.data.max_length, recipe.data.loss_on) == (1024, "all")
    assert not recipe.data.packing
    assert (recipe.lora.r, recipe.lora.alpha, recipe.lora.dropout) == (16, 64, 0.05)
    assert recipe.lora.target_modules == ("q_proj", "k_proj", "v_proj", "o_proj")
    how = recipe.train
    assert (how.optimizer, how.learning_rate, how.warmup_ratio) == ("paged_adamw_8bit", 2e-5, 0.1)
    assert (how.epochs, how.batch_size, how.gradient_accumulation) == (3, 32, 2)


def test_the_recommended_recipe_differs_where_it_says() -> None:
    recipe = load_recipe("qwen1.5-1.8b-emotion-recommended")
    assert recipe.base.double_quantization
    assert (recipe.data.loss_on, recipe.data.packing) == ("assistant", True)
    study = load_recipe("qwen1.5-1.8b-emotion")
    assert recipe.lora == study.lora
    changed = {"batch_size"}
    assert recipe.train.model_dump(exclude=changed) == study.train.model_dump(exclude=changed)


def test_settings_take_the_place_of_the_files(tmp_path: Path) -> None:
    arguments = [
        "base.name=./my-base",
        "train.learning_rate = 1e-4",
        'lora.target_modules=["q_proj", "v_proj"]',
        "data.packing=true",
        "data.corpus=C:=odd=name",
    ]
    recipe = load_recipe(write(tmp_path, SMALL), parse_settings(arguments))
    assert recipe.base.name == "./my-base"
    assert recipe.train.learning_rate == 1e-4
    assert recipe.lora.target_modules == ("q_proj", "v_proj")
    assert recipe.data.packing is True
    assert recipe.data.corpus == "C:=odd=name"
    assert recipe.train.seed == 0


@pytest.mark.parametrize(
    ("argument", "named", "remedy"),
    [
        ("train.learning_rat=1", "--set: unknown key 'train.learning_rat'", "'learning_rate'"),
        ("trian.epochs=1", "--set: unknown key 'trian'", "'train'"),
        ("learning_rate=1", "section.key=value", "'train.learning_rate'"),
        ("train.epochs", "section.key=value", "'train.epochs'"),
        ("train.epochs=many", "--set: train.epochs = 'many'", "Correct"),
        ("lora.r=0", "--set: lora.r = 0", "Correct"),
    ],
)
def test_a_bad_setting_is_named(tmp_path: Path, argument: str, named: str, remedy: str) -> None:
    with pytest.raises(BadInput) as caught:
        load_recipe(write(tmp_path, SMALL), parse_settings([argument]))
    assert named in caught.value.message
    assert remedy in caught.value.remedy


def test_a_corpus_folder_brings_its_validation(tmp_path: Path) -> None:
    recipe = load_recipe(write(tmp_path, SMALL), {"data.corpus": str(tmp_path)})
    assert recipe.validation_file() is None
    (tmp_path / "validation.jsonl").write_text("")  # a split of nothing
    assert recipe.validation_file() is None
    (tmp_path / "validation.jsonl").write_text("{}\n")
    assert recipe.validation_file() == tmp_path / "validation.jsonl"
    other = {"data.corpus": str(tmp_path), "data.validation": "mine.jsonl"}
    assert load_recipe(write(tmp_path, SMALL), other).validation_file() == Path("mine.jsonl")


def test_an_unknown_built_in_corpus_offers_the_nearest() -> None:
    with pytest.raises(BadInput) as caught:
        dialogue_file("builtin:train_ch")
    assert "builtin:train_zh" in caught.value.remedy


def test_a_corpus_folder_means_its_training_file(tmp_path: Path) -> None:
    assert dialogue_file(str(tmp_path)) == tmp_path / "train.jsonl"


def test_an_unknown_base_offers_the_embedded_one() -> None:
    with pytest.raises(BadInput) as caught:
        resolve_base("./embeded")
    assert "embedded" in caught.value.remedy


def test_every_field_is_documented() -> None:
    def undocumented(model: type[BaseModel], prefix: str = "") -> list[str]:
        missing = []
        for name, field in model.model_fields.items():
            if not field.description:
                missing.append(prefix + name)
            if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
                missing += undocumented(field.annotation, f"{name}.")
        return missing

    assert undocumented(Recipe) == []


def test_reading_a_recipe_does_not_load_torch() -> None:
    code = (
        "import sys; from rapport_training import EMBEDDED_RECIPE;"
        "from rapport_training.lora.recipe import load_recipe; load_recipe(EMBEDDED_RECIPE);"
        "sys.exit('torch' in sys.modules)"
    )
    paths = f"import sys; sys.path[:0] = {sys.path!r}; "
    assert subprocess.run([sys.executable, "-c", paths + code], check=False).returncode == 0
