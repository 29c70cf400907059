"""Pairs out of any images: what each adaptor draws, and that it draws the same however an image is read."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from streams import Streamed
from torch import Tensor

import ganzoo
from ganzoo.config import validate
from ganzoo.data.load import DataOptions, describe, load
from ganzoo.data.pair_transforms import CHUNK, HOLE, Edges, Grey, LowRes, Masked, PairTransform, in_chunks, reduced
from ganzoo.data.stream_loader import StreamLoader
from ganzoo.errors import DataError, OptionError, UnknownName

PAIR = frozenset({"source", "target"})
PAIRING = [adaptor() for adaptor in PairTransform.choices().values() if adaptor.makes_pairs]


class Squares(ganzoo.Dataset):
    """Forty images with a square each, of another colour and at another place: nothing but images."""

    name = "squares"
    provides = frozenset({"image"})
    depth: int | None = None

    def load(self, request: ganzoo.DataRequest) -> ganzoo.InMemoryData:
        height, width = request.size
        images = torch.zeros(40, self.depth or request.channels, height, width, dtype=torch.uint8)
        for row, image in enumerate(images):
            top = row * (height // 2) // 40
            image[:, top : top + height // 2, : width // 2] = 100 + row
        return ganzoo.InMemoryData({"image": images[torch.tensor(request.rows(40))]})


def options(**values: object) -> DataOptions:
    return validate(DataOptions, {"data": Squares(), "image_size": 16, "batch_size": 4} | values)


def square(channels: int = 3, side: int = 32) -> Tensor:
    images = torch.zeros(2, channels, side, side, dtype=torch.uint8)
    images[0, :, side // 4 : -side // 4, side // 4 : -side // 4] = 255
    return images


def noise(channels: int = 3) -> Tensor:
    return torch.randint(256, (5, channels, 16, 24), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("adaptor", PAIRING, ids=lambda adaptor: adaptor.kind)
def test_a_source_has_its_images_shape_and_depends_on_its_image_alone(adaptor: PairTransform, channels: int) -> None:
    images = noise(channels)
    kept = images.clone()
    sources = adaptor.sources(images)
    assert (sources.dtype, sources.shape) == (torch.uint8, images.shape)
    assert torch.equal(images, kept)
    assert channels == 1 or not torch.equal(sources, images)
    for row in range(len(images)):
        assert torch.equal(adaptor.sources(images[row : row + 1])[0], sources[row])
    assert adaptor.sources(images[:, :, :1, :1]).shape == (5, channels, 1, 1)


def test_edges_are_dark_lines_on_white() -> None:
    images = square()
    drawn = Edges().sources(images)
    assert (drawn[1] == 255).all()  # where there is nothing, there are no lines
    assert (drawn[0, :, 16, 16], drawn[0, :, 2, 2]) == pytest.approx((255, 255))
    assert (drawn[0, :, 16, 8] == 0).all()
    assert (drawn[0, :, 8, 16] == 0).all()
    assert torch.equal(drawn[0], drawn[0].flip(1))
    faint = images // 16  # 15 of 255
    assert (Edges().sources(faint) == 255).all()
    assert (Edges(threshold=0.01, softness=0).sources(faint)[0, 0, 16, 8]) == 0
    hard = Edges(softness=0).sources(noise())
    assert set(hard.unique().tolist()) <= {0, 255}


def test_edges_see_what_opacity_hides() -> None:
    images = torch.cat([noise(3), torch.zeros(5, 1, 16, 24, dtype=torch.uint8)], 1)
    assert (Edges().sources(images) == 255).all()


def test_grey_is_the_grey_of_pillow_in_as_many_channels() -> None:
    images = noise(4)
    grey = Grey().sources(images)
    pillow = Image.fromarray(images[0, :3].permute(1, 2, 0).numpy()).convert("L")
    expected = torch.frombuffer(bytearray(pillow.tobytes()), dtype=torch.uint8).view(16, 24)
    for channel in range(3):
        assert torch.equal(grey[0, channel], expected)
    assert torch.equal(grey[:, 3], images[:, 3])


def test_lowres_loses_detail_and_nothing_else() -> None:
    checks = (torch.arange(16)[:, None] + torch.arange(24)).remainder(2).mul(255).to(torch.uint8)
    flat = LowRes(factor=2).sources(checks.expand(1, 3, 16, 24))
    assert (flat - 128).abs().max() <= 1
    plain = torch.full((1, 3, 16, 24), 77, dtype=torch.uint8)
    assert torch.equal(LowRes(factor=8).sources(plain), plain)
    errors = [(LowRes(factor=factor).sources(noise()).float() - noise().float()).abs().mean() for factor in (2, 4, 8)]
    assert errors == sorted(errors)
    assert torch.equal(LowRes().sources(noise()), LowRes(factor=4).sources(noise()))


def test_masked_has_a_hole_of_one_grey() -> None:
    images = noise()
    centre = Masked().sources(images)
    assert (centre[:, :, 4:12, 6:18] == HOLE).all()
    assert torch.equal(centre[:, :, :4], images[:, :, :4])
    whole = Masked(size=16).sources(images)
    assert (whole[..., 4:20] == HOLE).all()
    assert torch.equal(whole[..., :4], images[..., :4])


def test_a_random_hole_follows_from_the_image() -> None:
    images = torch.randint(128, 256, (300, 1, 6, 9), dtype=torch.uint8)
    masked = Masked(place="random", size=4).sources(images)
    holes = masked == HOLE
    assert (holes.sum((1, 2, 3)) == 16).all()
    corners = {(int(hole[0].any(1).int().argmax()), int(hole[0].any(0).int().argmax())) for hole in holes}
    assert corners == {(top, left) for top in range(3) for left in range(6)}
    order = torch.randperm(300)
    assert torch.equal(Masked(place="random", size=4).sources(images[order]), masked[order])


def test_large_data_is_worked_on_in_parts() -> None:
    images = torch.arange(200, dtype=torch.uint8)[:, None, None, None].expand(200, 1, 256, 256)
    sizes: list[int] = []

    def half(chunk: Tensor) -> Tensor:
        sizes.append(len(chunk))
        return chunk[:, :, ::2, ::2] // 2

    assert torch.equal(in_chunks(half, images)[:, 0, 0, 0], torch.arange(200, dtype=torch.uint8) // 2)
    assert sizes[0] == CHUNK // 256**2
    assert sum(sizes) == 200


def test_reduced_by_area() -> None:
    images = torch.tensor([[0, 10, 1, 1], [20, 30, 1, 2]], dtype=torch.uint8).view(1, 1, 2, 4)
    assert reduced(images, 2).tolist() == [[[[15, 1]]]]


@pytest.mark.parametrize("adaptor", PAIRING, ids=lambda adaptor: adaptor.kind)
def test_any_images_become_pairs_both_ways_round(adaptor: PairTransform) -> None:
    asked = options(as_=adaptor.kind)
    data = load(asked, PAIR)
    pairs = data.streams[0]
    assert data.spec == describe(asked, PAIR)
    assert pairs["source"].shape == (40, 3, 16, 16)
    assert torch.equal(pairs["source"], adaptor.sources(pairs["target"]))
    assert torch.equal(data.preview["source"], adaptor.sources(data.preview["target"]))
    turned = load(options(as_=adaptor.kind, direction="backward"), PAIR).streams[0]
    assert torch.equal(turned["source"], pairs["target"])
    assert torch.equal(turned["target"], pairs["source"])


def test_streams_of_images_become_streams_of_pairs() -> None:
    asked = options(data=Streamed(), image_size=2, as_={"kind": "masked", "place": "random", "size": 1})
    data = load(asked, PAIR)
    assert data.stream is not None
    batches = {workers: StreamLoader(data.stream, 4, workers=workers) for workers in (0, 1)}
    batch = batches[0].draw(3)
    assert batch.keys() == {*PAIR, "step"}
    assert torch.equal(batch.source, asked.as_.sources(batch.target))
    assert {int((row == HOLE).sum()) for row in batch.source} == {3}
    assert torch.equal(batches[1].draw(3).source, batch.source)
    for supply in batches.values():
        supply.close()


def test_pairs_of_a_data_set_give_way_to_those_that_are_asked_for() -> None:
    data = load(
        validate(DataOptions, {"data": "openmoji", "image_size": 16, "limit": 8, "batch_size": 4, "as_": "grey"}), PAIR
    )
    pairs = data.streams[0]
    assert torch.equal(pairs["source"], Grey().sources(pairs["target"]))


@pytest.mark.parametrize("kind", ["edges", "lowres", "masked"])
def test_sources_smaller_than_targets(kind: str) -> None:
    asked = options(as_=kind)
    data, whole = load(asked, PAIR, scale_factor=4), load(asked, PAIR)
    assert data.spec == describe(asked, PAIR, 4)
    assert data.spec.shapes == {"source": (3, 4, 4), "target": (3, 16, 16)}
    assert torch.equal(data.streams[0]["target"], whole.streams[0]["target"])
    once = reduced(whole.streams[0]["target" if kind == "lowres" else "source"], 4)
    assert torch.equal(data.streams[0]["source"], once)
    assert torch.equal(data.preview["source"][0], data.streams[0]["source"][0])


def test_pairs_of_a_data_set_made_smaller() -> None:
    asked = options(data="openmoji", limit=8)
    data = load(asked, PAIR, scale_factor=2)
    assert torch.equal(data.streams[0]["source"], reduced(load(asked, PAIR).streams[0]["source"], 2))
    assert data.spec == describe(asked, PAIR, 2)


REFUSED: list[tuple[dict[str, Any], frozenset[str], int, str]] = [
    ({"as_": "edges"}, frozenset({"image"}), 1, r"--as edges makes pairs .* it needs image; leave --as out"),
    ({}, PAIR, 1, r"'squares' has no source, target; it has: image; .*; or make them .*: --as edges, grey, lowres or"),
    ({"as_": "grey"}, PAIR | {"label"}, 1, r"'squares' has no label; it has: image"),
    ({"as_": {"kind": "masked", "size": 80}}, PAIR, 1, r"a hole of 80 x 80 .* images of 16 x 16; try --as.size 8"),
    ({"as_": "lowres", "image_size": "18x30"}, PAIR, 4, r"multiples of 4; try --image-size 16x28 or 20x32"),
    ({"as_": "lowres", "image_size": 2}, PAIR, 4, r"multiples of 4; try --image-size 4x4$"),
    ({"as_": {"kind": "lowres", "factor": 2}}, PAIR, 4, r"enlarges by 4, not by 2; leave --as.factor out"),
    ({"as_": "lowres", "direction": "backward"}, PAIR, 2, r"cannot be turned round; leave --direction backward out"),
]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: str(case[0]))
def test_what_cannot_be_made_is_said_plainly(case: tuple[dict[str, Any], frozenset[str], int, str]) -> None:
    values, needs, scale_factor, message = case
    for function in (
        lambda: load(options(**values), needs, scale_factor=scale_factor),
        lambda: describe(options(**values), needs, scale_factor),
    ):
        with pytest.raises(DataError, match=message) as caught:
            function()
        assert "\n" not in str(caught.value)


def test_data_without_images_cannot_be_adapted() -> None:
    class Words(Squares):
        name = "words"
        provides = frozenset({"label"})

    with pytest.raises(DataError, match=r"'words' has no image; it has: label"):
        describe(options(data=Words(), as_="edges"), PAIR)


def test_images_of_five_channels() -> None:
    with pytest.raises(DataError, match=r"'squares' gives images of 5 channels; a GAN takes 1 \(gray\), 3"):
        load(options(data=Squares(depth=5)), frozenset({"image"}))


def test_options_of_adaptors() -> None:
    before = options(as_={"kind": "lowres", "factor": "8"})
    values = json.loads(json.dumps(before.model_dump(mode="json")))
    assert values["as_"] == {"kind": "lowres", "factor": 8}
    assert validate(DataOptions, {**values, "data": Squares()}) == before
    with pytest.raises(OptionError, match=r"factor' cannot be '3'"):
        options(as_={"kind": "lowres", "factor": 3})
    with pytest.raises(UnknownName, match=r"no adaptor is called 'edge'; did you mean 'edges'"):
        options(as_="edge")
    with pytest.raises(UnknownName, match=r"this is an option of masked"):
        options(as_={"kind": "grey", "place": "random"})


def test_a_run_keeps_how_its_pairs_were_made(tmp_path: Path) -> None:
    values: dict[str, Any] = {"image_size": 32, "limit": 4, "batch_size": 2, "epochs": 1, "out": tmp_path / "run"}
    trained = ganzoo.run("pix2pix", data="mnist", as_={"kind": "masked", "place": "random"}, **values)
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["as_"] == {"kind": "masked", "place": "random", "size": None}
    assert trained.data.source_shape == (1, 32, 32)
    with pytest.raises(ganzoo.UserError, match=r"its as.place is random, not centre"):
        ganzoo.run("pix2pix", data="mnist", as_="masked", **values)
