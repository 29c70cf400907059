"""Our engine against other loops that do the same work, in turn. Ratios are measured here, not tested."""

from concurrent.futures import ProcessPoolExecutor
from typing import get_args

import pytest
from ganzoo_bench.duel import against_eager, duel
from ganzoo_bench.measure import Measure
from ganzoo_bench.setting import Setting, bare_engine, train, train_on

from benchmarks.peak import record_share_of_peak
from benchmarks.reference import Part, Work, seconds_per_iteration
from ganzoo.training.trainer import Trainer

PRECISIONS = {"default": "auto", "fp32": "fp32"}


def needs_cuda(setting: Setting, why: str) -> None:
    if setting.device.type != "cuda":
        pytest.skip(f"on CUDA only: {why}")


def against_reference(measure: Measure, process: ProcessPoolExecutor, trainer: Trainer, part: Part) -> None:
    """A training against the reference loop of the same GAN, which runs in a process of its own."""
    options, batch = trainer.options, trainer.batches[0]
    strict = options.precision == "fp32"
    work = Work(measure.setting, options.gan.name, options.image_size[0], options.batch_size, strict)
    if part == "step-only":
        trainer.engine = bare_engine(trainer)

    def ours(iterations: int) -> None:
        if part == "step-only":
            train_on(trainer.engine, batch, iterations)
        else:
            train(trainer, iterations)

    def reference(iterations: int) -> float:
        return process.submit(seconds_per_iteration, work, part, iterations).result()

    duel(measure, trainer, ours, reference)
    record_share_of_peak(measure, trainer)


@pytest.mark.parametrize("part", get_args(Part))
@pytest.mark.parametrize("arithmetic", PRECISIONS)
@pytest.mark.parametrize("batch_size", [32, 1024])
def test_dcgan(
    measure: Measure, reference_process: ProcessPoolExecutor, batch_size: int, arithmetic: str, part: Part
) -> None:
    """At 64x64 against the chapter's loop."""
    if batch_size > 32:
        needs_cuda(measure.setting, "a processor takes the better part of a minute for a batch of 1024")
    given = {"image_size": 64, "batch_size": batch_size, "precision": PRECISIONS[arithmetic]}
    trainer = measure.setting.training("dcgan", recipe="chapter", **given)
    against_reference(measure, reference_process, trainer, part)


@pytest.mark.parametrize("arithmetic", PRECISIONS)
@pytest.mark.parametrize("batch_size", [1, 16])
def test_pix2pix(measure: Measure, reference_process: ProcessPoolExecutor, batch_size: int, arithmetic: str) -> None:
    """At 256x256 against a plain loop, step only."""
    if batch_size > 1:
        needs_cuda(measure.setting, "a processor takes the better part of a minute for a batch of 16")
    given = {"image_size": 256, "batch_size": batch_size, "precision": PRECISIONS[arithmetic], "limit": batch_size}
    trainer = measure.setting.training("pix2pix", recipe="chapter", **given)
    against_reference(measure, reference_process, trainer, "step-only")


@pytest.mark.parametrize("batch_size", [1, 4, 16, 64])
def test_peak(measure: Measure, batch_size: int) -> None:
    """The share of the bf16 peak that Pix2Pix reaches at 256x256, step only."""
    needs_cuda(measure.setting, "the goal is a share of what its matrix units can do")
    given = {"image_size": 256, "batch_size": batch_size, "precision": "bf16", "limit": batch_size}
    trainer = measure.setting.training("pix2pix", recipe="chapter", **given)
    trainer.engine, batch = bare_engine(trainer), trainer.batches[0]
    measure.training(trainer, lambda: train_on(trainer.engine, batch, trainer.engine.cycle))
    record_share_of_peak(measure, trainer)


def test_captured(measure: Measure) -> None:
    """WGAN-GP, which differentiates twice, as captured graphs against our own eager mode, step only."""
    needs_cuda(measure.setting, "nothing is captured on a processor")
    trainer = measure.setting.training("wgan-gp", image_size=64, batch_size=64)
    against_eager(measure, trainer)
    record_share_of_peak(measure, trainer)
