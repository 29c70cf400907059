"""Reading files, and captions."""

from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor

from ganzoo.data.images import decode, existing, find_images, open_image
from ganzoo.data.text import encode
from ganzoo.errors import DataError


def test_images_are_found_below_in_order_and_nothing_else(tmp_path: Path) -> None:
    for name in ("b/2.PNG", "b/1.Jpeg", "a.webp", ".hidden.png", ".git/x.png", "b/notes.txt", "c.png/inside.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = [path.relative_to(tmp_path).as_posix() for path in find_images(tmp_path)]
    assert found == ["a.webp", "b/1.Jpeg", "b/2.PNG"]


def test_a_folder_below_a_hidden_one_may_be_given(tmp_path: Path) -> None:
    folder = tmp_path / ".cache" / "cats"
    folder.mkdir(parents=True)
    (folder / "a.png").touch()
    assert find_images(folder) == [folder / "a.png"]


def test_a_folder_that_is_none_and_one_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(DataError, match=r"there is no folder '.*nowhere'"):
        existing(tmp_path / "nowhere")
    (tmp_path / "cats").mkdir()
    assert existing(Path("~/cats")) == tmp_path / "cats"


def test_broken_files_are_named(tmp_path: Path) -> None:
    whole = tmp_path / "whole.png"
    Image.effect_noise((64, 64), 50).save(whole)
    cut = tmp_path / "cut.png"
    cut.write_bytes(whole.read_bytes()[:2000])
    jpeg = tmp_path / "cut.jpg"
    Image.effect_noise((64, 64), 50).save(jpeg)
    jpeg.write_bytes(jpeg.read_bytes()[:900])
    text = tmp_path / "text.png"
    text.write_text("no picture")
    blank = tmp_path / "blank.webp"
    blank.touch()
    assert open_image(whole).size == (64, 64)
    for file in (cut, jpeg, text, blank):
        with pytest.raises(DataError, match=rf"'.*{file.name}' cannot be read: ") as caught:
            open_image(file)
        assert "\n" not in str(caught.value)


def test_bytes_are_named_as_well() -> None:
    with pytest.raises(DataError, match=r"'inside a.zip' cannot be read: it is not an image"):
        open_image(b"nothing", "inside a.zip")


@pytest.mark.parametrize("factor", [1.5, 3])  # Pillow warns of the first and refuses the second
def test_huge_pictures_are_refused_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, factor: float) -> None:
    Image.new("1", (100, 100)).save(tmp_path / "huge.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", int(10_000 / factor))
    with pytest.raises(DataError, match=r"huge.png' is too large: .*pixels"):
        decode([tmp_path / "huge.png"], lambda file: torch.zeros(1) * open_image(file).width, (1, 2, 2))


def test_pixels_that_are_no_colours_are_refused_and_named(tmp_path: Path) -> None:
    Image.new("F", (4, 4)).save(tmp_path / "depth.tif")
    with pytest.raises(DataError, match=r"depth.tif' cannot be read: pixels of the kind F"):
        open_image(tmp_path / "depth.tif")


def test_damage_that_does_no_harm_warns_nobody(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4), "red").save(tmp_path / "a.jpg", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x12\x01")
    result = decode([tmp_path / "a.jpg"], lambda file: torch.full((1, 1, 1), open_image(file).width), (1, 1, 1))
    assert result.item() == 4


def test_threads_keep_the_order_and_pass_errors_on() -> None:
    assert decode(range(200), lambda item: torch.full((1, 2, 2), item), (1, 2, 2))[:, 0, 0, 0].tolist() == [*range(200)]

    def fails(item: int) -> Tensor:
        raise DataError(f"number {item}")

    with pytest.raises(DataError, match="number 0"):
        decode(range(200), fails, (1, 2, 2))


def test_captions_are_utf_8_and_cut_between_characters() -> None:
    codes = encode(["", "cat", "a cat on a mat", "aééé"], 6)
    assert codes.dtype == torch.uint8
    assert [bytes(row.tolist()) for row in codes] == [b"\0" * 6, b"cat\0\0\0", b"a cat ", "aéé\0".encode()]
