"""Generation settings, and how a run hands them to the tasks."""

import json

import pytest

from rapport_tasks.common.errors import BadInput
from rapport_tasks.common.protocol import Generation, TaskSettings


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"method": "beam"}, "'beam'"),
        ({"top_p": 0.0}, "range"),
        ({"top_p": 1.01}, "range"),
        ({"temperature": 0.0}, "range"),
        ({"temperature": float("nan")}, "range"),
        ({"max_new_tokens": 0}, "range"),
        ({"seeds": ()}, "seeds"),
        ({"seeds": (1, 2, 1)}, "seeds"),
        ({"method": "greedy", "seeds": (0, 1)}, "greedy"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(BadInput, match=message) as caught:
        Generation(**settings)
    assert caught.value.remedy


def test_a_misspelt_method_gets_the_nearest_one():
    with pytest.raises(BadInput) as caught:
        Generation(method="coupled-topp")
    assert "'coupled-top-p'?" in caught.value.remedy


def test_sampling_is_spelt_out_for_lm_eval_so_that_nothing_leaks_from_model_files():
    settings = Generation(temperature=0.7, top_p=1.0, max_new_tokens=9, seeds=(3, 4))
    assert settings.lm_eval_kwargs("<|im_end|>") == {
        "until": ["<|im_end|>"], "do_sample": True, "temperature": 0.7, "top_p": 1.0, "top_k": 0,
        "max_gen_toks": 9,
    }  # fmt: skip
    assert settings.to_json() == {
        "method": "coupled-top-p", "temperature": 0.7, "top_p": 1.0, "max_new_tokens": 9,
        "seeds": [3, 4],
    }  # fmt: skip


def test_greedy_has_no_sampling_settings_and_so_one_identity():
    kwargs = Generation("greedy").lm_eval_kwargs("")
    assert kwargs == {"until": [], "do_sample": False, "max_gen_toks": 128}
    assert (
        Generation("greedy", top_p=0.5).to_json() == Generation("greedy", temperature=2).to_json()
    )


SETTINGS = TaskSettings("x.jsonl", 3, "embedded", Generation(top_p=0.5, seeds=(1, 2)), True)


@pytest.mark.parametrize("settings", [TaskSettings(), SETTINGS])
def test_settings_survive_the_way_through_lm_eval(settings):
    assert TaskSettings.from_metadata(settings.to_metadata()) == settings
    through_json = json.loads(json.dumps(settings.to_metadata()))
    assert TaskSettings.from_metadata(through_json) == settings
    as_text = {"rapport": json.dumps(settings.to_metadata()["rapport"])}
    assert TaskSettings.from_metadata(as_text) == settings


@pytest.mark.parametrize("metadata", [None, {}, {"version": 1.0}, {"rapport": None}])
def test_without_an_entry_the_defaults_hold(metadata):
    assert TaskSettings.from_metadata(metadata) == TaskSettings()


@pytest.mark.parametrize(
    ("given", "nearest"),
    [({"limits": 3}, "'limit'"), ({"generation": {"topp": 0.5}}, "'top_p'")],
)
def test_unknown_keys_are_refused_with_the_nearest(given, nearest):
    with pytest.raises(BadInput, match="unknown key") as caught:
        TaskSettings.from_metadata({"rapport": given})
    assert nearest in caught.value.remedy
