"""Our engine against other loops that do the same work, in turn. Ratios are measured here, not tested."""

from concurrent.futures import ProcessPoolExecutor
from typing import get_args

import pytest
from ganzoo_bench.duel import against_eager, duel
from ganzoo_bench.measure import Measure
from ganzoo_bench.setting import Setting, bare_engine, train, train_on

from benchmarks.peak import record_share_of_peak
from benchmarks.reference import Part, Work, seconds_per_iteration
from ganzoo.engine.training import Training

PRECISIONS = {"default": "auto", "fp32": "fp32"}


def needs_cuda(setting: Setting, why: str) -> None:
    if setting.device.type != "cuda":
        pytest.skip(f"on CUDA only: {why}")


def against_reference(measure: Measure, process: ProcessPoolExecutor, training: Training, part: Part) -> None:
    """A training against the reference loop of the same GAN, which runs in a process of its own."""
    options, batch = training.options, training.batches[0]
    strict = options.precision == "fp32"
    work = Work(measure.setting, options.gan.name, options.image_size[0], options.batch_size, strict)
    if part == "step-only":
        training.engine = bare_engine(training)

    def ours(iterations: int) -> None:
        if part == "step-only":
            train_on(training.engine, batch, iterations)
        else:
            train(training, iterations)

    def reference(iterations: int) -> float:
        return process.submit(seconds_per_iteration, work, part, iterations).result()

    duel(measure, training, ours, reference)
    record_share_of_peak(measure, training)


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
    training = measure.setting.training("dcgan", recipe="chapter", **given)
    against_reference(measure, reference_process, training, part)


@pytest.mark.parametrize("arithmetic", PRECISIONS)
@pytest.mark.parametrize("batch_size", [1, 16])
def test_pix2pix(measure: Measure, reference_process: ProcessPoolExecutor, batch_size: int, arithmetic: str) -> None:
    """At 256x256 against a plain loop, step only."""
    if batch_size > 1:
        needs_cuda(measure.setting, "a processor takes the better part of a minute for a batch of 16")
    given = {"image_size": 256, "batch_size": batch_size, "precision": PRECISIONS[arithmetic], "limit": batch_size}
    training = measure.setting.training("pix2pix", recipe="chapter", **given)
    against_reference(measure, reference_process, training, "step-only")


@pytest.mark.parametrize("batch_size", [1, 4, 16, 64])
def test_peak(measure: Measure, batch_size: int) -> None:
    """The share of the bf16 peak that Pix2Pix reaches at 256x256, step only."""
    needs_cuda(measure.setting, "the goal is a share of what its matrix units can do")
    given = {"image_size": 256, "batch_size": batch_size, "precision": "bf16", "limit": batch_size}
    training = measure.setting.training("pix2pix", recipe="chapter", **given)
    training.engine, batch = bare_engine(training), training.batches[0]
    measure.training(training, lambda: train_on(training.engine, batch, training.engine.cycle))
    record_share_of_peak(measure, training)


def test_captured(measure: Measure) -> None:
    """WGAN-GP, which differentiates twice, as captured graphs against our own eager mode, step only."""
    needs_cuda(measure.setting, "nothing is captured on a processor")
    training = measure.setting.training("wgan-gp", image_size=64, batch_size=64)
    against_eager(measure, training)
    record_share_of_peak(measure, training)
