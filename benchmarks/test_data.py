"""Data: loading it, which must cost as much for each image however many there are, and putting batches together."""

import itertools
from pathlib import Path

import pytest
from ganzoo_bench.measure import Measure
from ganzoo_bench.setting import Setting
from torchvision.transforms.functional import to_pil_image

from ganzoo.data.load import load
from ganzoo.options.run import resolve
from ganzoo.plugins import zoo

ROWS = {"mnist": 60_000, "openmoji": 1_733, "folder": 1_024}
SHARES = (16, 4, 1)
"""Of which one part is loaded: 1x, 4x and 16x the images."""


@pytest.fixture(scope="session")
def folder(setting: Setting, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """PNG files of 256 x 256 pixels in colour."""
    made, count = tmp_path_factory.mktemp("images"), 8 if setting.smoke else ROWS["folder"]
    options = resolve(zoo().gan("pix2pix"), {"image_size": 256, "limit": count})
    pictures = load(options, frozenset({"target"}), folder=setting.data).streams[0]["target"]
    for number, pixels in enumerate(pictures):
        to_pil_image(pixels).save(made / f"{number:04}.png")
    return made


@pytest.mark.parametrize("part", SHARES)
@pytest.mark.parametrize("dataset", ROWS)
def test_loading(measure: Measure, folder: Path, dataset: str, part: int) -> None:
    """From files to uint8 tensors in memory, at 64x64."""
    data = f"folder:{folder}" if dataset == "folder" else dataset
    options = measure.setting.options("dcgan", data=data, image_size=64, limit=ROWS[dataset] // part)

    def work() -> None:
        load(options, frozenset({"image"}), folder=measure.setting.data)

    images = options.limit or 0
    measure.record(images=images)
    measure.images(images, work)


@pytest.mark.parametrize(("gan", "batch_size"), [("dcgan", 32), ("dcgan", 1024), ("pix2pix", 1), ("pix2pix", 16)])
def test_batches(measure: Measure, gan: str, batch_size: int) -> None:
    """A batch on the device, noise and all, from data in memory."""
    training = measure.setting.training(gan, recipe="chapter", batch_size=batch_size)
    numbers = itertools.count()
    measure.describe(training.options)
    measure.images(training.options.batch_size, lambda: training.batches[next(numbers)], warm_up=2)
