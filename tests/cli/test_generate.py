"""`ganzoo generate`: what it leaves behind, and that after an error it leaves nothing."""

import subprocess
import sys
import zipfile
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image
from shared import TINY, Answer, Command, once, run_command

from ganzoo.sampling import animation, output_files

SIDE = 16 + 2


@pytest.fixture(scope="session")
def infogan(tmp_path_factory: pytest.TempPathFactory, data_folder: Path) -> str:
    """A run of a GAN with codes."""
    words = f"run infogan --image-size 16 {TINY} --data-dir {data_folder} --out".split()
    return str(once(tmp_path_factory, "infogan", lambda folder: done(run_command(*words, f"{folder}/run"))) / "run")


def done(answer: Answer) -> str:
    assert answer.status == 0, answer.err
    return answer.out


def frames(file: Path) -> list[Image.Image]:
    with Image.open(file) as film:
        count = getattr(film, "n_frames", 1)
        shown = []
        for number in range(count):
            film.seek(number)
            shown.append(film.convert("RGB"))
    return shown


def test_the_same_images_as_files_zip_array_and_grid(command: Command, place: Path, runs: Path) -> None:
    asked = ["generate", str(runs / "dcgan"), "-n", "5", "--seed", "7", "--batch-size", "2"]
    for out in ("folder", "a.zip", "a.npz", "grid.png"):
        columns = ["--columns", "2"] if out == "grid.png" else []
        assert done(command(*asked, *columns, "-o", out)) == f"{out}\n"
    arrays = np.load(place / "a.npz")
    assert arrays["images"].shape == (5, 16, 16, 1)
    assert arrays["images"].dtype == np.uint8
    assert (arrays.files, arrays["seed"].item()) == (["images", "seed"], 7)
    with zipfile.ZipFile(place / "a.zip") as archive, Image.open(place / "grid.png") as grid:
        assert archive.namelist() == [f"0000{number}.png" for number in range(5)]
        assert grid.size == (2 * SIDE + 2, 3 * SIDE + 2)
        for number, name in enumerate(archive.namelist()):
            content = (place / "folder" / name).read_bytes()
            assert archive.read(name) == content
            with Image.open(place / "folder" / name) as picture:
                assert np.array_equal(np.asarray(picture), arrays["images"][number, ..., 0])
            left, top = (SIDE * step + 2 for step in (number % 2, number // 2))
            cell = np.asarray(grid.convert("L"))[top : top + 16, left : left + 16]
            assert np.array_equal(cell, arrays["images"][number, ..., 0])
    before = (place / "a.zip").read_bytes(), (place / "a.npz").read_bytes()
    done(command(*asked, "-o", "a.zip"))
    done(command(*asked, "-o", "a.npz"))
    assert before == ((place / "a.zip").read_bytes(), (place / "a.npz").read_bytes())


def test_an_array_says_captions_classes_and_codes(command: Command, place: Path, runs: Path, infogan: str) -> None:
    texts = ["--text", "grinning face", "--text", "pizza"]
    done(command("generate", str(runs / "text2image"), "-n", "3", *texts, "-o", "t.npz"))
    assert np.load(place / "t.npz")["captions"].tolist() == ["grinning face", "pizza", "grinning face"]
    codes = ["--codes", "category=2,5", "--codes", "continuous-2=-1..1:3"]
    done(command("generate", infogan, "-n", "2", *codes, "-o", "c.npz"))
    arrays = np.load(place / "c.npz")
    assert arrays["images"].shape == (12, 16, 16, 1)
    assert arrays["category"].tolist() == [2, 2, 2, 5, 5, 5] * 2
    assert arrays["continuous-2"].tolist() == [-1, 0, 1] * 4


def test_codes_are_laid_out_in_rows_and_columns(command: Command, place: Path, infogan: str) -> None:
    asked = ["generate", infogan, "--codes", "category=0..9"]
    done(command(*asked, "-o", "one.png"))
    done(command(*asked, "--codes", "continuous-1=-1..1:4", "-o", "two.png"))
    done(command("generate", infogan, "--codes", "category=4", "-n", "9", "-o", "set.png"))
    sizes = []
    for name in ("one.png", "two.png", "set.png"):
        with Image.open(place / name) as picture:
            sizes.append(tuple((side - 2) // SIDE for side in picture.size))
    assert sizes == [(10, 8), (4, 10), (3, 3)]
    told = command("info", "infogan").out
    assert "code category: a whole number from 0 to 9" in told
    assert "code continuous-2: a number from -1 to 1" in told


def test_truncation_draws_images_to_the_middle(command: Command, place: Path, runs: Path) -> None:
    for limit in ("0", "0.5", "9"):
        done(command("generate", str(runs / "dcgan"), "-n", "8", "--truncation", limit, "-o", f"{limit}.npz"))
    spread = [np.load(place / f"{limit}.npz")["images"].astype(float).std(0).mean() for limit in ("0", "0.5", "9")]
    assert spread[0] < 0.1
    assert spread[0] < spread[1] < spread[2]


@pytest.mark.parametrize("name", ["walk.gif", "walk.webp", "walk.mp4"])
def test_a_walk_is_a_film(name: str, command: Command, place: Path, runs: Path) -> None:
    asked = ["generate", str(runs / "dcgan"), "-n", "4", "--interpolate", "3", "--frames", "9", "--fps", "20"]
    assert done(command(*asked, "-o", name)) == f"{name}\n"
    done(command(*asked[:2], "--interpolate", "3", "--frames", "9", "-o", "frames"))
    assert len(list((place / "frames").iterdir())) == 9
    size = (2 * SIDE + 2, 2 * SIDE + 2)
    if name.endswith(".mp4"):
        decode = ["-i", str(place / name), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
        film = subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), *decode], capture_output=True, check=True)
        assert b"Video: h264" in film.stderr
        assert b"yuv420p" in film.stderr
        assert b" 20 fps" in film.stderr
        length = 3 * size[0] * size[1]
        parts = [film.stdout[start : start + length] for start in range(0, len(film.stdout), length)]
        shown = [Image.frombytes("RGB", size, part) for part in parts]
    else:
        shown = frames(place / name)
        with Image.open(place / name) as opened:
            assert opened.info["loop"] == 0
    assert (len(shown), shown[0].size) == (9, size)
    for number, frame in enumerate(shown):  # the walk above on the left is that of the frames
        with Image.open(place / "frames" / f"{number:05}.png") as still:
            cell = np.asarray(frame.convert("L"))[2:18, 2:18].astype(float)
            assert abs(cell - np.asarray(still)).mean() < (0.01 if name.endswith(".gif") else 6)


def test_a_walk_is_a_strip_or_an_array(command: Command, place: Path, runs: Path) -> None:
    asked = ["generate", str(runs / "dcgan"), "--interpolate", "3"]
    done(command(*asked, "-n", "2", "-o", "strip.png"))
    with Image.open(place / "strip.png") as picture:
        assert picture.size == (6 * SIDE + 2, 2 * SIDE + 2)
        strips = np.asarray(picture.convert("L"))
    done(command(*asked, "--frames", "6", "-o", "frames.npz"))
    for number, image in enumerate(np.load(place / "frames.npz")["images"]):  # the first walk is the upper strip
        left = number * SIDE + 2
        assert abs(strips[2:18, left : left + 16].astype(int) - image[..., 0]).max() <= 1
    done(command(*asked, "--frames", "5", "--open", "-o", "walk.npz"))
    done(command(*asked[:2], "-n", "3", "-o", "points.npz"))
    walk, points = (np.load(place / name)["images"].astype(int) for name in ("walk.npz", "points.npz"))
    assert abs(walk[::2] - points).max() <= 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("-o x.mp4", "'x.mp4' would be a film: add --interpolate 8"),
        ("-o x.avi --interpolate 3", "'x.avi' ends in no film format; try x.mp4"),
        ("-o x.png --fps 5", "option '--fps' is of walks through images; add --interpolate 8"),
        ("-o x.png --open", "option '--open' is of walks"),
        ("-o x.png --interpolate 2 --fps 5", "option '--fps' is of films"),
        ("-o x --columns 2", "option '--columns' is of grids, and 'x' is none; try a .png as --out"),
        ("-o x.npz --columns 2 --interpolate 3", "option '--columns' is of grids"),
        ("-o x.zip --columns 2", "option '--columns' is of grids"),
        ("-o x.png --interpolate 200000", "option 'interpolate' is too high: 200000 rows of noise"),
        ("-o x.gif --interpolate 3 --fps 60", "a GIF shows 50 frames a second at most"),
        ("-o x.gif --interpolate 1", "a walk leads through at least 2 points"),
        ("-o x.gif --interpolate 9 --frames 8", "a walk through 9 points has at least 9"),
        ("-o x.npz --interpolate 3 -n 2", "an array takes the frames of one walk"),
        ("-o x.png --truncation -1", "option 'truncation' cannot be '-1.0'"),
        ("-o x.png --codes a=1", "'dcgan' has no codes to set"),
        ("-o x.png --codes a", "option '--codes' cannot be 'a'; write NAME=VALUE"),
        ("-o x.png -n 900000000000", "there is no memory for one picture"),
        ("-o x.npz -n 100000000000", "option '--count' cannot be 100000000000: an array takes 10000000 images at most"),
        ("-o x.gif --interpolate 3 --frames 10000000000", "option 'frames' cannot be 10000000000"),
        ("-o x.webp -n 2000 --columns 2000", "'x.webp' cannot be written: "),
        ("-o x.blp", "'x.blp' cannot be written: "),
        ("-o file", "'file' cannot be written: it is a file, not a folder"),
        ("-o file/deep/x.zip", "'file/deep/x.zip' cannot be written"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_left(
    words: str, message: str, command: Command, place: Path, runs: Path
) -> None:
    (place / "file").write_text("mine")
    answer = command("generate", str(runs / "dcgan"), *words.split())
    assert (answer.status, answer.err.count("\n")) == (2, 1), answer.err
    assert message in answer.err
    assert [path.name for path in place.iterdir()] == ["file"]
    assert (place / "file").read_text() == "mine"


@pytest.mark.parametrize(
    "words", ["-o x.npz --interpolate 3 -n 2", "-o x.npz -n 99999999", "-o x.gif --interpolate 3 --fps 60"]
)
def test_what_no_weights_would_change_is_refused_before_they_are_loaded(
    words: str, command: Command, place: Path
) -> None:
    answer = command("generate", "nothing", *words.split())
    assert answer.status == 2
    assert "run folder" not in answer.err


def test_a_film_has_a_frame_for_each_point(command: Command, place: Path, runs: Path) -> None:
    done(command("generate", str(runs / "dcgan"), "--interpolate", "130", "-o", "walk.npz"))
    assert len(np.load(place / "walk.npz")["images"]) == 130


def test_codes_that_cannot_be(command: Command, place: Path, infogan: str) -> None:
    for words, message in (
        ("--codes categry=1", "no code of infogan is called 'categry'; did you mean 'category'?"),
        ("--codes category=10", "it is a whole number from 0 to 9"),
        ("--codes category=0..3 --interpolate 3", "code 'category' has one value in a walk"),
    ):
        answer = command("generate", infogan, *words.split(), "-o", "x.png")
        assert answer.status == 2
        assert message in answer.err
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("out", ["new/folder", "old", "new/a.zip", "a.npz", "a.png", "a.mp4", "a.gif"])
def test_after_a_failure_midway_everything_is_as_before(
    out: str, command: Command, place: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "old").mkdir()
    (place / "old" / "00000.png").write_text("mine")
    made = 0

    def fail(*_: object) -> None:
        nonlocal made
        made += 1
        if made > 3:
            raise KeyboardInterrupt

    from ganzoo.contract.gan import Adversarial

    whole = Adversarial.generate

    def generate(self: Adversarial, *given: object) -> object:
        fail()
        return whole(self, *given)  # type: ignore[arg-type]  # as they came

    monkeypatch.setattr(Adversarial, "generate", generate)
    walk = ["--interpolate", "3", "--frames", "9"] if out in ("a.mp4", "a.gif") else ["-n", "9"]
    answer = command("generate", str(runs / "dcgan"), *walk, "--batch-size", "1", "-o", out)
    assert answer.status != 0
    assert made == 4
    assert sorted(str(path.relative_to(place)) for path in place.rglob("*")) == ["old", "old/00000.png"]
    assert (place / "old" / "00000.png").read_text() == "mine"


def test_a_folder_that_is_there_keeps_what_has_other_names(command: Command, place: Path, runs: Path) -> None:
    (place / "old").mkdir()
    (place / "old" / "notes.txt").write_text("mine")
    done(command("generate", str(runs / "dcgan"), "-n", "2", "-o", "old"))
    assert sorted(path.name for path in (place / "old").iterdir()) == ["00000.png", "00001.png", "notes.txt"]


def test_a_folder_that_cannot_take_all_takes_none(command: Command, place: Path, runs: Path) -> None:
    (place / "old" / "00002.png").mkdir(parents=True)
    (place / "old" / "00000.png").write_text("mine")
    answer = command("generate", str(runs / "dcgan"), "-n", "4", "-o", "old")
    assert (answer.status, answer.err.count("\n")) == (2, 1), answer.err
    assert "'old/00002.png' is a folder, not a file" in answer.err
    assert sorted(path.name for path in (place / "old").iterdir()) == ["00000.png", "00002.png"]
    assert (place / "old" / "00000.png").read_text() == "mine"


@pytest.mark.parametrize(("name", "fps"), [("a.gif", 40), ("a.gif", 30), ("a.gif", 25), ("a.webp", 60)])
def test_a_film_is_as_fast_as_it_was_asked_to_be(name: str, fps: int, tmp_path: Path) -> None:
    frames = (Image.new("RGB", (8, 8), (37 * number % 256, 0, 255 - number)) for number in range(120))
    animation.write_film(tmp_path / name, frames, 120, fps)
    durations = []
    with Image.open(tmp_path / name) as film:
        for number in range(getattr(film, "n_frames", 1)):
            film.seek(number)
            film.load()
            durations.append(film.info["duration"])
    assert len(durations) == 120
    assert sum(durations) == pytest.approx(120_000 / fps, abs=10)
    assert max(durations) - min(durations) <= 10


def test_without_ffmpeg_it_says_what_to_install(
    command: Command, place: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    answer = command("generate", str(runs / "dcgan"), "--interpolate", "3", "-o", "x.mp4")
    assert answer.status == 2
    assert "pip install 'ganzoo[video]'" in answer.err
    assert list(place.iterdir()) == []


def test_a_folders_ending_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.png").mkdir()
    assert output_files.kind_of(tmp_path / "a.png") == "folder"
    assert output_files.kind_of(tmp_path / "b.PNG") == "picture"
