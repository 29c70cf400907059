"""The gallery: its script on runs of two iterations, and the page that is committed."""

import importlib.util
import re
import shlex
import shutil
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import pytest
from PIL import Image
from shared import Command

FOLDER = Path(__file__).parent.parent / "docs" / "gallery"


@pytest.fixture(scope="module")
def gallery() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gallery", FOLDER / "make.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def shown(page: Path) -> list[str]:
    return re.findall(r'<img src="([^"]+)"', page.read_text(encoding="utf-8"))


def commands(page: Path) -> list[list[str]]:
    blocks = re.findall(r"```bash\n(.*?)\n```", page.read_text(encoding="utf-8"), re.DOTALL)
    return [shlex.split(line) for line in blocks]


def test_runs_become_a_page_of_pictures_and_what_makes_them(
    gallery: ModuleType, runs: Path, command: Command, place: Path
) -> None:
    out = place / "gallery"
    gallery.main([*(str(runs / name) for name in ("dcgan", "pix2pix", "text2image")), "--out", str(out)])
    page = out / "index.md"
    assert shown(page) == ["dcgan.png", "dcgan-walk.webp", "pix2pix.png", "text2image.png"]
    assert {file.name for file in out.iterdir()} == {page.name, *shown(page)}
    assert str(place) not in page.read_text()
    assert str(runs) not in page.read_text()
    for file in shown(page):
        with Image.open(out / file) as picture:
            picture.verify()
    assert (out / "pix2pix.png").read_bytes() == max((runs / "pix2pix" / "samples").glob("*.png")).read_bytes()
    # What stands below a picture is what makes it, to the last byte.
    (place / "runs").symlink_to(runs)
    [line] = [words for words in commands(page) if words[-1] == "text2image.png"]
    answer = command(*line[1:])
    assert answer.status == 0, answer.err
    assert (place / "text2image.png").read_bytes() == (out / "text2image.png").read_bytes()


def test_a_page_made_anew_takes_away_what_it_showed_and_nothing_else(
    gallery: ModuleType, runs: Path, place: Path
) -> None:
    shutil.copytree(runs / "pix2pix", place / "other")
    (place / "gallery").mkdir()
    (place / "gallery" / "mine.png").write_text("mine")
    for run in (runs / "pix2pix", place / "other"):
        gallery.make([run], place / "gallery")
    assert sorted(file.name for file in (place / "gallery").iterdir()) == ["index.md", "mine.png", "other.png"]


def test_runs_are_added_to_those_that_it_is_of(gallery: ModuleType, runs: Path, place: Path) -> None:
    for name in ("other", "third"):
        shutil.copytree(runs / "pix2pix", place / name)
    out = place / "gallery"
    gallery.main([str(runs / "pix2pix"), str(place / "other"), "--out", str(out)])
    before = (out / "index.md").read_text()
    gallery.main(["--add", str(place / "third"), str(runs / "pix2pix"), "--out", str(out)])
    after = (out / "index.md").read_text()
    assert re.findall(r"^## (.*)", after, re.MULTILINE) == ["pix2pix", "other", "third"]
    assert shown(out / "index.md") == ["pix2pix.png", "other.png", "third.png"]
    assert {file.name for file in out.iterdir()} == {"index.md", *shown(out / "index.md")}
    gallery.main([str(runs / "pix2pix"), str(place / "other"), "--out", str(out)])
    assert (out / "index.md").read_text() == before


def test_what_cannot_be_shown_leaves_the_gallery_as_it_was(
    gallery: ModuleType, runs: Path, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(runs / "pix2pix", place / "bare")
    shutil.rmtree(place / "bare" / "samples")
    shutil.copytree(runs / "pix2pix", place / "more" / "bare")
    out = place / "gallery"
    gallery.make([runs / "pix2pix"], out)
    before = {file.name: file.read_bytes() for file in out.iterdir()}
    for words, reason in (
        (["bare"], "bare has no sample grid yet; go on with it by `ganzoo resume bare`"),
        (["more/bare", "bare"], "two runs are called 'bare', and so would be their pictures; rename one"),
        (["nowhere"], "nowhere is no run folder"),
    ):
        with pytest.raises(SystemExit) as stopped:
            gallery.main([*words, "--out", str(out)])
        assert stopped.value.code == 2
        assert reason in capsys.readouterr().err
        assert {file.name: file.read_bytes() for file in out.iterdir()} == before


def test_a_gallery_stays_until_the_next_is_there(
    gallery: ModuleType, runs: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(runs / "pix2pix", place / "other")
    gallery.make([runs / "pix2pix"], place / "gallery")
    before = {file.name: file.read_bytes() for file in (place / "gallery").iterdir()}
    really = shutil.copyfile

    def copyfile(source: Path, target: Path) -> Path:
        if target.parent == place / "gallery":
            raise OSError(28, "No space left on device")
        return really(source, target)

    monkeypatch.setattr(shutil, "copyfile", copyfile)
    with pytest.raises(OSError, match="No space left"):
        gallery.make([place / "other"], place / "gallery")
    assert {file.name: file.read_bytes() for file in (place / "gallery").iterdir()} == before


@pytest.mark.parametrize(
    ("said", "typed"),
    [
        ("/opt/bin/ganzoo run dcgan --epochs 2 --out /home/me/x", "ganzoo run dcgan --epochs 2 --out runs/a"),
        ("/src/ganzoo/__main__.py run dcgan --out=y --data-dir /data", "ganzoo run dcgan --out runs/a"),
        ("ganzoo --plugin /home/me/p.py run p --data folder:cats", "ganzoo run p --data folder:cats --out runs/a"),
        ("ganzoo run lsgan --data /home/me/cats", "ganzoo run lsgan --data cats --out runs/a"),
        ("ganzoo run lsgan --data folder:/home/me/cats", "ganzoo run lsgan --data folder:cats --out runs/a"),
        ("ganzoo run dcgan --text 'a b'", "ganzoo run dcgan --text 'a b' --out runs/a"),
    ],
)
def test_a_command_is_told_without_the_places_of_a_machine(gallery: ModuleType, said: str, typed: str) -> None:
    assert gallery.trained_by(said, "a") == typed


def test_the_time_between_a_stop_and_its_continuation_does_not_count(gallery: ModuleType) -> None:
    log = """2026-01-01 10:00:00,100 INFO begun at iteration 0
2026-01-01 10:00:10,100 WARNING a warning
2026-01-01 10:01:00,100 INFO stopped by SIGTERM at iteration 5
Traceback (most recent call last):
2026-01-02 09:00:00,100 INFO continued at iteration 5
2026-01-02 09:00:30,100 INFO finished at iteration 9
"""
    assert gallery.time_taken(log.splitlines()) == timedelta(seconds=90)
    assert gallery.time_taken([]) == timedelta()


def test_the_page_that_is_here_is_whole_and_small() -> None:
    page = FOLDER / "index.md"
    files = shown(page)
    assert {file.name for file in FOLDER.iterdir() if file.suffix in (".png", ".webp")} == set(files)
    assert sum((FOLDER / file).stat().st_size for file in files) < 3_000_000
    made = {words[-1] for words in commands(page) if words[1] == "generate"}
    assert made <= set(files)
    trained = {words[words.index("--out") + 1] for words in commands(page) if words[1] == "run"}
    assert {words[2] for words in commands(page) if words[1] == "generate"} <= trained
