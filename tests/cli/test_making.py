"""`ganzoo generate` and `ganzoo translate`, by the files that they make."""

import signal
import time
from pathlib import Path

import pytest
from PIL import Image
from shared import Command
from sizes import size
from trained import started


def test_generate_makes_a_grid_or_a_file_for_each_image(command: Command, place: Path, runs: Path) -> None:
    run = str(runs / "dcgan")
    assert command("generate", run, "-n", "9", "-o", "deep/grid.png").out == "deep/grid.png\n"
    assert size(place / "deep" / "grid.png") == ("RGB", 3 * 18 + 2, 3 * 18 + 2)
    assert command("generate", run, "-n", "3", "-o", "few").status == 0
    assert command("generate", run, "-n", "70", "--seed", "0", "-o", "many").status == 0
    assert command("generate", run, "-n", "3", "--seed", "1", "-o", "other").status == 0
    names = [f"{number:05}.png" for number in range(3)]
    assert sorted(path.name for path in (place / "few").iterdir()) == names
    assert len(list((place / "many").iterdir())) == 70
    for name in names:
        assert size(place / "few" / name) == ("L", 16, 16)
        assert (place / "few" / name).read_bytes() == (place / "many" / name).read_bytes()
        assert (place / "few" / name).read_bytes() != (place / "other" / name).read_bytes()
    assert command("generate", run, "-o", "photo.jpg").status == 0
    assert size(place / "photo.jpg") == ("RGB", 8 * 18 + 2, 8 * 18 + 2)


def test_generate_takes_texts_in_turn_and_shows_each_in_a_column(command: Command, place: Path, runs: Path) -> None:
    run, texts = str(runs / "text2image"), ["--text", "grinning face", "--text", "a cat", "--text", "pizza"]
    assert command("generate", run, "-n", "16", *texts, "-o", "grid.png").status == 0
    assert size(place / "grid.png") == ("RGB", 3 * 18 + 2, 6 * 18 + 2)
    assert command("generate", run, "-n", "4", *texts, "-o", "three").status == 0
    assert command("generate", run, "-n", "4", "--text", "grinning face", "-o", "one").status == 0
    same = [
        (place / "three" / f"0000{n}.png").read_bytes() == (place / "one" / f"0000{n}.png").read_bytes()
        for n in range(4)
    ]
    assert same == [True, False, False, True]


def test_translate_takes_a_picture_or_a_folder(command: Command, place: Path, runs: Path) -> None:
    (place / "mine" / "more").mkdir(parents=True)
    for name, mode, shape in (
        ("a.png", "RGB", (40, 32)),
        ("more/b.jpg", "L", (7, 9)),
        ("more/c.webp", "RGBA", (64, 64)),
    ):
        Image.new(mode, shape, "white").save(place / "mine" / name)
    (place / "mine" / "notes.txt").write_text("no picture")
    run = str(runs / "pix2pix")
    answer = command("translate", run, "mine", "-o", "out")
    assert answer.status == 0, answer.err
    assert answer.out.split() == ["out/a.png", "out/more/b.png", "out/more/c.png"]
    for name in answer.out.split():
        assert size(place / name) == ("RGB", 32, 32)
    assert command("translate", run, "mine/a.png", "-o", "one").out == "one/a.png\n"
    assert (place / "one" / "a.png").read_bytes() == (place / "out" / "a.png").read_bytes()


@pytest.mark.process
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_what_is_half_written_goes_when_a_command_is_told_to_stop(
    place: Path, runs: Path, number: int, status: int
) -> None:
    before = sorted(place.rglob("*"))
    with started("generate", str(runs / "dcgan"), "-n", "100000", "-o", "new/digits") as generating:
        until = time.monotonic() + 120
        while generating.poll() is None and not list(place.glob("new/.*/*.png")):
            assert time.monotonic() < until, "it makes no image"
            time.sleep(0.05)
        generating.send_signal(number)
        _, err = generating.communicate(timeout=60)
    assert (generating.returncode, err.strip()) == (status, "Aborted.")
    assert sorted(place.rglob("*")) == before


def test_an_empty_word_is_no_place_to_write_to(command: Command, runs: Path) -> None:
    answer = command("generate", str(runs / "dcgan"), "-o", "")
    assert (answer.status, answer.err) == (
        2,
        "Error: option '--out' cannot be ''; give the name of a file or a folder\n",
    )
