"""A package of every family, as `ganzoo new` writes it: installed, tested, listed and trained.

Its types are checked where the templates are: they are modules of ganzoo's own.
"""

import json
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from ganzoo_new.cli import git_user
from ganzoo_new.families import FAMILIES
from ganzoo_new.names import LONGEST
from ganzoo_new.package import FIRST_RUN, LONGEST_AUTHOR, compose, write
from shared import Command, run_command
from strangers import Installed, install

ROOT = Path(__file__).parents[3]
AUTHOR = "Zoë O'Neill"
SEVERAL = """
import shlex, sys
from ganzoo.cli import main
for line in sys.argv[1:]:
    try:
        main(shlex.split(line))
    except SystemExit as stop:
        assert not stop.code, line
"""
"""Commands in one process, so that torch is imported once."""


def name_of(family: str) -> str:
    return f"{family}-new-gan"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a package of each family."""
    folder = tmp_path_factory.mktemp("written")
    for family in FAMILIES:
        name = name_of(family)
        answer = run_command("new", name, "--family", family, "--author", AUTHOR, "--out", str(folder / name))
        assert answer.status == 0, answer.err
    return folder


@pytest.fixture(scope="module")
def installed(written: Path) -> Installed:
    return install([written / name_of(family) for family in FAMILIES], written)


def test_their_own_tests_pass(written: Path, installed: Installed) -> None:
    names = [name_of(family) for family in FAMILIES]
    tests = [str(written / name / f"test_{name.replace('-', '_')}.py") for name in names]
    # Not by way of the folder: what is tested is what was installed.
    said = installed.python("-m", "pytest", "-p", "no:cacheprovider", "--import-mode=importlib", "-W", "error", *tests)
    assert f"{len(names)} passed" in said


def test_they_are_listed_as_what_they_are(installed: Installed) -> None:
    listed = json.loads(installed.ganzoo("list", "--json"))
    assert not listed["set_aside"]
    rows = {row["name"]: row for row in listed["gans"]}
    makes = {"noise": "noise", "classes": "class", "paired": "image", "unpaired": "image", "text": "text"}
    for family in FAMILIES:
        row = rows[name_of(family)]
        assert row["from"] == f"ganzoo-{name_of(family)} 0.1.0"
        assert row["family"] == f"{makes[family]} to image"
        assert row["summary"]
        assert row["year"].startswith("20")


def test_they_train_and_make_images(installed: Installed) -> None:
    lines = [
        f"run {name_of(family)} --image-size 32 --limit 8 --batch-size 4 --epochs 1 --out {family}"
        for family in FAMILIES
    ]
    installed.python("-c", SEVERAL, *lines, "generate noise -n 2 -o noise.png", "generate text --text cat -o text.png")
    for family in FAMILIES:
        status = json.loads((installed.work / family / "status.json").read_text())
        assert status["state"] == "finished"
    assert (installed.work / "noise.png").stat().st_size
    assert (installed.work / "text.png").stat().st_size


def test_a_module_is_read_in_a_minute(written: Path) -> None:
    for family in FAMILIES:
        module = written / name_of(family) / f"{family}_new_gan.py"
        assert len(module.read_text(encoding="utf-8").splitlines()) < 50


def test_a_test_has_three_lines(written: Path) -> None:
    lines = (written / "noise-new-gan" / "test_noise_new_gan.py").read_text(encoding="utf-8").splitlines()
    assert len([line for line in lines if line and "import" not in line]) <= 3


@pytest.mark.process
@pytest.mark.parametrize("name", ["a1", "a" * (LONGEST - 4) + "-gan"], ids=["short", "long"])
def test_they_are_in_order_whatever_their_names(name: str, tmp_path: Path) -> None:
    for family in FAMILIES:
        write(compose(name, family, "A" * LONGEST_AUTHOR), tmp_path / family)
    for words in (["check"], ["format", "--check"]):
        ruff = [sys.executable, "-m", "ruff", *words, "--no-cache", *map(str, sorted(tmp_path.iterdir()))]
        done = subprocess.run(ruff, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_no_word_is_left_that_stands_for_another(written: Path) -> None:
    for file in (path for family in FAMILIES for path in (written / name_of(family)).rglob("*") if path.is_file()):
        text = file.read_text(encoding="utf-8")
        for word in ("my-gan", "my_gan", "MyGAN", "LOWEST", "HIGHEST", "DATASET", "EDIT\n", "TRY", "YEAR", "AUTHOR,"):
            assert word not in f"{file.name} {text}", file


def test_the_project_is_whole(written: Path) -> None:
    folder = written / "noise-new-gan"
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["authors"] == [{"name": AUTHOR}]
    assert project["entry-points"] == {"ganzoo": {"noise-new-gan": "noise_new_gan"}}
    major, minor = version("ganzoo").split(".")[:2]
    assert project["dependencies"] == [f"ganzoo>={major}.{minor},<{int(major) + 1}"]
    licence, ours = ((path / "LICENSE").read_text(encoding="utf-8").splitlines() for path in (folder, ROOT))
    assert licence[2].startswith("Copyright (c) 20")
    assert licence[2].endswith(AUTHOR)
    assert licence[:2] + licence[3:] == ours[:2] + ours[3:]
    assert (folder / ".gitignore").is_file()
    assert "${{ matrix.python }}" in (folder / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8")


def test_it_says_what_to_type_next(command: Command, place: Path) -> None:
    answer = command("new", "red-gan", "--author", AUTHOR, "--out", "a folder")
    assert answer.status == 0, answer.err
    first, *following = answer.out.splitlines()
    lines = len(Path("a folder", "red_gan.py").read_text(encoding="utf-8").splitlines())
    assert first == f"{Path('a folder', 'red_gan.py')}: {lines} lines, the GAN; beside it 6 other files"
    run = f"ganzoo run red-gan {FIRST_RUN}"
    assert [line.strip() for line in following] == ["next:", "cd 'a folder'", "pip install -e '.[dev]'", "pytest", run]
    assert run in (place / "a folder" / "README.md").read_text(encoding="utf-8")


def test_json_is_what_was_written(command: Command, place: Path) -> None:
    (place / "empty").mkdir()
    about = json.loads(command("new", "red-gan", "--family", "text", "--out", "empty", "--json").out)
    assert (about["name"], about["family"], about["folder"], about["module"]) == (
        "red-gan", "text", "empty", "red_gan.py",
    )  # fmt: skip
    there = sorted(path.relative_to("empty").as_posix() for path in Path("empty").rglob("*") if path.is_file())
    assert about["files"] == there
    assert about["next"][0] == "cd empty"


def test_the_authors_name_is_gits(command: Command, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "gitconfig").write_text("[user]\n\tname = Ada from git\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(place / "gitconfig"))
    command("new", "red-gan")
    assert "Ada from git" in (place / "red-gan" / "LICENSE").read_text(encoding="utf-8")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(place / "none"))
    command("new", "blue-gan")
    assert "The blue-gan authors" in (place / "blue-gan" / "LICENSE").read_text(encoding="utf-8")


def test_git_speaks_utf_8_whatever_the_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    said: dict[str, object] = {}

    def run(*words: object, **options: object) -> subprocess.CompletedProcess[str]:
        said.update(options)
        return subprocess.CompletedProcess([], 0, "Zoë\n")

    monkeypatch.setattr(subprocess, "run", run)
    assert git_user() in ("Zoë", ""), "empty where there is no git"
    assert said.get("encoding", "utf-8") == "utf-8"
    assert "text" not in said


def test_the_wheel_brings_the_templates() -> None:
    wheel = pytest.importorskip("hatchling.builders.wheel")
    shipped = {file.distribution_path for file in wheel.WheelBuilder(str(ROOT)).recurse_included_files()}
    package = Path(__file__).parents[1]
    for file in (path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
        assert (file.relative_to(package.parent).as_posix() in shipped) == (package / "tests" not in file.parents)
