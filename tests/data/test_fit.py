"""Pictures of any size and kind, made to fit: what is cut off, averaged, turned and flattened."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from ganzoo.data.dataset import DataRequest
from ganzoo.data.resize import blank, cover
from ganzoo.errors import DataError


def request(size: tuple[int, int] = (8, 8), channels: int = 3) -> DataRequest:
    return DataRequest(frozenset({"image"}), size, channels)


def noise(height: int, width: int, channels: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (channels, height, width), dtype=torch.uint8, generator=generator)


def picture(pixels: Tensor) -> Image.Image:
    return Image.fromarray(pixels.permute(1, 2, 0).numpy() if len(pixels) > 1 else pixels[0].numpy())


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ((28, 28), (64, 64), ((64, 64), (0, 0))),
        ((10, 20), (5, 5), ((5, 10), (0, 2))),
        ((20, 10), (5, 5), ((10, 5), (2, 0))),
        ((30, 30), (10, 20), ((20, 20), (5, 0))),
        ((3, 1000), (64, 64), ((64, 21333), (0, 10634))),
        ((7, 7), (7, 7), ((7, 7), (0, 0))),
    ],
)
def test_cover_is_the_smallest_that_leaves_no_gap_and_is_cut_evenly(
    old: tuple[int, int], new: tuple[int, int], expected: object
) -> None:
    assert cover(old, new) == expected


def test_what_hangs_over_is_cut_off_evenly_and_nothing_is_squeezed() -> None:
    image = torch.zeros(3, 10, 30, dtype=torch.uint8)
    image[0, :, 10:20] = 255  # the middle third is red
    image[2, :, :10] = 255
    fitted = request((10, 10)).fit(picture(image))
    assert torch.equal(fitted, image[:, :, 10:20])


@pytest.mark.parametrize("size", [(8, 8), (40, 40), (16, 24), (24, 16), (31, 57), (9, 100)])
@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 37, 21), (3, 20, 64)])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_one_picture_and_many_at_once_are_fitted_alike(
    size: tuple[int, int], shape: tuple[int, int, int], channels: int
) -> None:
    pixels = noise(*shape[1:], shape[0])
    ask = request(size, channels)
    one, many = ask.fit(picture(pixels)), ask.fit_all(torch.stack([pixels, pixels]))
    assert many.shape == (2, *ask.shape)
    assert one.shape == ask.shape
    assert one.dtype == many.dtype == torch.uint8
    assert torch.equal(many[0], many[1])
    assert (one.int() - many[0].int()).abs().max() <= 2  # Pillow rounds its box to 32 bits


def test_the_same_size_changes_nothing() -> None:
    pixels = noise(9, 13)
    assert torch.equal(request((9, 13)).fit(picture(pixels)), pixels)
    assert torch.equal(request((9, 13)).fit_all(pixels[None]), pixels[None])


def test_more_images_than_one_chunk_are_all_fitted() -> None:
    images = torch.arange(5000).remainder(256).to(torch.uint8)[:, None, None, None].expand(-1, 1, 4, 4)
    fitted = request((2, 2), 3).fit_all(images)
    assert fitted.shape == (5000, 3, 2, 2)
    assert torch.equal(fitted, images[:, :, :2, :2].expand(-1, 3, -1, -1))


def test_scaling_down_averages_instead_of_skipping() -> None:
    stripes = torch.zeros(3, 64, 64, dtype=torch.uint8)
    stripes[:, :, ::2] = 255
    for fitted in (request((8, 8)).fit(picture(stripes)), request((8, 8)).fit_all(stripes[None])[0]):
        assert (fitted[:, :, 1:-1].int() - 127).abs().max() <= 10


def test_grey_of_colours_is_pillows_grey() -> None:
    pixels = noise(12, 12)
    expected = torch.from_numpy(np.array(picture(pixels).convert("L")))[None]
    assert torch.equal(request((12, 12), 1).fit_all(pixels[None])[0], expected)


def test_a_picture_lying_on_its_side_is_turned_upright(tmp_path: Path) -> None:
    pixels = noise(10, 20)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees, clockwise
    picture(pixels).save(tmp_path / "side.png", exif=exif)
    with Image.open(tmp_path / "side.png") as image:
        fitted = request((20, 10)).fit(image)
    assert torch.equal(fitted, pixels.rot90(-1, (1, 2)))


def gradient_16(mode: str) -> Image.Image:
    values = (torch.arange(0, 65536, 257, dtype=torch.int32) - 100).clamp(min=0).view(16, 16)  # to be rounded up
    if mode == "I":
        return Image.fromarray(values.numpy())
    return Image.frombytes(mode, (16, 16), values.numpy().astype(">u2" if mode.endswith("B") else "<u2").tobytes())


@pytest.mark.parametrize("mode", ["I", "I;16", "I;16B"])
@pytest.mark.parametrize("channels", [1, 3])
def test_sixteen_bits_become_eight(mode: str, channels: int) -> None:
    fitted = request((16, 16), channels).fit(gradient_16(mode))
    assert torch.equal(fitted, torch.arange(256).view(1, 16, 16).to(torch.uint8).expand(channels, -1, -1))


def test_sixteen_bit_files_become_eight(tmp_path: Path) -> None:
    for name in ("grey.png", "grey.tif"):
        gradient_16("I;16").save(tmp_path / name)
        with Image.open(tmp_path / name) as image:
            assert torch.equal(request((16, 16), 1).fit(image)[0].flatten(), torch.arange(256).to(torch.uint8))


def test_palettes_cmyk_and_one_bit_become_colours() -> None:
    red = Image.new("RGB", (8, 8), (255, 0, 0))
    for image in (red.quantize(4), red.convert("CMYK"), red.convert("HSV"), red.convert("YCbCr")):
        fitted = request().fit(image).float().mean((1, 2))
        assert (fitted - torch.tensor([255.0, 0, 0])).abs().max() <= 2, image.mode
    white = Image.new("1", (8, 8), 1)
    assert (request(channels=1).fit(white) == 255).all()
    half = torch.zeros(1, 8, 8, dtype=torch.uint8)
    half[..., :4] = 255
    assert torch.equal(request(channels=1).fit(picture(half).convert("1")), half)


def transparent(mode: str) -> Image.Image:
    image = Image.new("RGBA", (8, 8), (200, 0, 0, 0))
    image.paste((0, 0, 200, 255), (0, 0, 4, 8))
    if mode == "P":
        return image.quantize(2)
    return image.convert(mode)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_becomes_white(mode: str) -> None:
    for channels in (1, 3):
        fitted = request(channels=channels).fit(transparent(mode))
        assert (fitted[..., 5:] == 255).all()
        assert fitted[0, :, :3].max() < 100


def test_a_transparent_colour_of_a_palette_file_becomes_white(tmp_path: Path) -> None:
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 10, 20, 30])
    image.paste(0, (0, 0, 4, 8))
    image.save(tmp_path / "palette.png", transparency=0)
    with Image.open(tmp_path / "palette.png") as opened:
        fitted = request().fit(opened)
    assert fitted[:, 0, 0].tolist() == [255, 255, 255]
    assert fitted[:, 0, 7].tolist() == [10, 20, 30]


def test_opacity_is_kept_as_the_fourth_channel_and_colours_do_not_bleed() -> None:
    fitted = request((4, 4), 4).fit(transparent("RGBA"))
    assert fitted[3, 0].tolist() == [255, 223, 32, 0]
    assert fitted[:3, 0, :2].T.tolist() == [[0, 0, 200], [0, 0, 200]]  # no red from where nothing is seen
    assert request((4, 4), 4).fit(Image.new("L", (9, 9), 7))[:, 0, 0].tolist() == [7, 7, 7, 255]


def test_pixels_without_a_range_are_refused() -> None:
    with pytest.raises(ValueError, match="no known range"):
        request().fit(Image.new("F", (8, 8)))


def test_more_than_the_memory_is_said_plainly() -> None:
    with pytest.raises(DataError, match=r"60000000 images of 3 x 40000 x 40000 need .* GiB.*--image-size.*--limit"):
        blank(60_000_000, (3, 40_000, 40_000))
