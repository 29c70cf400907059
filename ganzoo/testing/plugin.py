"""Fixtures available to pytest wherever ganzoo is installed; `pytest --fixtures` lists them.

All names begin with `ganzoo_`. Nothing heavy is imported until one of them is used.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from ganzoo import GAN, Dataset, TrainedGAN
    from ganzoo.base.registry import ClassRegistry
    from ganzoo.config import NamedConfig
    from ganzoo.plugins import PluginRegistry


@pytest.fixture(scope="session")
def ganzoo_images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of eight colored PNG files, 32 x 32, for `data=f"folder:{ganzoo_images}"`. Read-only."""
    return _written("write_images", tmp_path_factory)


@pytest.fixture(scope="session")
def ganzoo_classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the same images in two sub-folders (classes), for `data=f"folder:{ganzoo_classes}"`. Read-only."""
    return _written("write_classes", tmp_path_factory)


@pytest.fixture(scope="session")
def ganzoo_pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of pairs, gray and color side by side in one file, for `data=f"pairs:{ganzoo_pairs}"`. Read-only."""
    return _written("write_pairs", tmp_path_factory)


@pytest.fixture(scope="session")
def ganzoo_shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tar archives of four samples: image, class, caption, pair; `data=f"shards:{ganzoo_shards}"`. Read-only."""
    return _written("write_shards", tmp_path_factory)


def _written(writer: str, folders: pytest.TempPathFactory) -> Path:
    from ganzoo.testing import tiny

    write: Callable[[Path], Path] = getattr(tiny, writer)
    return write(folders.mktemp(writer))


class MakesData(Protocol):
    """Type of the fixture `ganzoo_data`, for annotations."""

    def __call__(self, *fields: str) -> "Dataset": ...


@pytest.fixture(scope="session")
def ganzoo_data() -> MakesData:
    """Function that makes data sets of twelve random rows with these fields: `ganzoo_data("image", "label")`.

    Labels have five classes; images have the size and channels of the run.
    """

    def make(*fields: str) -> "Dataset":
        from ganzoo.testing.trial import made_up

        return made_up(frozenset(fields))

    return make


class Trains(Protocol):
    """Type of the fixture `ganzoo_run`, for annotations."""

    def __call__(self, gan: "str | GAN | type[GAN]", **options: Any) -> "TrainedGAN": ...


@pytest.fixture
def ganzoo_run(tmp_path: Path) -> Trains:
    """Function that trains a GAN for seconds, into a temporary folder: `ganzoo_run(MyGAN, image_size=16).generate(4)`.

    Two iterations on the CPU, each with four images of 32 x 32, random by default; for streamed data, one pass. Options
    are those of `ganzoo.run`, and override these.
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
        if not _is_streamed(usual["data"]):  # rows of a stream cannot be limited
            usual["limit"] = 8
        return ganzoo.run(gan, **{"out": tmp_path / f"ganzoo-run-{made}", "display": False, **usual, **options})

    return run


def _is_streamed(data: object) -> bool:
    """Whether data is a stream; invalid names are reported elsewhere."""
    from ganzoo.data.dataset import Dataset

    if isinstance(data, Dataset):
        return data.streamed
    values = Dataset.parse(data) if isinstance(data, str) else data
    kind = Dataset.choices().get(str(values.get("name"))) if isinstance(values, Mapping) else None
    return kind is not None and kind.streamed


class Registers(Protocol):
    """Type of the fixture `ganzoo_zoo`, for annotations."""

    def __call__(self, *things: "type[NamedConfig] | str | Path") -> "PluginRegistry": ...


@pytest.fixture
def ganzoo_zoo(monkeypatch: pytest.MonkeyPatch) -> Iterator[Registers]:
    """Function that registers classes or plugin files during a test: `ganzoo_zoo(MyGAN)`, then `--gan my-gan`.

    Invalid ones raise a ContractError, as for plugins. Existing ones stay.
    """
    from ganzoo.discovery import Plugin
    from ganzoo.plugins import PluginRegistry, zoo

    added: list[type[NamedConfig]] = []
    zoos: list[PluginRegistry] = []

    def register(*things: "type[NamedConfig] | str | Path") -> PluginRegistry:
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
    """Load these plugin files into the zoo.

    Raises:
        ContractError: if one fails; then none is loaded.
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


def _shelf(thing: "type[NamedConfig]") -> "ClassRegistry[Any]":
    """Return the registry for a class.

    Raises:
        ContractError: if there is none.
    """
    from ganzoo.base.registry import ClassRegistry
    from ganzoo.errors import ContractError
    from ganzoo.plugins import zoo

    shelves = [shelf for shelf in zoo().shelves().values() if isinstance(shelf, ClassRegistry)]
    found = next((shelf for shelf in shelves if issubclass(thing, shelf.base)), None)
    if found is None:
        bases = " or ".join(f"ganzoo.{shelf.base.__name__}" for shelf in shelves)
        raise ContractError(f"{thing.__name__} is nothing that a zoo has; expected a class that inherits {bases}")
    return found
