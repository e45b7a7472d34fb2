from __future__ import annotations

from pathlib import Path

import pytest

from rapport_training.lora.curves import draw_curves
from rapport_training.lora.monitor import Monitor, band


def test_the_band_is_three_deviations_of_the_last_fifty() -> None:
    assert band([1.0] * 19) is None
    assert band([100.0] * 50 + [1.0, 3.0] * 25) == pytest.approx((0.0, 5.0))
    assert band([9.0, 11.0] * 10) == pytest.approx((7.0, 13.0))


def test_a_gradient_outside_the_band_is_said_once_an_excursion() -> None:
    monitor = Monitor()
    for step in range(1, 31):
        assert monitor.step(step, 3.0 - step / 100, 1.0 + 0.1 * (step % 2)) == []
    (warning,) = monitor.step(31, 2.6, 5.0)
    assert warning.startswith("step 31: gradient norm 5 outside 3 sigma of the last 30 steps")
    assert monitor.step(32, 2.6, 50.0) == []


def test_a_rise_of_the_validation_loss_is_said() -> None:
    monitor = Monitor()
    assert monitor.validation(0, 3.0) == []
    assert monitor.validation(10, 2.5) == []
    (warning,) = monitor.validation(20, 2.6)
    assert "rose from 2.5000 to 2.6000" in warning


def test_a_standstill_is_said_once() -> None:
    monitor = Monitor()
    warnings = [w for step in range(1, 60) for w in monitor.step(step, 2.0, 0.5)]
    assert len(warnings) == 1
    assert "step 20: the loss does not move" in warnings[0]
    monitor = Monitor()
    warnings = [w for step in range(1, 60) for w in monitor.step(step, 2.0 + step, 0.0)]
    assert len(warnings) == 1
    assert "there is no gradient" in warnings[0]
    monitor.validation(0, 3.0)
    (warning,) = monitor.validation(10, 3.0)
    assert "has not moved" in warning


def test_curves_of_few_and_of_many_steps(tmp_path: Path) -> None:
    steps = [{"step": n, "loss": 5 / n, "grad_norm": 1 + n % 3} for n in range(1, 80)]
    checks = [{"step": n, "validation_nll_per_token": 4.0} for n in (0, 79)]
    draw_curves([*checks, *steps], tmp_path / "many.png")
    draw_curves(steps[:1], tmp_path / "one.png")
    for name in ("many.png", "one.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
