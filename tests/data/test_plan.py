"""What a GAN needs, out of what a data set has: a few labels beside all images, and what is told of it."""

import json
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from pydantic import Field
from shared import Command
from streams import Streamed
from torch import Tensor, nn

import ganzoo
from ganzoo.config import validate
from ganzoo.data.load import DataOptions, describe, load
from ganzoo.data.plan import few_labels, made_of, suitable
from ganzoo.errors import DataError
from ganzoo.testing import check_gan

SEMI = frozenset({"image", "labelled_image", "label"})
GROUPS = (frozenset({"labelled_image", "label"}),)


class Uneven(ganzoo.Dataset):
    """A thousand images that are numbers, of four classes, the last of which has three members."""

    name = "uneven"
    provides = frozenset({"image", "label"})
    channels = 1
    classes = tuple("abcd")
    rows: int = 1000

    def load(self, request: ganzoo.DataRequest) -> ganzoo.InMemoryData:
        numbers = torch.tensor(request.rows(self.rows))
        labels = torch.where(numbers % 400 == 7, 3, numbers % 3)
        images = torch.stack([numbers % 256, numbers // 256, labels], 1).to(torch.uint8)
        images = images[:, None, None].expand(-1, 1, 3, 3)
        return ganzoo.InMemoryData({"image": images, "label": labels}, self.classes)


class WithTest(Uneven):
    """The same with a test split."""

    name = "with-test"
    splits = frozenset({"train", "test"})


def options(data: object = None, **values: object) -> DataOptions:
    return validate(DataOptions, {"data": data or Uneven(), "image_size": 3, "batch_size": 4} | values)


def labelled(images: Tensor) -> Tensor:
    """The label that is written in each image."""
    return images[:, 0, 0, 2].long()


def test_a_few_labels_beside_all_images() -> None:
    data = load(options(labels=40), SEMI, GROUPS)
    everything, few = data.streams
    assert {name: len(column) for name, column in everything.items()} == {"image": 1000}
    assert {name: len(column) for name, column in few.items()} == {"labelled_image": 40, "label": 40}
    assert torch.equal(labelled(few["labelled_image"]), few["label"])
    assert few["label"].bincount().tolist() == [13, 12, 12, 3]  # 37 for the three others
    assert data.spec == describe(options(labels=40), SEMI)
    assert data.spec.classes == tuple("abcd")
    again = load(options(labels=40), SEMI, GROUPS).streams[1]
    assert torch.equal(again["labelled_image"], few["labelled_image"])


def test_labelled_rows_are_spread_over_the_data() -> None:
    few = load(options(labels=40), SEMI, GROUPS).streams[1]["labelled_image"][:, 0, 0].long()
    rows = few[:, 0] + 256 * few[:, 1]
    assert rows.tolist() == sorted(set(rows.tolist()))
    assert rows.float().histc(4, 0, 1000).min() >= 8


def test_as_many_labels_as_images() -> None:
    few = load(options(labels=1000), SEMI, GROUPS).streams[1]
    assert torch.equal(few["label"], load(options(), SEMI - {"labelled_image"}).streams[0]["label"])
    for most in (200, 1000):
        assert len(load(options(limit=200, labels=most), SEMI, GROUPS).streams[1]["label"]) == 200


@pytest.mark.parametrize("data", [Uneven(), WithTest()])
def test_the_preview_needs_no_choice(data: ganzoo.Dataset) -> None:
    preview = load(options(data, labels=100), SEMI, GROUPS).preview
    assert {name: len(column) for name, column in preview.items()} == dict.fromkeys(SEMI, 25)
    assert torch.equal(labelled(preview["labelled_image"]), preview["label"])


def test_a_real_data_set() -> None:
    few = load(options("mnist", image_size=28, limit=3000), SEMI, GROUPS).streams[1]
    assert few["label"].bincount().tolist() == [10] * 10


REFUSED = [
    ({"labels": 3}, r"3 labelled images are too few for the 4 classes of 'uneven'; try --labels 4 or more"),
    ({"data": Streamed(), "image_size": 2}, r"in one order, but the GAN wants label, labelled_image in an order of"),
    ({"data": "pairs:x"}, r"'pairs' has no label; .*data sets that have: .*folder:PATH, mnist, openmoji"),
]


@pytest.mark.parametrize(("values", "message"), REFUSED, ids=str)
def test_labels_that_cannot_be_had(values: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        load(options(**values), SEMI, GROUPS)
    assert "\n" not in str(caught.value)


def test_classes_that_no_image_has_need_no_label() -> None:
    labels = torch.tensor([5, 0, 5, 0])
    few = few_labels({"labelled_image": labels, "label": labels}, 2, "name")
    assert few["label"].tolist() == [5, 0]


def test_what_is_told_of_it(command: Command) -> None:
    assert "mnist" in suitable(SEMI)
    assert not {"pairs:PATH", "shards:PATH"} & {*suitable(SEMI)}
    assert made_of(Uneven) == {"source, target": "--as", "labelled_image": "--labels"}
    rows = {row["name"]: row for row in json.loads(command("datasets", "--json").out)}
    assert rows["mnist"]["can be made"] == "source, target by --as; labelled_image by --labels"
    assert rows["pairs:PATH"]["can be made"] == ""
    told = command("info", "pix2pix").out
    assert (
        "data with source, target: openmoji, pairs:PATH, shards:PATH; with --as edges, grey, lowres or masked" in told
    )
    assert "--as.place" not in told
    assert "--labels" in told
    help_text = command("run", "pix2pix", "--help").out
    assert "--as " in help_text
    assert "--as_" not in help_text


def test_adaptors_on_the_command_line(command: Command) -> None:
    small = "--image-size 32 --limit 4 --batch-size 2 --epochs 1 --out run"
    line = f"run pix2pix --data mnist --as masked --as.place random --as.size 9 {small}".split()
    assert command(*line).status == 0
    assert command("resume", "run", "--epochs", "2").status == 0
    answer = command(*f"run pix2pix --data mnist --as edges {small}".split())
    assert answer.status == 2
    assert "its as.kind is masked, not edges" in answer.err


class Enlarger(ganzoo.Generator):
    def __init__(self, scale: int, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, channels * scale**2, 3, padding=1), nn.PixelShuffle(scale), nn.Tanh()
        )

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images)


class Judge(ganzoo.Discriminator):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Conv2d(channels, 1, 4, 4)

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images)


class ToySuperResolution(ganzoo.TwoPlayer):
    """SRGAN's shape: how much larger is an option."""

    name = "toy-super"
    needs = frozenset({"source", "target"})
    real: ClassVar[str] = "target"
    recipes = {"paper": {"as_": "lowres"}}
    scale: int = Field(4, description="how much larger")

    @property
    def scale_factor(self) -> int:
        return self.scale

    def networks(self, data: ganzoo.DataSpec) -> ganzoo.Networks:
        channels = data.shape[0]
        return ganzoo.Networks(generator=Enlarger(self.scale, channels), discriminator=Judge(channels))

    def generate(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> ganzoo.Batch:
        return batch.replace(fake=nets.generator(batch.source))


def test_a_gan_that_enlarges(place: Path) -> None:
    check_gan(ToySuperResolution, (3, 32, 64))
    trained = ganzoo.run(
        ToySuperResolution, data="mnist", image_size=16, limit=8, batch_size=4, epochs=1, scale=2, out="run"
    )
    assert trained.data.shapes == {"source": (1, 8, 8), "target": (1, 16, 16)}
    assert trained.translate(torch.zeros(1, 1, 8, 8)).shape == (1, 1, 16, 16)
    with pytest.raises(DataError, match=r"multiples of 4; try --image-size 16x16 or 20x20"):
        ganzoo.run(ToySuperResolution, data="mnist", image_size=18, limit=8, batch_size=4, epochs=1, out="other")
