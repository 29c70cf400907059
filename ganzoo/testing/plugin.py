"""Fixtures that pytest finds wherever ganzoo is installed: `pytest --fixtures` lists them.

All of their names begin with `ganzoo_`. Nothing heavy is imported until one of them is used.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from ganzoo import GAN, Dataset, TrainedGAN
    from ganzoo.config import NamedConfig
    from ganzoo.plugins import Zoo


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

    Two iterations on the CPU, of four images of 32 x 32 each; unless `data` says otherwise, these are random.
    Options are those of `ganzoo.run`, and win over these.
    """
    made = 0

    def run(gan: "str | GAN | type[GAN]", **options: Any) -> "TrainedGAN":
        nonlocal made
        import ganzoo
        from ganzoo.plugins import zoo
        from ganzoo.testing.trial import made_up

        kind = zoo().gan(gan) if isinstance(gan, str) else gan
        made += 1
        usual = {"image_size": 32, "limit": 8, "batch_size": 4, "epochs": 1, "precision": "fp32", "device": "cpu"}
        if "data" not in options:
            usual["data"] = made_up(kind.needs)
        return ganzoo.run(gan, **{"out": tmp_path / f"ganzoo-run-{made}", "display": False, **usual, **options})

    return run


class Registers(Protocol):
    """`ganzoo_zoo`, for annotations."""

    def __call__(self, *things: "type[NamedConfig] | str | Path") -> "Zoo": ...


@pytest.fixture
def ganzoo_zoo(monkeypatch: pytest.MonkeyPatch) -> Iterator[Registers]:
    """Registers classes, or plugin files, for the time of one test: `ganzoo_zoo(MyGAN, MyLoss)`, then `--gan my-gan`.

    Whatever is registered is refused as a plugin's is; the ContractError says why.
    """
    from ganzoo.errors import ContractError
    from ganzoo.plugins import ENVIRONMENT, Plugin, Zoo, zoo

    added: list[type[NamedConfig]] = []
    zoos: list[Zoo] = []

    def register(*things: "type[NamedConfig] | str | Path") -> Zoo:
        files = [str(thing) for thing in things if not isinstance(thing, type)]
        if files:
            known = os.environ.get(ENVIRONMENT)
            monkeypatch.setenv(ENVIRONMENT, os.pathsep.join([*([known] if known else []), *files]))
            for plugin in zoo().failed():
                if plugin.loose:
                    raise ContractError(f"{plugin.package}: {plugin.problem}")
        added.extend(thing for thing in things if isinstance(thing, type))
        zoos.append(zoo())
        for thing in added:
            shelf = zoo().shelf(thing)
            if shelf.get(thing.label()) is not thing:
                shelf.check(thing)
                shelf.classes[thing.label()] = thing
                shelf.origins[thing.label()] = Plugin(thing.label(), thing.__module__, loose=True)
        return zoo()

    yield register
    for known in zoos:
        for thing in added:
            shelf = known.shelf(thing)
            if shelf.get(thing.label()) is thing:
                del shelf.classes[thing.label()], shelf.origins[thing.label()]
