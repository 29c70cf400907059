"""Fixtures that pytest finds wherever ganzoo is installed: `pytest --fixtures` lists them.

All of their names begin with `ganzoo_`. Nothing heavy is imported until one of them is used.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from ganzoo import GAN, Dataset, TrainedGAN
    from ganzoo.config import NamedConfig
    from ganzoo.plugins import Zoo
    from ganzoo.registry import ClassShelf


@pytest.fixture(scope="session")
def ganzoo_images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of eight coloured PNG files, 32 x 32, for `data=f"folder:{ganzoo_images}"`. Not to be changed."""
    return _written("write_images", tmp_path_factory)


@pytest.fixture(scope="session")
def ganzoo_classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same images in two sub-folders, which are classes: `data=f"folder:{ganzoo_classes}"`. Not to be changed."""
    return _written("write_classes", tmp_path_factory)


@pytest.fixture(scope="session")
def ganzoo_pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pairs, grey to colour, side by side in one file: `data=f"pairs:{ganzoo_pairs}"`. Not to be changed."""
    return _written("write_pairs", tmp_path_factory)


@pytest.fixture(scope="session")
def ganzoo_shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tar archives of four samples: image, class, caption, pair; `data=f"shards:{ganzoo_shards}"`. Left alone."""
    return _written("write_shards", tmp_path_factory)


def _written(writer: str, folders: pytest.TempPathFactory) -> Path:
    from ganzoo.testing import tiny

    write: Callable[[Path], Path] = getattr(tiny, writer)
    return write(folders.mktemp(writer))


class MakesData(Protocol):
    """`ganzoo_data`, for annotations."""

    def __call__(self, *fields: str) -> "Dataset": ...


@pytest.fixture(scope="session")
def ganzoo_data() -> MakesData:
    """Makes data sets of twelve random rows with the fields that are named: `ganzoo_data("image", "label")`.

    Labels are of five classes; images are of whatever size and channels a run asks for.
    """

    def make(*fields: str) -> "Dataset":
        from ganzoo.testing.trial import made_up

        return made_up(frozenset(fields))

    return make


class Trains(Protocol):
    """`ganzoo_run`, for annotations."""

    def __call__(self, gan: "str | GAN | type[GAN]", **options: Any) -> "TrainedGAN": ...


@pytest.fixture
def ganzoo_run(tmp_path: Path) -> Trains:
    """Trains a GAN for seconds, into a folder of the test's own: `ganzoo_run(MyGAN, image_size=16).generate(4)`.

    Two iterations on the CPU, of four images of 32 x 32 each; unless `data` says otherwise, these are random. Of data
    that is streamed, it is one pass. Options are those of `ganzoo.run`, and win over these.
    """
    made = 0

    def run(gan: "str | GAN | type[GAN]", **options: Any) -> "TrainedGAN":
        nonlocal made
        import ganzoo
        from ganzoo.plugins import zoo
        from ganzoo.testing.trial import made_up

        kind = zoo().gan(gan) if isinstance(gan, str) else gan
        made += 1
        usual = {"image_size": 32, "batch_size": 4, "epochs": 1, "precision": "fp32", "device": "cpu", "workers": 0}
        usual["data"] = options.get("data", made_up(kind.needs))
        if not _is_streamed(usual["data"]):  # of a stream no rows can be picked
            usual["limit"] = 8
        return ganzoo.run(gan, **{"out": tmp_path / f"ganzoo-run-{made}", "display": False, **usual, **options})

    return run


def _is_streamed(data: object) -> bool:
    """Whether what `--data` or a configuration names is a stream; what is no data set is refused elsewhere."""
    from ganzoo.data.dataset import Dataset

    if isinstance(data, Dataset):
        return data.streamed
    values = Dataset.parse(data) if isinstance(data, str) else data
    kind = Dataset.choices().get(str(values.get("name"))) if isinstance(values, Mapping) else None
    return kind is not None and kind.streamed


class Registers(Protocol):
    """`ganzoo_zoo`, for annotations."""

    def __call__(self, *things: "type[NamedConfig] | str | Path") -> "Zoo": ...


@pytest.fixture
def ganzoo_zoo(monkeypatch: pytest.MonkeyPatch) -> Iterator[Registers]:
    """Registers classes, or plugin files, for the time of one test: `ganzoo_zoo(MyGAN, MyLoss)`, then `--gan my-gan`.

    Whatever is registered is refused as a plugin's is; the ContractError says why. What is there already stays.
    """
    from ganzoo.discovery import Plugin
    from ganzoo.plugins import Zoo, zoo

    added: list[type[NamedConfig]] = []
    zoos: list[Zoo] = []

    def register(*things: "type[NamedConfig] | str | Path") -> Zoo:
        _load_files([str(thing) for thing in things if not isinstance(thing, type)], monkeypatch)
        zoos.append(zoo())
        for thing in (*added, *(thing for thing in things if isinstance(thing, type))):
            shelf = _shelf(thing)
            if thing in shelf.values():
                continue
            shelf.check(thing)
            shelf.entries[thing.label()] = thing
            shelf.origins[thing.label()] = Plugin(thing.label(), thing.__module__, loose=True)
            if thing not in added:
                added.append(thing)
        return zoo()

    yield register
    for known in zoos:
        for thing in added:
            shelf = known.shelf(thing)
            if shelf.get(thing.label()) is thing:
                del shelf.entries[thing.label()], shelf.origins[thing.label()]


def _load_files(files: Sequence[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Has the zoo load these files, too.

    Raises:
        ContractError: one was set aside; then they are none of the zoo's.
    """
    from ganzoo.discovery import ENVIRONMENT
    from ganzoo.errors import ContractError
    from ganzoo.plugins import zoo

    before = os.environ.get(ENVIRONMENT)
    known = [file for file in (before or "").split(os.pathsep) if file]
    there = {_place(file) for file in known}
    new = {_place(file): file for file in files if _place(file) not in there}
    if not new:
        return
    monkeypatch.setenv(ENVIRONMENT, os.pathsep.join([*known, *new.values()]))
    for plugin in zoo().failed():
        if plugin.loose and Path(plugin.package) in new:
            monkeypatch.setenv(ENVIRONMENT, before or "")
            raise ContractError(f"{plugin.package}: {plugin.problem}")


def _place(file: str) -> Path:
    return Path(file).expanduser().absolute()


def _shelf(thing: "type[NamedConfig]") -> "ClassShelf[Any]":
    """Where a class of that kind stands in the zoo.

    Raises:
        ContractError: nothing of that kind does.
    """
    from ganzoo.errors import ContractError
    from ganzoo.plugins import zoo
    from ganzoo.registry import ClassShelf

    shelves = [shelf for shelf in zoo().shelves().values() if isinstance(shelf, ClassShelf)]
    found = next((shelf for shelf in shelves if issubclass(thing, shelf.base)), None)
    if found is None:
        bases = " or ".join(f"ganzoo.{shelf.base.__name__}" for shelf in shelves)
        raise ContractError(f"{thing.__name__} is nothing that a zoo has; expected a class that inherits {bases}")
    return found
