"""The zoo: what plugins provide, on a shelf for each noun; those that do not work are set aside, with the reason.

A name goes to the first plugin that claims it. Nothing that a plugin does wrong stops another, and a run folder never
names one.
"""

import functools
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from ganzoo import losses
from ganzoo.callbacks import CallbackConfig
from ganzoo.config import NamedConfig
from ganzoo.data.dataset import Dataset
from ganzoo.discovery import ENVIRONMENT as ENVIRONMENT
from ganzoo.discovery import Found, Plugin, find, loose_files
from ganzoo.errors import ContractError, UnknownName
from ganzoo.gan import GAN
from ganzoo.hookspecs import ZOO
from ganzoo.losses import LossScheme
from ganzoo.metrics import builtin
from ganzoo.metrics.extractor import Extractor
from ganzoo.metrics.metric import Metric
from ganzoo.pretrained import PretrainedGAN
from ganzoo.registry import ClassShelf, PretrainedShelf, Shelf
from ganzoo.version import __version__


class Zoo:
    """Everything that plugins provide."""

    def __init__(self) -> None:
        self.gans = ClassShelf(GAN, reserved=_run_options)
        self.losses = ClassShelf(LossScheme)
        self.datasets = ClassShelf(Dataset)
        self.metrics = ClassShelf(Metric)
        self.extractors = ClassShelf(Extractor)
        self.callbacks = ClassShelf(CallbackConfig)
        self.pretrained = PretrainedShelf(PretrainedGAN)
        self.plugins: list[Plugin] = []

    def add(self, found: Found) -> None:
        """Loads one plugin and puts all it provides on the shelves, or nothing of it and the reason why."""
        claims: list[tuple[Shelf[Any], Any]] = []

        def claiming(shelf: Shelf[Any]) -> Callable[[Any], None]:
            def register(thing: Any) -> None:
                shelf.check(thing)
                if thing.label() in [other.label() for known, other in claims if known is shelf]:
                    raise ContractError(f"it registers the {shelf.base.noun} '{thing.label()}' twice")
                claims.append((shelf, thing))

            return register

        plugin = found.register({f"register_{noun}": claiming(shelf) for noun, shelf in self.shelves().items()})
        if plugin.problem:
            self.plugins.append(plugin)
            return
        plugin = replace(plugin, provides=tuple(thing.label() for _, thing in claims))
        self.plugins.append(plugin)
        for shelf, thing in claims:
            shelf.entries[thing.label()] = thing
            shelf.origins[thing.label()] = plugin

    def shelves(self) -> dict[str, Shelf[Any]]:
        """What hooks are named after: `register_<noun>`."""
        return {
            "gans": self.gans,
            "losses": self.losses,
            "datasets": self.datasets,
            "metrics": self.metrics,
            "extractors": self.extractors,
            "callbacks": self.callbacks,
            "pretrained": self.pretrained,
        }

    def shelf(self, kind: type[NamedConfig]) -> Shelf[Any]:
        """The shelf on which classes of that kind stand."""
        return next(shelf for shelf in self.shelves().values() if issubclass(kind, shelf.base))

    def failed(self) -> list[Plugin]:
        """The plugins that were set aside."""
        return [plugin for plugin in self.plugins if plugin.problem]

    def gan(self, name: str) -> type[GAN]:
        """The GAN of that name.

        Raises:
            UnknownName: there is none; it names the nearest, or the plugin that failed to bring it.
        """
        if name in self.gans:
            return self.gans[name]
        # A plugin that failed may be the one that brings it: one of that name, or a file that was named on purpose.
        suspects = [plugin for plugin in self.failed() if plugin.loose or plugin.name.replace("_", "-") == name]
        hint = "; ".join(f"the plugin '{plugin.name}' was set aside: {plugin.problem}" for plugin in suspects)
        raise UnknownName(GAN.noun, name, self.gans, hint)


def zoo() -> Zoo:
    """The zoo of this process, loaded on first use."""
    return _load(loose_files())


@functools.cache
def _load(files: tuple[Path, ...]) -> Zoo:
    loaded = Zoo()
    for name, module in (("losses", losses), ("metrics", builtin)):
        loaded.add(Found(Plugin(name, f"ganzoo {__version__}", builtin=True), functools.partial(_itself, module)))
    for found in find(ZOO, files):
        loaded.add(found)
    return loaded


def _itself(module: ModuleType) -> ModuleType:
    return module


def _run_options() -> Iterable[str]:
    from ganzoo.options import ELSEWHERE, RunOptions  # which ask the zoo for data sets, and import this module

    return {*RunOptions.model_fields, *ELSEWHERE, "display"}
