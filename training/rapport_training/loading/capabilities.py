"""What this machine can do, found out by doing it: small layers, forward and backward, figures checked.

That a library can be imported proves nothing. It may lack a kernel for this processor, refuse a width
or a bias, lose the gradient, or compute something else. Each trial takes milliseconds and returns what
is wrong, or `None`; `rapport train`, `rapport run` and `rapport doctor` make the same ones.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional

from rapport_tasks.common.parsing import read_settings
from rapport_training.sequences.batches import collate, keeps_packed_apart
from rapport_training.sequences.corpus import LabelledSequence

_PAGED_WIDTH = 320
"""bitsandbytes keeps states of fewer than 4,096 numbers in 32 bits, and pages none below 100,000."""


@dataclass(frozen=True, slots=True, order=True)
class LayerKind:
    """A linear layer, as far as kernels tell layers apart."""

    inputs: int
    outputs: int
    bias: bool


USUAL_LAYERS = (LayerKind(128, 192, bias=True), LayerKind(192, 128, bias=False))
"""Where there is no base to take the kinds from."""


def training_device() -> str:
    """Where `rapport train` computes."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def layer_kinds(model: Any) -> tuple[LayerKind, ...]:
    """The kinds of linear layers in a model's decoder; see `rapport_training.loading.pretrained.empty_model`.

    Widths from 512 on are made smaller by multiples of 256, in which kernels count at most.
    """
    found = set()
    for module in model.modules():
        conv = type(module).__name__ == "Conv1D"  # GPT-2's, with its weights the other way round
        if module is model.get_output_embeddings() or not (
            conv or isinstance(module, torch.nn.Linear)
        ):
            continue
        outputs, inputs = reversed(module.weight.shape) if conv else module.weight.shape
        found.add(LayerKind(_narrow(inputs), _narrow(outputs), bias=module.bias is not None))
    return tuple(sorted(found)) or USUAL_LAYERS


def stored_in_4_bits(folder: Path) -> bool:
    """Whether a base's own files hold layers in bitsandbytes' 4 bits, whatever is asked for."""
    stored = read_settings(folder / "config.json").get("quantization_config")
    return isinstance(stored, dict) and stored.get("load_in_4bit") is True


def keep_unpacked(model: Any) -> Any:
    """Keep 4-bit layers as they were quantised, on every processor.

    With AVX512-BF16 bitsandbytes packs a layer's weights anew when it first computes without a
    gradient. What it then computes knows no gradient for good (an error with a bias, a silent loss
    without), refuses narrow layers, is bfloat16 whatever type was asked for, and the base's tensors
    are no longer those that were loaded.
    """
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False
    return model


def dtype_problem(
    kinds: Sequence[LayerKind], *, device: str, dtype: str, training: bool
) -> str | None:
    """Why layers of a type do not compute here, `None` if they do.

    Args:
        kinds: Layers to try.
        device: A torch device.
        dtype: A torch dtype's name.
        training: Whether the gradient must come back too.
    """

    def make(kind: LayerKind) -> _Made:
        layer = _linear(kind, getattr(torch, dtype))
        return layer.to(device), layer.weight.detach()

    return _layers_problem(kinds, make, device=device, dtype=dtype, training=training)


def four_bit_problem(
    kinds: Sequence[LayerKind],
    *,
    device: str,
    dtype: str,
    double_quantization: bool,
    training: bool,
) -> str | None:
    """Why NF4 layers do not work here, `None` if they do; arguments as for `dtype_problem`."""

    def make(kind: LayerKind) -> _Made:
        from bitsandbytes.functional import dequantize_4bit
        from bitsandbytes.nn import Linear4bit

        source = _linear(kind, getattr(torch, dtype))
        layer = Linear4bit(
            kind.inputs,
            kind.outputs,
            bias=kind.bias,
            compute_dtype=getattr(torch, dtype),
            compress_statistics=double_quantization,
            quant_type="nf4",
        )
        layer.load_state_dict(source.state_dict())
        layer = keep_unpacked(layer).to(getattr(torch, dtype)).to(device)
        held = dequantize_4bit(layer.weight.data, layer.weight.quant_state)
        # The widest gap between two of the sixteen values is 0.31 of a block's largest number.
        off = (held.float().cpu() - source.weight.float()).abs().max()
        if not off <= 0.2 * source.weight.float().abs().max():
            raise ArithmeticError("the quantised weights are not those that were given")
        return layer, held

    return _layers_problem(kinds, make, device=device, dtype=dtype, training=training)


def optimizer_problem(name: str, *, device: str) -> str | None:
    """Why a recipe's 8-bit optimizer does not work here, `None` if it does."""

    def work() -> None:
        from bitsandbytes.optim import AdamW

        weight = torch.nn.Parameter(torch.zeros((_PAGED_WIDTH, _PAGED_WIDTH), device=device))
        wanted = torch.linspace(1, 3, weight.numel(), device=device).view_as(weight)
        paged = name.startswith("paged_")
        optimizer = AdamW([weight], lr=0.01, weight_decay=0.0, optim_bits=8, is_paged=paged)
        for _ in range(2):
            optimizer.zero_grad()
            torch.autograd.backward((0.5 * (weight - wanted) ** 2).sum())
            optimizer.step()
        # Far from its goal Adam moves every weight by the learning rate, whatever the gradient.
        if not ((weight.detach() / 0.02 - 1).abs() < 0.25).all():
            raise ArithmeticError("its steps are not AdamW's")
        state = optimizer.state[weight]["state1"]
        if state.dtype != torch.uint8:
            raise ArithmeticError("its states are not held in 8 bits")
        if paged and not getattr(state, "is_paged", False):
            raise ArithmeticError("its states are not paged; that takes a GPU")

    return _tried(work)


def packing_problem(model: Any, sequences: Sequence[LabelledSequence]) -> str | None:
    """Why packed dialogues cannot be trained on, `None` if they can.

    Args:
        model: With parameters that learn, as `rapport_training.lora.adapter.add_adapter` leaves it.
        sequences: Dialogues to try it on.
    """

    def work() -> None:
        if not keeps_packed_apart(model, sequences):
            raise ArithmeticError("the base does not keep packed dialogues apart")
        parts = [
            LabelledSequence(s.tokens[:16], s.tokens[:16]) for s in (sequences[0], sequences[-1])
        ]
        batch = {name: tensor.to(model.device) for name, tensor in collate([tuple(parts)]).items()}
        with torch.enable_grad():
            logits = model(input_ids=batch["input_ids"], position_ids=batch["position_ids"]).logits
            logits.float().logsumexp(-1).mean().backward()
        model.zero_grad(set_to_none=True)

    return _tried(work)


_Made = tuple[Any, torch.Tensor]
"""A layer on its device, and the weights that it should compute with."""


def _narrow(width: int) -> int:
    return width if width < 512 else 256 + width % 256


def _numbers(*shape: int) -> torch.Tensor:
    """Normal numbers, always the same, and none taken from the generator that training draws on."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def _linear(kind: LayerKind, dtype: torch.dtype) -> torch.nn.Linear:
    layer = torch.nn.Linear(kind.inputs, kind.outputs, bias=kind.bias).requires_grad_(False)
    layer.weight.copy_(_numbers(kind.outputs, kind.inputs))
    if kind.bias:
        # Large enough that a lost bias is no rounding.
        layer.bias.copy_(0.3 * kind.inputs * _numbers(kind.outputs))
    return layer.to(dtype)


def _layers_problem(
    kinds: Sequence[LayerKind],
    make: Callable[[LayerKind], _Made],
    *,
    device: str,
    dtype: str,
    training: bool,
) -> str | None:
    for kind in kinds:
        problem = _tried(
            lambda kind=kind: _use(make(kind), device, getattr(torch, dtype), training)  # type: ignore[misc]
        )
        if problem is not None:
            bias = "with" if kind.bias else "without"
            return (
                f"a {dtype} layer of {kind.inputs} inputs and {kind.outputs} outputs {bias} bias "
                f"does not work on {device} ({problem})"
            )
    return None


def _use(made: _Made, device: str, dtype: torch.dtype, training: bool) -> None:
    """Score as `rapport run` does, then learn as `rapport train` does after it has scored."""
    layer, weight = made[0], made[1].cpu().double()
    inputs = _numbers(2, 3, weight.shape[1]).to(dtype).to(device)
    bias = torch.zeros(len(weight)) if layer.bias is None else layer.bias.detach()
    bias = bias.cpu().double()
    expected = functional.linear(inputs.cpu().double(), weight, bias)
    size = functional.linear(inputs.cpu().double().abs(), weight.abs(), bias.abs())
    layer.eval()
    with torch.inference_mode():
        _compare("output", layer(inputs), expected, size)
    if not training:
        return
    layer.train()
    inputs.requires_grad_()
    back = _numbers(2, 3, len(weight)).to(dtype).to(device)
    with torch.enable_grad():
        outputs = layer(inputs)
        _compare("output in training", outputs, expected, size)
        outputs.backward(back)
    back = back.cpu().double()
    _compare("gradient", inputs.grad, back @ weight, back.abs() @ weight.abs())


def _compare(
    what: str, found: torch.Tensor | None, expected: torch.Tensor, size: torch.Tensor
) -> None:
    """Raise unless equal up to rounding; `size` is the sum of what was added up, without signs."""
    if found is None:
        raise ArithmeticError(f"no {what} comes back")
    # Some GPUs round float32 to the ten bits of TF32 before they multiply.
    precision = max(torch.finfo(found.dtype).eps, 2.0**-10)
    # Written so that a NaN is wrong.
    if not ((found.detach().cpu().double() - expected).abs() <= 4 * precision * size).all():
        raise ArithmeticError(f"the {what} is wrong")


def _tried(work: Callable[[], None]) -> str | None:
    try:
        with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
            warnings.simplefilter("ignore")
            work()
    except ModuleNotFoundError as error:
        return f"{(error.name or str(error)).partition('.')[0]} is not installed"
    except ArithmeticError as error:
        return str(error)
    except Exception as error:  # whatever a library raises where it lacks a kernel
        first = (str(error).strip().splitlines() or [""])[0]
        return f"{type(error).__name__}: {first[:200]}"
    return None
