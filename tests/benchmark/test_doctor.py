"""What `rapport doctor` says of a machine, and `rapport run` on machines of another kind."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from rapport_bench.cli.main import _run
from rapport_bench.common.quiet import quiet_libraries
from rapport_training.loading import capabilities


@pytest.fixture
def rapport(capsys, tmp_path, monkeypatch):
    """Run a command; returns (exit code, standard output, standard error)."""
    monkeypatch.setenv("RAPPORT_STORE", str(tmp_path / "store.sqlite"))
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = _run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def trials(rapport) -> dict[str, dict]:
    code, out, _ = rapport("doctor", "--json")
    assert code == 0
    return {check["name"]: check for check in json.loads(out)["data"]["checks"]}


def test_doctor_tries_scoring_and_training_apart(rapport) -> None:
    found = trials(rapport)
    for name in ("bfloat16", "4-bit NF4"):
        for use in ("scoring", "training"):
            check = found[f"{name}, {use}"]
            assert (check["ok"], check["required"]) == (True, False)
            assert check["detail"].startswith("works on ")
    for name in ("8-bit optimizer", "packing"):
        assert found[name]["ok"], name
    assert found["paged 8-bit optimizer"]["ok"] == torch.cuda.is_available()


@pytest.mark.usefixtures("packing_processor")
def test_doctor_tells_what_scores_but_cannot_train(rapport, monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert trials(rapport)["4-bit NF4, training"]["ok"]
    monkeypatch.setattr(capabilities, "keep_unpacked", lambda layer: layer)
    found = trials(rapport)
    assert found["4-bit NF4, scoring"]["ok"]
    assert not found["4-bit NF4, training"]["ok"]
    assert "in-place operation" in found["4-bit NF4, training"]["detail"]


def test_doctor_says_what_is_not_installed(rapport, monkeypatch) -> None:
    for name in ("bitsandbytes.nn", "bitsandbytes.optim"):
        monkeypatch.setitem(sys.modules, name, None)
    found = trials(rapport)
    for name in ("4-bit NF4, scoring", "4-bit NF4, training", "8-bit optimizer"):
        assert not found[name]["ok"]
        assert "bitsandbytes is not installed" in found[name]["detail"]
    assert found["bfloat16, training"]["ok"]


def test_four_bit_figures_are_the_same_where_bitsandbytes_would_pack(
    rapport, wide_model, data, request
) -> None:
    figures = []
    for results in ("usual", "packing"):
        if results == "packing":
            request.getfixturevalue("packing_processor")
        code, _, _ = rapport("run", "--base", wide_model, "--nf4", "--dtype", "float32", "--device",
                             "cpu", "--data", data, "--tasks", "perplexity", "--results", results, "--store",
                               f"{results}.sqlite", "--json")  # fmt: skip
        assert code == 0
        (path,) = Path(results).glob("v1/*/*/*.json")
        figures.append(json.loads(path.read_text(encoding="utf-8"))["dialogues"]["columns"])
    assert figures[0]["nll_sum"] == figures[1]["nll_sum"]


@pytest.mark.parametrize(
    ("fault", "options", "expected"),
    [
        ("nf4", ["--nf4"], "without --nf4"),
        ("nf4", [], "the base that it was made of"),
        ("bfloat16", ["--dtype", "bfloat16"], "Choose another --dtype"),
        ("none", ["--device", "cuda:97"], "--device"),
    ],
)
def test_what_does_not_compute_here_is_refused_before_the_base_is_loaded(
    rapport, wide_model, data, monkeypatch, fault, options, expected
) -> None:
    base = wide_model
    if fault == "nf4" and not options:
        base = Path(shutil.copytree(wide_model, "stored"))
        config = json.loads((base / "config.json").read_text(encoding="utf-8"))
        config["quantization_config"] = {"quant_method": "bitsandbytes", "load_in_4bit": True}
        (base / "config.json").write_text(json.dumps(config), encoding="utf-8")

    def forward(self: torch.nn.Linear, x: torch.Tensor) -> torch.Tensor:
        if fault == "nf4" and type(self).__name__ == "Linear4bit":
            return torch.zeros(*x.shape[:-1], self.out_features)
        if x.dtype == torch.bfloat16:
            raise RuntimeError("no kernel for BFloat16")
        return torch.nn.functional.linear(x, self.weight, self.bias)

    from bitsandbytes.nn import Linear4bit

    for kind in (Linear4bit, torch.nn.Linear):
        monkeypatch.setattr(kind, "forward", forward)
    monkeypatch.setattr("rapport_bench.arms.loading._load_base", lambda *_: pytest.fail("loaded"))
    code, _, err = rapport("run", "--base", base, "--data", data, "--tasks", "perplexity", *options)
    assert code == 2
    assert "does not work on" in err
    assert expected in err
    assert "rapport doctor" in err


@pytest.mark.parametrize(
    ("given", "enabled"),
    [({}, False), ({"USE_HUB_KERNELS": "0"}, False), ({"USE_HUB_KERNELS": "1"}, True)],
)
def test_no_code_is_fetched_from_the_hub_unless_asked_for(given, enabled, monkeypatch) -> None:
    """With `kernels` installed: transformers has a switch, bitsandbytes asks its `get_kernel` at import."""
    import transformers.integrations.hub_kernels as hub
    from bitsandbytes.backends.cpu import ops

    for name in ("USE_HUB_KERNELS", "LOCAL_KERNELS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    quiet_libraries()
    assert (os.environ["USE_HUB_KERNELS"].upper() in hub.ENV_VARS_TRUE_VALUES) == enabled
    local = os.environ.get("LOCAL_KERNELS", "")
    assert bool(local) != enabled
    asked = re.findall(r'get_kernel\(\s*"(.*?)"', Path(ops.__file__).read_text(encoding="utf-8"))
    assert enabled or [f"{name}={os.devnull}" for name in asked] == [local]


def test_a_kernel_that_is_not_used_is_not_asked_for() -> None:
    code = (
        "from rapport_bench.common.quiet import quiet_libraries; quiet_libraries();"
        "from bitsandbytes.backends.cpu import ops;"
        "ops.logger.warning('Failed to load CPU gemm_4bit_forward: `pip install kernels`');"
        "ops.logger.error('what must be known')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install kernels" not in done.stderr
    assert "what must be known" in done.stderr
