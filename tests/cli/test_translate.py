"""`ganzoo translate`: pictures of any size and kind, names, and broken ones among them."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from shared import Command, once, run_command

import ganzoo


@pytest.fixture
def mine(place: Path) -> Path:
    """Pictures of every kind, all of the same drawing."""
    folder = place / "mine"
    (folder / "more").mkdir(parents=True)
    drawing = Image.new("RGB", (64, 48), "white")
    ImageDraw.Draw(drawing).ellipse((6, 6, 40, 30), outline="black", width=3)
    drawing.save(folder / "rgb.png")
    drawing.convert("P").save(folder / "palette.png")
    drawing.convert("LA").save(folder / "grey-and-opacity.png")
    drawing.convert("1").save(folder / "bilevel.bmp")
    Image.fromarray(np.asarray(drawing.convert("L")).astype(np.uint16) * 257).save(folder / "sixteen.png")
    drawing.convert("CMYK").save(folder / "more" / "cmyk.jpg", quality=100)
    clear = drawing.convert("RGBA")
    clear.putalpha(drawing.convert("L").point(lambda value: 255 - value))
    clear.save(folder / "more" / "clear.webp", lossless=True)
    lying = Image.Exif()
    lying[0x0112] = 6  # it was taken with the camera turned
    drawing.transpose(Image.Transpose.ROTATE_90).save(folder / "more" / "turned.jpg", exif=lying, quality=100)
    other = Image.new("RGB", drawing.size, "red")
    drawing.save(folder / "more" / "moving.gif", save_all=True, append_images=[other])
    return folder


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, data_folder: Path) -> Path:
    """Runs of GANs that enlarge, and that fill holes."""

    def train(folder: Path) -> None:
        for gan in ("srgan --width 4 --blocks 1 --scale 2 --perceptual pixel", "context-encoder --width 4"):
            line = f"run {gan} --image-size 32 --limit 4 --batch-size 2 --epochs 1 --precision fp32"
            answer = run_command(*line.split(), "--data-dir", str(data_folder), "--out", str(folder / gan.split()[0]))
            assert answer.status == 0, answer.err

    return once(tmp_path_factory, "translators", train)


def pixels(file: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    with Image.open(file) as picture:
        assert picture.format == "PNG"
        return np.asarray(picture).astype(float)


def test_the_same_drawing_of_any_kind_becomes_the_same(command: Command, place: Path, mine: Path, runs: Path) -> None:
    answer = command("translate", str(runs / "pix2pix"), "mine", "-o", "out", "--batch-size", "4")
    assert answer.status == 0, answer.err
    names = sorted(str(path.relative_to(mine).with_suffix(".png")) for path in mine.rglob("*.*"))
    assert sorted(answer.out.split()) == [f"out/{name}" for name in names]
    assert answer.err == "'mine/more/moving.gif' has several frames: only the first is used\n"
    expected = pixels(place / "out" / "rgb.png")
    assert expected.shape == (32, 32, 3)
    for name in names:
        assert abs(pixels(place / "out" / name) - expected).mean() < 8, name


def test_a_zip_goes_in_and_comes_out(command: Command, place: Path, mine: Path, runs: Path) -> None:
    with zipfile.ZipFile(place / "mine.zip", "w") as archive:
        for file in ("rgb.png", "more/turned.jpg"):
            archive.write(mine / file, file)
    answer = command("translate", str(runs / "pix2pix"), "mine.zip", "-o", "out.zip")
    assert (answer.status, answer.out) == (0, "out.zip\n"), answer.err
    assert command("translate", str(runs / "pix2pix"), "mine.zip", "-o", "out").status == 0
    with zipfile.ZipFile(place / "out.zip") as archive:
        assert sorted(archive.namelist()) == ["more/turned.png", "rgb.png"]
        assert archive.read("rgb.png") == (place / "out" / "rgb.png").read_bytes()


def test_a_folder_with_a_file_in_the_place_of_a_sub_folder_stays_as_it_is(
    command: Command, place: Path, mine: Path, runs: Path
) -> None:
    (place / "out").mkdir()
    (place / "out" / "more").write_text("a file")
    answer = command("translate", str(runs / "pix2pix"), "mine", "-o", "out")
    assert (answer.status, answer.out) == (2, "")
    assert "'out/more' is a file, not a folder" in answer.err
    assert [path.name for path in (place / "out").iterdir()] == ["more"]


def test_one_picture_may_go_into_one(command: Command, place: Path, mine: Path, runs: Path) -> None:
    assert command("translate", str(runs / "pix2pix"), "mine/rgb.png", "-o", "new/face.png").out == "new/face.png\n"
    assert command("translate", str(runs / "pix2pix"), "mine/rgb.png", "-o", "out").out == "out/rgb.png\n"
    assert np.array_equal(pixels(place / "new" / "face.png"), pixels(place / "out" / "rgb.png"))


def test_a_gan_that_enlarges_takes_any_size(command: Command, place: Path, mine: Path, trained: Path) -> None:
    run = str(trained / "srgan")
    assert command("translate", run, "mine", "-o", "large").status == 0
    assert pixels(place / "large" / "rgb.png").shape == (96, 128, 3)
    assert pixels(place / "large" / "more" / "turned.png").shape == (96, 128, 3)
    with Image.open(mine / "rgb.png") as drawing:
        doubled = np.asarray(drawing.resize((128, 96), Image.Resampling.BICUBIC)).astype(float)
    assert abs(pixels(place / "large" / "rgb.png") - doubled).mean() < 12, "it is the same picture, twice as large"
    assert command("translate", run, "mine/rgb.png", "--adapt", "-o", "again.png").status == 0
    assert pixels(place / "again.png").shape == (48, 64, 3)


def test_a_hole_is_made_as_in_training(command: Command, place: Path, mine: Path, trained: Path) -> None:
    run = str(trained / "context-encoder")
    assert command("translate", run, "mine/rgb.png", "-o", "whole.png").status == 0
    assert command("translate", run, "mine/rgb.png", "--adapt", "-o", "filled.png").status == 0
    changed = (pixels(place / "whole.png") != pixels(place / "filled.png")).any(2)
    assert changed[8:24, 8:24].mean() > 0.5
    changed[8:24, 8:24] = False
    assert not changed.any()


def test_broken_ones_are_named_before_anything_is_made_or_left_out(
    command: Command, place: Path, mine: Path, runs: Path
) -> None:
    (mine / "zz.png").write_bytes((mine / "rgb.png").read_bytes()[:50])
    (mine / "more" / "moving.gif").unlink()
    before = sorted(place.rglob("*"))
    answer = command("translate", str(runs / "pix2pix"), "mine", "-o", "new/out")
    assert (answer.status, answer.err.count("\n")) == (2, 1)
    assert "'mine/zz.png' cannot be read" in answer.err
    assert sorted(place.rglob("*")) == before
    answer = command("translate", str(runs / "pix2pix"), "mine", "-o", "new/out", "--skip-broken")
    assert answer.status == 0
    assert answer.err.startswith("left out: 'mine/zz.png' cannot be read")
    assert (len(answer.out.split()), (place / "new" / "out" / "zz.png").exists()) == (8, False)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("mine -o x.png", "'x.png' is one file, and there are 9 to translate; give a folder or a .zip"),
        ("mine/rgb.png -o mine/rgb.png", "'mine/rgb.png' would be overwritten"),
        ("mine/rgb.png -o mine", "'mine/rgb.png' would be overwritten"),
        ("mine -o mine", "'mine/grey-and-opacity.png' would be overwritten"),
        ("mine/rgb.png -o x.jgp", "'x.jgp' ends in no picture format; try x.png"),
        ("mine -o x.npz", "'x.npz' would be an array; give a folder, a .zip or, for one picture, x.png as --out"),
        ("mine/rgb.png -o x.mp4", "'x.mp4' would be a film; give a folder, a .zip or, for one picture, x.png"),
        ("mine -o out --adapt", "was trained on sources as they are"),
        ("bad --skip-broken -o out", "all 1 images in 'bad' are broken; the first: 'bad/a.png'"),
        ("bad.zip -o out", "'bad.zip' cannot be read"),
        ("bad.tar -o out", "'bad.tar' is not read as it is"),
        ("nowhere -o out", "there is no folder 'nowhere'"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_left(
    words: str, message: str, command: Command, place: Path, mine: Path, runs: Path
) -> None:
    (place / "bad").mkdir()
    for name in ("bad/a.png", "bad.zip", "bad.tar"):
        (place / name).write_text("nonsense")
    before = {path: path.is_dir() or path.read_bytes() for path in place.rglob("*")}
    answer = command("translate", str(runs / "pix2pix"), *words.split())
    assert answer.status == 2
    assert message in answer.err
    assert {path: path.is_dir() or path.read_bytes() for path in place.rglob("*")} == before


def test_pictures_from_python_do_not_depend_on_each_other(runs: Path) -> None:
    pix2pix = ganzoo.load(runs / "pix2pix", device="cpu")
    given = [Image.new("RGB", (20 + number, 30), (40 * number, 0, 0)) for number in range(5)]
    alone = [next(iter(pix2pix.translate_pictures([picture]))) for picture in given]
    for image, expected in zip(pix2pix.translate_pictures(given, batch_size=3), alone, strict=True):
        assert abs(image - expected).max() < 1e-4
