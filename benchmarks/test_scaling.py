"""How the speed of training changes with the batch, the images, the amount of data, and processes side by side."""

import os

import pytest
import torch
from ganzoo_bench.measure import Measure
from ganzoo_bench.setting import train

from benchmarks.processes import processes, train_here

FOR_GPUS = "on CUDA only: a processor takes the better part of a minute for one iteration"


def training(measure: Measure, **given: object) -> None:
    """Times DCGAN from end to end."""
    ready = measure.setting.training("dcgan", **given)
    measure.training(ready, lambda: train(ready, ready.engine.cycle))


@pytest.mark.parametrize("batch_size", [1, 4, 16, 64, 256, 1024])
def test_batch_size(measure: Measure, batch_size: int) -> None:
    """At 64x64."""
    if batch_size > 64 and measure.setting.device.type == "cpu":
        pytest.skip(FOR_GPUS)
    training(measure, batch_size=batch_size, limit=4096)


@pytest.mark.parametrize("image_size", [16, 32, 64, 128, 256])
def test_image_size(measure: Measure, image_size: int) -> None:
    """In batches of 32."""
    if image_size > 128 and measure.setting.device.type == "cpu":
        pytest.skip(FOR_GPUS)
    training(measure, image_size=image_size, limit=1024)


@pytest.mark.parametrize("times", [1, 4, 16])
def test_amount_of_data(measure: Measure, times: int) -> None:
    """At 32x32: images/s should stay what they are."""
    measure.record(images=3750 * times)
    training(measure, image_size=32, limit=3750 * times)


@pytest.mark.parametrize("count", [1, 2, 4])
def test_processes(measure: Measure, count: int) -> None:
    """One training at 64x64 by several processes, 32 images in each, that share the cores: images/s of all together."""
    if count > (os.cpu_count() or 1):
        pytest.skip(f"on machines of at least {count} cores")
    if measure.setting.device.type == "cuda" and count > torch.cuda.device_count():
        pytest.skip(f"on machines of at least {count} GPUs")
    setting = measure.setting
    iterations = 1 if setting.smoke else 4 if setting.device.type == "cpu" else 200
    given = (("limit", 1024), ("batch_size", 32 * count))
    options = setting.options("dcgan", **dict(given))
    measure.describe(options)
    with processes(count, dict(os.environ)) as pools:

        def work() -> None:
            running = [pool.submit(train_here, setting, "dcgan", given, iterations) for pool in pools]
            for training in running:
                training.result()

        measure.images(iterations * options.batch_size, work, warm_up=2, here=False)
