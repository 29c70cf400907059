"""What `ganzoo new` does not do, and what it says instead. Nothing is left of what it does not do."""

import os
import sys
from pathlib import Path

import pytest
from ganzoo_new.names import class_name
from ganzoo_new.package import Package, write
from shared import Command

from ganzoo.errors import OptionError
from ganzoo.plugins import ENVIRONMENT

MINE = """
import ganzoo
from ganzoo_dcgan import DCGAN
class Mine(DCGAN):
    name = "mine-gan"
@ganzoo.hookimpl
def register_gans(register):
    register(Mine)
"""


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("My GAN", "joined by '-', that begin with a letter; try 'my-gan'"),
        ("MyGAN", "try 'my-gan'"),
        ("my_gan", "try 'my-gan'"),
        ("Café", "try 'cafe'"),
        ("3d-gan", "begin with a letter; try 'd-gan'"),
        ("-my-gan", "No such option"),
        ("my--gan", "try 'my-gan'"),
        ("猫", "that begin with a letter\n"),
        ("", "that begin with a letter\n"),
        ("../../etc/my-gan", "try 'etc-my-gan'"),
        ("my-gan\n", "try 'my-gan'"),
        ("a" * 200, "a name has 40 letters at most"),
        ("A" * 200, "that begin with a letter\n"),
        ("class", "'class' is a keyword of Python, and would be the name of its module; try 'class-gan'"),
        ("json", "its module 'json.py' would hide Python's own 'json'; try 'json-gan'"),
        ("torch", "its module 'torch.py' would hide the package 'torch' that is installed; try 'torch-gan'"),
        ("ganzoo", "would hide the package 'ganzoo'"),
        ("ganzoo-dcgan", "would hide the package 'ganzoo_dcgan'"),
        ("conftest", "pytest takes 'conftest.py' for its own"),
        ("dcgan", "there is a GAN of that name, provided by ganzoo"),
        ("hinge", "there is a loss of that name, provided by ganzoo"),
    ],
)
def test_a_name_that_will_not_do(name: str, said: str, command: Command, place: Path) -> None:
    answer = command("new", name)
    assert answer.status == 2
    assert said in answer.err
    assert not list(place.iterdir())


def test_a_name_that_another_plugin_has(command: Command, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "mine.py").write_text(MINE)
    monkeypatch.setenv(ENVIRONMENT, str(place / "mine.py"))
    answer = command("new", "mine-gan")
    assert answer.status == 2
    assert "there is a GAN of that name, provided by mine.py; try 'my-mine-gan'" in answer.err


def test_a_file_in_the_working_directory_is_no_package(
    command: Command, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", ["", str(place), *sys.path])
    (place / "blue_gan.py").write_text("")
    (place / "green_gan").mkdir()
    assert command("new", "blue-gan").status == 0
    assert command("new", "green-gan", "--out", "elsewhere").status == 0


def test_a_package_that_is_installed_below_the_working_directory(
    command: Command, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = place / ".venv" / "lib" / "site-packages"
    (installed / "without_init").mkdir(parents=True)
    (installed / "blue_gan.py").write_text("")
    monkeypatch.syspath_prepend(installed)
    for name, module in (("blue-gan", "blue_gan"), ("without-init", "without_init")):
        answer = command("new", name)
        assert answer.status == 2
        assert f"'{module}.py' would hide the package '{module}' that is installed" in answer.err
    assert [path.name for path in place.iterdir()] == [".venv"]


@pytest.mark.parametrize(
    ("name", "kind"), [("my-gan", "MyGAN"), ("cats", "CatsGAN"), ("cyclegan", "CycleGAN"), ("a-2gan-b", "A2ganBGAN")]
)
def test_a_class_is_called_after_its_gan(name: str, kind: str) -> None:
    assert class_name(name) == kind


@pytest.mark.parametrize(("family", "near"), [("nose", "did you mean 'noise'?"), ("x", "there are: classes, noise,")])
def test_a_family_that_there_is_not(family: str, near: str, command: Command, place: Path) -> None:
    answer = command("new", "red-gan", "--family", family)
    assert answer.status == 2
    assert answer.err.startswith(f"Error: no family is called '{family}'; {near}")
    assert not list(place.iterdir())


@pytest.mark.parametrize("author", ["a" * 61, 'Ann "A" Lee', "a\nb", "Lee (work)", "back\\slash", "\x1b[31mred"])
def test_an_author_that_would_break_the_files(author: str, command: Command, place: Path) -> None:
    answer = command("new", "red-gan", "--author", author)
    assert answer.status == 2
    assert "an author cannot be called" in answer.err
    assert "give another --author" in answer.err
    assert not list(place.iterdir())


def test_a_folder_with_something_in_it(command: Command, place: Path) -> None:
    (place / "red-gan").mkdir()
    (place / "red-gan" / "kept.txt").write_text("kept")
    answer = command("new", "red-gan")
    assert answer.status == 2
    assert answer.err == "Error: the folder 'red-gan' is not empty; give another --out\n"
    assert [path.name for path in (place / "red-gan").iterdir()] == ["kept.txt"]


def test_a_file_in_the_place_of_the_folder(command: Command, place: Path) -> None:
    (place / "red-gan").write_text("kept")
    (place / "lost").symlink_to("nowhere")
    for words in (["red-gan"], ["red-gan", "--out", "lost"]):
        answer = command("new", *words)
        assert (answer.status, "is a file, not a folder; give another --out" in answer.err) == (2, True)
    assert "cannot be written" in command("new", "red-gan", "--out", "red-gan/deeper").err
    assert (place / "red-gan").read_text() == "kept"


@pytest.mark.parametrize("there", [True, False], ids=["empty folder", "no folder"])
def test_it_is_written_whole_or_not_at_all(there: bool, place: Path) -> None:
    folder = place / "a" / "b"
    if there:
        folder.mkdir(parents=True)
    package = Package("red-gan", {"one.py": "1", "two.py/three.py": "2", "two.py": "a folder is there"})
    with pytest.raises(OptionError, match="cannot be written"):
        write(package, folder)
    assert not there or not list(folder.iterdir())
    assert there or not list(place.iterdir())


def test_a_disk_that_fails_half_way(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moves: list[Path] = []
    really = Path.rename

    def rename(self: Path, target: Path) -> None:
        moves.append(target)
        if len(moves) == 3:
            raise OSError(28, "No space left on device")
        really(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    package = Package("red-gan", {"one.py": "1", "two/three.py": "2", "four.py": "3", "five.py": "4"})
    with pytest.raises(OptionError, match="No space left on device"):
        write(package, place)
    assert len(moves) == 3
    assert not list(place.iterdir())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_to(command: Command, place: Path) -> None:
    place.chmod(0o500)
    answer = command("new", "red-gan")
    place.chmod(0o700)
    assert answer.status == 2
    assert "Permission denied" in answer.err


def test_a_folder_that_may_not_be_searched(command: Command, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed, really = place / "closed", Path.stat

    def stat(self: Path, **options: bool) -> os.stat_result:  # as it is for everybody but root
        if closed in self.absolute().parents:
            raise PermissionError(13, "Permission denied", str(self))
        return really(self, **options)

    monkeypatch.setattr(Path, "stat", stat)
    answer = command("new", "red-gan", "--out", "closed/red-gan")
    assert (answer.status, answer.out) == (2, "")
    assert answer.err == "Error: 'closed/red-gan' cannot be written (Permission denied); give another --out\n"


def test_the_folder_one_stands_in(command: Command, place: Path) -> None:
    answer = command("new", "red-gan", "--out", ".")
    assert answer.status == 0, answer.err
    assert (Path.cwd() / "red_gan.py").is_file()
    assert "cd " not in answer.out
