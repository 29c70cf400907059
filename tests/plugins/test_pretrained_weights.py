"""The trained weights that ship with ganzoo: each is whole, makes images, has a picture, figures and a card."""

from pathlib import Path

import ganzoo_pretrained
import pytest
import torch
from PIL import Image

import ganzoo
from ganzoo.exports import summary
from ganzoo.plugins import zoo
from ganzoo.runs.listing import size_of
from ganzoo.runs.locate import locate

MOST = 40_000_000
"""Bytes of all of them together."""
SHIPPED = sorted(name for name in zoo().pretrained if zoo().pretrained.origins[name].builtin)


def images(trained: ganzoo.TrainedGAN, count: int) -> torch.Tensor:
    if trained.takes_images:
        sources = torch.rand(count, *trained.data.source_shape, generator=torch.Generator().manual_seed(0))
        return trained.translate(sources * 2 - 1)
    return trained.generate(count, text="pizza" if trained.takes_text else None)


def test_all_together_are_small() -> None:
    folder = Path(ganzoo_pretrained.__file__).parent
    assert size_of(folder) < MOST
    exports = [path.parent.name for path in folder.glob("*/export.json")]
    assert sorted(exports) == SHIPPED, "each folder is registered under its own name"


@pytest.mark.parametrize("name", SHIPPED)
def test_it_is_whole_and_makes_images(name: str, place: Path) -> None:
    assert locate(name) == zoo().pretrained[name].folder, "its checksums are right"
    trained = ganzoo.load(name, device="cpu")
    made = images(trained, 4)
    assert made.shape[0] == 4
    assert made.isfinite().all()
    assert made.abs().max() <= 1.001
    assert made.std() > 0.05, "it makes something"
    assert torch.equal(made, images(trained, 4)), "and the same again"


@pytest.mark.parametrize("name", SHIPPED)
def test_it_says_what_it_is(name: str) -> None:
    found = summary(zoo().pretrained[name])
    assert found.installed is not None
    assert found.installed.name in zoo().gans
    assert found.figures, "run `ganzoo evaluate` before the export"
    assert found.command, "how it was made"
    assert found.precision == "float16", "export it with --half"
    card = found.card.read_text(encoding="utf-8")
    assert 'license: "unknown"' not in card, "export it with --licence"
    assert found.picture is not None
    with Image.open(found.picture) as picture:
        assert min(picture.size) >= 32
        assert len(picture.convert("RGB").getcolors(2**24) or ()) > 10
