"""The files of a new GAN's package: templates, in which the words that stand for others are replaced."""

import importlib.resources
import os
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.resources.abc import Traversable
from pathlib import Path

import ganzoo
from ganzoo.base.io import atomic_write
from ganzoo.errors import OptionError, typed
from ganzoo_new.families import FAMILIES
from ganzoo_new.names import check_name, class_name, module_name

ENDING = ".template"
"""What templates end in, so that no tool takes them for what they are to become; modules are Python as they stand."""
LONGEST_AUTHOR = 60
FIRST_RUN = "--image-size 32 --limit 512 --epochs 2"
"""Options of a run of a minute or so on a processor."""


@dataclass(frozen=True)
class Package:
    """A new GAN's package, not yet written."""

    name: str
    files: Mapping[str, str]
    """What is in each, by its path in the package."""

    @property
    def module(self) -> str:
        """The file that is the GAN."""
        return f"{module_name(self.name)}.py"

    def commands(self, folder: Path) -> tuple[str, ...]:
        """What to type once it is written there."""
        enter = () if folder.absolute() == Path.cwd() else (f"cd {shlex.quote(str(folder))}",)
        return *enter, "pip install -e '.[dev]'", "pytest", f"ganzoo run {self.name} {FIRST_RUN}"


def compose(name: str, family: str, author: str = "") -> Package:
    """A package for a new GAN.

    Args:
        name: of the GAN, as in `ganzoo run NAME`.
        family: one of FAMILIES.
        author: who is named in the licence and in `pyproject.toml`; without one, "The NAME authors".

    Raises:
        OptionError: the name or the author's cannot be used; it says why, and what to try.
    """
    check_name(name)
    author = author.strip() or f"The {name} authors"
    _check_author(author)
    templates = importlib.resources.files(__package__) / "templates"
    words = _words(name, family, author)
    words["EDIT"] = (templates / f"{family}.md").read_text(encoding="utf-8").rstrip()
    # `\b` keeps AUTHOR from being found in the licence's AUTHORS.
    pattern = re.compile("|".join(rf"\b{word}\b" if word.isupper() else word for word in words))

    def filled(text: str) -> str:
        return pattern.sub(lambda found: words[found[0]], text)

    files = {filled("my_gan.py"): filled((templates / f"{family}.py").read_text(encoding="utf-8"))}
    for path, text in _below(templates / "package"):
        files[filled(path)] = filled(text)
    return Package(name, files)


def _words(name: str, family: str, author: str) -> dict[str, str]:
    about, own = FAMILIES[family], ganzoo.__version__
    major, minor = own.split(".")[:2]
    return {
        "my-gan": name,
        "my_gan": module_name(name),
        "MyGAN": class_name(name),
        "AUTHOR": author,
        "YEAR": str(datetime.now().astimezone().year),
        "LOWEST": f"{major}.{minor}" if own.replace(".", "").isdigit() else own,  # a development version has more to it
        "HIGHEST": str(int(major) + 1),
        "WHAT": about.makes,
        "DATASET": about.data,
        "TRY": f"ganzoo run {name} {FIRST_RUN}",
    }


def _check_author(author: str) -> None:
    if len(author) > LONGEST_AUTHOR or not author.isprintable() or set(author) & set('"\\()'):
        raise OptionError(
            f"an author cannot be called {typed(author)}: a name has {LONGEST_AUTHOR} letters at most, all on one "
            'line, and no quotation marks ("), parentheses or backslashes; give another --author'
        )


def _below(folder: Traversable) -> Iterator[tuple[str, str]]:
    """The path of every file that its templates are for, with '/' on all systems, and what is in them."""
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from ((f"{entry.name}/{path}", text) for path, text in _below(entry))
        elif entry.name.endswith(ENDING):
            yield entry.name.removesuffix(ENDING), entry.read_text(encoding="utf-8")


def write(package: Package, folder: Path) -> None:
    """Writes a package into a new or an empty folder, whole or not at all.

    Raises:
        OptionError: something is there, or it cannot be written.
    """
    try:
        _write(package, folder)
    except OSError as error:
        raise OptionError(f"'{folder}' cannot be written ({error.strerror or error}); give another --out") from error


def _write(package: Package, folder: Path) -> None:
    place = folder.absolute()
    there = place.is_dir()  # it stays the same folder: somebody may stand in it
    hidden = (place if there else place.parent) / f".{place.name}.{os.getpid()}"
    with atomic_write(hidden, place, _move_into if there else Path.rename) as draft:
        _check_free(folder)
        for path, text in package.files.items():
            file = draft / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="\n")


def _move_into(draft: Path, place: Path) -> None:
    moved: list[Path] = []
    try:
        for source in list(draft.iterdir()):
            target = place / source.name
            source.rename(target)
            moved.append(target)
    except BaseException:  # Ctrl-C, too
        for target in moved:
            target.replace(draft / target.name)  # which is removed
        raise


def _check_free(folder: Path) -> None:
    if folder.is_dir():
        if any(folder.iterdir()):
            raise OptionError(f"the folder '{folder}' is not empty; give another --out")
    elif os.path.lexists(folder):
        raise OptionError(f"'{folder}' is a file, not a folder; give another --out")
