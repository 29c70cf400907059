"""Files that a folder of images should not have, or that are rare: what each comes to, said and not silent."""

import logging
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image
from reading import read
from shared import Command

import ganzoo

PAIR = frozenset({"source", "target"})
RED = (255, 0, 0)


def save(file: Path, colour: tuple[int, int, int] = RED, size: tuple[int, int] = (8, 8)) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(file)
    return file


def animated(file: Path) -> None:
    first, *others = (Image.new("RGB", (8, 8), colour) for colour in (RED, (0, 255, 0), (0, 0, 255)))
    first.save(file, save_all=True, append_images=others, duration=100, lossless=True)


def palette(file: Path) -> None:
    Image.new("RGB", (8, 8), RED).convert("P", palette=Image.Palette.ADAPTIVE, colors=4).save(file)


def palette_with_holes(file: Path) -> None:
    """Half of it transparent, which goes on white."""
    image = Image.new("P", (8, 8), 0)
    image.putpalette([0, 0, 0, *RED])
    image.paste(1, (0, 0, 8, 4))
    image.save(file, transparency=0)


def sixteen_bits(file: Path) -> None:
    Image.frombytes("I;16", (8, 8), struct.pack("<H", 0x8080) * 64).save(file)


def colours_of_sixteen_bits(file: Path) -> None:
    """A PNG of 16 bits in each of three channels, which Pillow can read and not write."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    row = b"\0" + struct.pack(">HHH", 0xFFFF, 0, 0) * 8
    file.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 16, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(row * 8))
        + chunk(b"IEND", b"")
    )


FINE: dict[str, tuple[Callable[[Path], object], list[int]]] = {
    "pixel.png": (lambda file: Image.new("RGB", (1, 1), RED).save(file), [255, 0, 0]),
    "line.png": (lambda file: Image.new("RGB", (1, 300), RED).save(file), [255, 0, 0]),
    "grey16.png": (sixteen_bits, [128, 128, 128]),
    "grey16.tif": (sixteen_bits, [128, 128, 128]),
    "rgb16.png": (colours_of_sixteen_bits, [255, 0, 0]),
    "print.jpg": (lambda file: Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(file), [254, 0, 0]),
    "print.tif": (lambda file: Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(file), [255, 0, 0]),
    "palette.png": (palette, [255, 0, 0]),
    "palette.gif": (palette, [255, 0, 0]),
    "holes.png": (palette_with_holes, [255, 127, 127]),
    "bits.png": (lambda file: Image.new("1", (8, 8), 1).save(file), [255, 255, 255]),
    "moving.gif": (animated, [255, 0, 0]),
    "moving.webp": (animated, [255, 0, 0]),
    "pages.tif": (animated, [255, 0, 0]),
}


@pytest.mark.parametrize("name", FINE)
def test_rare_kinds_of_images_are_read_as_they_look(name: str, tmp_path: Path) -> None:
    make, colour = FINE[name]
    make(tmp_path / name)
    image = read(f"folder:{tmp_path}").columns["image"]
    assert image.shape == (1, 3, 4, 4)
    assert image.dtype == torch.uint8
    average = image.float().mean((0, 2, 3))
    assert torch.allclose(average, torch.tensor(colour).float(), atol=2), average


def test_of_an_animation_the_first_frame_is_taken_and_the_log_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("b.gif", "a.webp", "c.gif"):
        animated(tmp_path / name)
    save(tmp_path / "d.png")
    table = read(f"folder:{tmp_path}")
    assert (table.columns["image"].float() - torch.tensor(RED).view(3, 1, 1)).abs().max() <= 2
    assert caplog.messages == [f"'{tmp_path / 'a.webp'}' has several frames, as have 2 others: only the first is used"]


def empty_file(file: Path) -> None:
    file.touch()


def cut_short(file: Path) -> None:
    Image.effect_noise((64, 64), 50).save(file)
    file.write_bytes(file.read_bytes()[:1500])


def bomb(file: Path) -> None:
    """A file of a few hundred kilobytes whose pixels would fill 30 GB."""
    Image.new("1", (64, 64)).save(file)
    content = bytearray(file.read_bytes())
    content[16:24] = struct.pack(">II", 100_000, 100_000)
    content[29:33] = struct.pack(">I", zlib.crc32(bytes(content[12:29])))
    file.write_bytes(content)


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty.png": (empty_file, "cannot be read: it is not an image"),
    "text.jpg": (lambda file: file.write_text("years of work"), "cannot be read: it is not an image"),
    "cut.png": (cut_short, "cannot be read: "),
    "cut.jpg": (cut_short, "cannot be read: "),
    "bomb.png": (bomb, "is too large: "),
    "depth.tif": (lambda file: Image.new("F", (8, 8)).save(file), "pixels of the kind F are not supported"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_refused_or_left_out_and_named_either_way(
    name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    make, reason = BROKEN[name]
    make(tmp_path / name)
    save(tmp_path / "fine.png")
    with pytest.raises(ganzoo.DataError) as caught:
        read(f"folder:{tmp_path}")
    assert str(tmp_path / name) in str(caught.value)
    assert reason in str(caught.value)
    assert str(caught.value).endswith("; --data.skip N leaves out up to N broken images")
    assert not caplog.messages
    table = read(f"folder:{tmp_path}", skip=1)
    assert len(table) == 1
    (message,) = caplog.messages
    assert message.startswith(f"left out: '{tmp_path / name}' ")
    assert reason in message


def test_labels_stay_with_their_images(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(6):
        file = save(tmp_path / "abc"[number % 3] / f"{number}.png", (40 * number, 0, 0))
        if number in (0, 4):
            empty_file(file)
            file.write_bytes(b"")
    table = read(f"folder:{tmp_path}", frozenset({"image", "label"}), skip=2)
    assert table.classes == ("a", "b", "c")
    reds = table.columns["image"][:, 0, 0, 0].tolist()
    assert list(zip(reds, table.columns["label"].tolist(), strict=True)) == [(120, 0), (40, 1), (80, 2), (200, 2)]
    assert len(caplog.messages) == 2
    with pytest.raises(ganzoo.DataError, match=r"4.png' cannot be read: it is not an image, and 1 more are broken;"):
        read(f"folder:{tmp_path}", skip=1)


@pytest.mark.parametrize("broken", [("A/1.png",), ("B/1.png",), ("A/1.png", "B/1.png")], ids=str)
def test_a_broken_half_leaves_out_the_pair(broken: tuple[str, ...], tmp_path: Path) -> None:
    for number in range(4):
        save(tmp_path / "A" / f"{number}.png", (number, 0, 0))
        save(tmp_path / "B" / f"{number}.png", (100 + number, 0, 0))
    for name in broken:
        (tmp_path / name).write_bytes(b"")
    columns = read(f"pairs:{tmp_path}", PAIR, skip=1).columns
    assert columns["source"][:, 0, 0, 0].tolist() == [0, 2, 3]
    assert columns["target"][:, 0, 0, 0].tolist() == [100, 102, 103]
    with pytest.raises(ganzoo.DataError, match=r"1.png' cannot be read"):
        read(f"pairs:{tmp_path}", PAIR)


def test_a_picture_without_a_middle_counts_as_broken(tmp_path: Path) -> None:
    for number in range(3):
        save(tmp_path / f"{number}.png", size=(16 + number % 2, 8))
    assert len(read(f"pairs:{tmp_path}", PAIR, skip=1)) == 2


def test_images_that_are_all_broken_are_no_data_set(tmp_path: Path) -> None:
    for number in range(3):
        empty_file(tmp_path / f"{number}.png")
    with pytest.raises(ganzoo.DataError, match="all 3 images are broken"):
        read(f"folder:{tmp_path}", skip=99)


def test_a_run_goes_on_without_the_broken_and_says_so(command: Command, place: Path) -> None:
    for number in range(5):
        save(place / "cats" / f"{number}.png")
    empty_file(place / "cats" / "zero.png")
    line = "run dcgan --data folder:cats --image-size 16 --batch-size 4 --epochs 1 --out run"
    answer = command(*line.split())
    assert answer.status == 2
    assert "'cats/zero.png' cannot be read: it is not an image; --data.skip N leaves out" in answer.err
    assert not (place / "run").exists()
    assert command(*line.split(), "--data.skip", "1").status == 0
    assert command("generate", "run", "-n", "1", "-o", "x.png").status == 0


def test_warnings_reach_a_terminal(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The log needs no setting up to be seen: Python shows warnings on stderr."""
    save(place / "fine.png")
    empty_file(place / "zero.png")
    root, before = logging.getLogger(), logging.getLogger().handlers[:]
    root.handlers.clear()
    try:
        read(f"folder:{place}", skip=1)
    finally:
        root.handlers[:] = before
    assert "left out: " in capfd.readouterr().err
