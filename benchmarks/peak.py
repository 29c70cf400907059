"""The peak of a device, what it achieves on large matrix products, and how much of it a training reaches."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from ganzoo_bench.measure import Measure
from ganzoo_bench.setting import bare_engine, eager, precision, train_on
from torch.utils.benchmark import Timer
from torch.utils.flop_counter import FlopCounterMode

from ganzoo.training.trainer import Trainer

SIDES = {"cpu": 2048, "cuda": 8192}
"""Sides of the square matrices: large enough for every core, small enough for many products in a second."""


def record_share_of_peak(measure: Measure, trainer: Trainer) -> None:
    """How much of what the device can do on large matrix products the work achieved that was just measured."""
    device, work = trainer.engine.device, flops(trainer)
    achieved, kind = work / measure.benchmark.extra_info["seconds"], precision(trainer.options)
    measure.record(
        flops_per_iteration=work,
        flops_per_second=achieved,
        peak_flops_per_second=peak(device, kind),
        peak_precision=kind,
        share_of_peak=achieved / peak(device, kind),
    )


def flops(trainer: Trainer) -> float:
    """Floating-point operations of one iteration, on average over a cycle of its players."""
    engine, batch = bare_engine(trainer, eager(trainer.options)), trainer.batches[0]
    with FlopCounterMode(display=False) as counter:
        train_on(engine, batch, engine.cycle)
    return counter.get_total_flops() / engine.cycle


@functools.cache
def peak(device: torch.device, precision: str) -> float:
    """FLOP/s of the fastest of many matrix products, in "fp32", "tf32" or "bf16"."""
    side = SIDES[device.type]
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    first, second = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    timer = Timer(
        "torch.mm(first, second, out=product)",
        globals={"torch": torch, "first": first, "second": second, "product": torch.empty_like(first)},
        num_threads=torch.get_num_threads(),
    )
    with _matmul_in("tf32" if precision == "tf32" else "ieee"):
        measured = timer.blocked_autorange(min_run_time=1.0)
    return 2 * side**3 / min(measured.times)


@contextmanager
def _matmul_in(arithmetic: str) -> Iterator[None]:
    matmul = torch.backends.cuda.matmul
    before = matmul.fp32_precision
    matmul.fp32_precision = arithmetic
    try:
        yield
    finally:
        matmul.fp32_precision = before
