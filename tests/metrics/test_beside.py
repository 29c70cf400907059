"""Figures of a run by class, by code and beside its training images, and the picture of neighbors."""

import json
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from numbered import Judge, Numbered
from PIL import Image
from shared import Command
from test_evaluate import copied  # a fixture  # noqa: F401
from torch import Tensor, nn

import ganzoo
from ganzoo.data.dataset import Split
from ganzoo.data.load import load_some
from ganzoo.metrics.evaluate import data_of, ready_for
from ganzoo.metrics.evaluation import NEAREST
from ganzoo.metrics.neighbors import nearest_ratio
from ganzoo.plugins import zoo
from ganzoo.runs.folder import RunFolder

RUN: dict[str, Any] = {"image_size": 16, "batch_size": 8, "epochs": 1}


class Album(ganzoo.Generator):
    """Labels, or numbers, to images of its own: as many as it was given."""

    def __init__(self, shape: tuple[int, int, int], count: int) -> None:
        super().__init__()
        self.images = nn.Parameter(torch.zeros(count, *shape))

    def forward(self, number: Tensor) -> Tensor:
        return self.images[number % len(self.images)]


class OneEach(Numbered):
    """Classes to one image of each."""

    name = "one-each"

    def networks(self, data: ganzoo.DataSpec) -> ganzoo.Networks:
        return ganzoo.Networks(generator=Album(data.shape, 10), discriminator=Judge())


class Coded(ganzoo.Adversarial):
    """Noise with a code to images; the code alone counts."""

    name = "coded"

    def noise_shape(self) -> tuple[int, ...]:
        return (14,)

    @property
    def codes(self) -> tuple[ganzoo.Code, ...]:
        return ganzoo.Continuous("slant", 0), ganzoo.Category("kind", 1, 3), ganzoo.Category("digit", 4, 10)

    def networks(self, data: ganzoo.DataSpec) -> ganzoo.Networks:
        return ganzoo.Networks(generator=Album(data.shape, 10), discriminator=Judge())

    def generate(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> ganzoo.Batch:
        return batch.replace(fake=nets.generator(self.codes[2].read(batch.noise)))


def album(trained: ganzoo.TrainedGAN) -> Tensor:
    """The images that a generator has."""
    return cast("Album", trained.nets.generator).images


def filled(gan: type[ganzoo.GAN], place: Path, split: Split = "test") -> ganzoo.TrainedGAN:
    """A run whose generator's images are ten real ones, of each class the first that is recognised."""
    trained = ganzoo.run(gan, limit=64, out=place / gan.name, **RUN)
    columns = load_some(data_of(RunFolder(place / gan.name)), frozenset({"image", "label"}), split, 200).columns
    images = columns["image"].float() / 127.5 - 1
    with torch.no_grad():
        seen = zoo().extractors["digits"]().build(place)(images)[1].argmax(1)
        right = [(seen == label) & (columns["label"] == label) for label in range(10)]
        album(trained).copy_(torch.stack([images[each][0] for each in right]))
    return trained


def test_one_image_for_each_class_is_right_and_not_various(place: Path) -> None:
    trained = filled(OneEach, place)
    line = ganzoo.evaluate(trained, metric=["class-accuracy", "class-variety", "confidence"], samples=200)
    assert line["figures"]["class-accuracy"] == 1
    assert line["figures"]["class-variety"] == pytest.approx(0, abs=1e-6)
    assert line["figures"]["confidence"] > 0.5
    usual = ganzoo.evaluate(trained, samples=100)["figures"]
    assert {"class-accuracy", "class-variety"} < usual.keys()
    assert usual.keys().isdisjoint({"code-purity", "class-fid", "color-frechet", "nearest-ratio"})


def test_classes_are_asked_for_in_turn_where_more_images_are_made(place: Path) -> None:
    trained = filled(OneEach, place)
    line = ganzoo.evaluate(trained, metric=["class-accuracy", "class-fid"], samples=300, reals=150)
    assert line["figures"]["class-accuracy"] == 1
    ready = ready_for(trained, {"metric": "class-accuracy", "samples": 300, "reals": 150})
    assert ready.labels is not None
    _, asked = ready._groups(ready.metrics[0])  # type: ignore[arg-type]  # the only one is of groups
    assert torch.equal(asked, torch.cat([ready.labels, ready.labels]))


def test_a_code_that_means_the_digit_is_pure_and_another_is_not(place: Path) -> None:
    trained = filled(Coded, place)
    line = ganzoo.evaluate(trained, metric=["code-purity:code=digit", "code-accuracy:code=digit"], samples=100)
    assert line["figures"] == {"code-purity": 1, "code-accuracy": 1}
    assert line["protocol"]["metrics"]["code-purity"] == {"code": "digit"}
    other = ganzoo.evaluate(trained, samples=300)["figures"]
    assert other["code-purity"] < 0.3, "the first categorical code, which the images do not depend on"
    assert other["code-accuracy"] <= other["code-purity"]
    with pytest.raises(ganzoo.UserError, match="no categorical code of coded is called 'digits'; did you mean 'digit'"):
        ganzoo.evaluate(trained, metric="code-purity:code=digits", samples=100)


def test_a_generator_of_training_images_is_found_out(place: Path) -> None:
    trained = filled(OneEach, place, "train")
    folder = place / "one-each"
    train = load_some(data_of(RunFolder(folder)), frozenset({"image"}), "train", 64).columns["image"]
    with torch.no_grad():
        album(trained).copy_(train[:10].float() / 127.5 - 1)
    ready = ready_for(trained, {"samples": 100, "nearest": 3})
    figures = ready.measure(trained.nets)
    assert figures["nearest-ratio"] == pytest.approx(0, abs=1e-3)
    assert ready.neighbors is not None
    assert ready.neighbors.nearest.shape == (3, NEAREST, 1, 16, 16)
    torch.testing.assert_close(ready.neighbors.nearest[:, 0], ready.neighbors.samples)
    assert "nearest-ratio" in ready.protocol.metrics


def test_the_ratio_is_that_of_the_features_of_what_was_trained_on(place: Path) -> None:
    trained = filled(OneEach, place)
    ready = ready_for(trained, {"metric": "nearest-ratio", "samples": 50, "reals": 80})
    found = ready.measure(trained.nets)["nearest-ratio"]
    assert ready.trained_on is not None
    assert len(ready.trained_on) == 64, "the run's limit"
    digits = zoo().extractors["digits"]().build(place)
    made = torch.cat([images for _, images in ready._made(trained.nets)])
    parts = ready.trained_on.float() / 127.5 - 1, ready.columns["image"].float() / 127.5 - 1, made
    with torch.no_grad():
        assert found == pytest.approx(nearest_ratio(*(digits(part)[0] for part in parts)), rel=1e-4)


def test_nearest_training_images_are_shown_in_the_run_folder(
    command: Command,
    copied: Path,  # noqa: F811 - the fixture
) -> None:
    answer = command(*["evaluate", "dcgan", "--samples", "70", "--metric", "fid", "--nearest", "4", "--json"])
    assert answer.status == 0, answer.err
    assert json.loads(answer.out)["figures"].keys() == {"fid", "nearest-ratio"}
    with Image.open(copied / "dcgan" / "nearest.png") as picture:
        width, height = picture.size
    assert width > (NEAREST + 2) * 16 > height > 4 * 16
