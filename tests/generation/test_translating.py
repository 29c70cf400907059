"""What is asked of `translate` is looked at before anything is made; and what there is no way to ask for is said."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor
from toys import SIZE, ToyDiscriminator, ToyTranslator

import ganzoo
from ganzoo.testing import check_gan


class Starred(ganzoo.TwoPlayer):
    """StarGAN's shape: images of a class from other images."""

    name = "toy-star"
    needs = frozenset({"source", "target", "label"})
    real = "target"

    def networks(self, data: ganzoo.DataSpec) -> ganzoo.Networks:
        return ganzoo.Networks(generator=ToyTranslator(), discriminator=ToyDiscriminator())

    def generate(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> ganzoo.Batch:
        return batch.replace(fake=nets.generator(batch.source + 0.01 * batch.label.view(-1, 1, 1, 1)))

    def players(self) -> Sequence[ganzoo.Player]:
        return super().players()


class Plain(Starred):
    """Images from images alone."""

    name = "toy-plain"
    needs = frozenset({"source", "target"})

    def generate(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> ganzoo.Batch:
        return batch.replace(fake=nets.generator(batch.source))


SHAPE = (1, SIZE, SIZE)
SOURCES = torch.rand(3, *SHAPE) * 2 - 1


def trained(gan: ganzoo.GAN) -> ganzoo.TrainedGAN:
    data = ganzoo.DataSpec(
        dataset="x", shapes={"source": SHAPE, "target": SHAPE, **({"label": ()} if "label" in gan.needs else {})}
    )
    return ganzoo.TrainedGAN(Path(), gan, data, gan.networks(data).eval())


@pytest.mark.parametrize(
    ("images", "asked", "message"),
    [
        (SOURCES, {"batch_size": 0}, "option 'batch_size' cannot be 0: it must be at least 1"),
        (SOURCES, {"seed": -1}, "option 'seed' cannot be -1: it must be at least 0"),
        (SOURCES, {"seed": "a"}, "option 'seed' cannot be 'a': it must be a whole number"),
        (SOURCES[:0], {}, "option 'images' holds no image to translate; give at least one"),
        (SOURCES[:, :, 1:], {}, "images of shape"),
    ],
)
def test_what_cannot_be_translated_is_said(images: Tensor, asked: dict[str, Any], message: str) -> None:
    with pytest.raises(ganzoo.UserError, match=message):
        trained(Plain()).translate(images, **asked)


@pytest.mark.parametrize("asked", [{"batch_size": 0}, {"seed": 1.5}])
def test_pictures_are_refused_at_once(asked: dict[str, Any]) -> None:
    with pytest.raises(ganzoo.UserError, match=f"option '{next(iter(asked))}' cannot be"):
        trained(Plain()).translate_pictures([Image.new("L", (9, 9))], **asked)


def test_that_there_is_no_translating_with_classes_is_said_by_all() -> None:
    said = "'toy-star' makes images from images and classes, and there is no translating with these yet"
    star = trained(Starred())
    for ask in (
        lambda: star.translate(SOURCES),
        lambda: star.translate_pictures([Image.new("L", (9, 9))]),
        lambda: star.generate(2),
    ):
        with pytest.raises(ganzoo.UserError, match=said):
            ask()
    with pytest.raises(AssertionError, match=f"^{said}"):
        check_gan(Starred, SHAPE)
