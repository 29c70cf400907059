"""Plugin registry: everything that plugins provide; broken plugins are set aside with the reason.

A name belongs to the first plugin that registers it. A broken plugin does not affect others; a run folder never names
one.
"""

import functools
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ganzoo import builtin
from ganzoo.base.registry import ClassRegistry, Registry
from ganzoo.base.version import __version__
from ganzoo.callbacks import CallbackConfig
from ganzoo.config import NamedConfig
from ganzoo.contract.extractor import Extractor
from ganzoo.contract.gan import GAN
from ganzoo.contract.hookspecs import ZOO
from ganzoo.contract.metric import Metric
from ganzoo.contract.pretrained import PretrainedGAN, PretrainedRegistry
from ganzoo.data.dataset import Dataset
from ganzoo.discovery import ENVIRONMENT as ENVIRONMENT
from ganzoo.discovery import Found, Plugin, find, loose_files
from ganzoo.errors import ContractError
from ganzoo.losses import LossScheme


class PluginRegistry:
    """Registries of everything that plugins provide."""

    def __init__(self) -> None:
        self.gans = ClassRegistry(GAN, reserved=_run_options, hint=self._suspects)
        self.losses = ClassRegistry(LossScheme)
        self.datasets = ClassRegistry(Dataset)
        self.metrics = ClassRegistry(Metric)
        self.extractors = ClassRegistry(Extractor)
        self.callbacks = ClassRegistry(CallbackConfig)
        self.pretrained = PretrainedRegistry(PretrainedGAN)
        self.plugins: list[Plugin] = []

    def add(self, found: Found) -> None:
        """Load a plugin and register all it provides; if anything fails, register nothing and record the reason."""
        claims: list[tuple[Registry[Any], Any]] = []

        def claiming(shelf: Registry[Any]) -> Callable[[Any], None]:
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

    def shelves(self) -> dict[str, Registry[Any]]:
        """Return the registries by the noun of their hook: `register_<noun>`."""
        return {
            "gans": self.gans,
            "losses": self.losses,
            "datasets": self.datasets,
            "metrics": self.metrics,
            "extractors": self.extractors,
            "callbacks": self.callbacks,
            "pretrained": self.pretrained,
        }

    def shelf(self, kind: type[NamedConfig]) -> Registry[Any]:
        """Return the registry for classes of this kind."""
        return next(shelf for shelf in self.shelves().values() if issubclass(kind, shelf.base))

    def failed(self) -> list[Plugin]:
        """Return the plugins that were set aside."""
        return [plugin for plugin in self.plugins if plugin.problem]

    def gan(self, name: str) -> type[GAN]:
        """Return the GAN with this name.

        Raises:
            UnknownName: no such GAN; the message suggests the closest name, or the plugin that failed to load.
        """
        return self.gans.named(name)

    def _suspects(self, name: str) -> str:
        """Describe failed plugins that may provide a name: one with this name, or a file that the user passed."""
        suspects = [plugin for plugin in self.failed() if plugin.loose or plugin.name.replace("_", "-") == name]
        return "; ".join(f"the plugin '{plugin.name}' was set aside: {plugin.problem}" for plugin in suspects)


def zoo() -> PluginRegistry:
    """Return the plugin registry of this process, loaded on first use."""
    return _load(loose_files())


@functools.cache
def _load(files: tuple[Path, ...]) -> PluginRegistry:
    loaded = PluginRegistry()
    loaded.add(Found(Plugin("builtin", f"ganzoo {__version__}", builtin=True), lambda: builtin))
    for found in find(ZOO, files):
        loaded.add(found)
    return loaded


def _run_options() -> Iterable[str]:
    from ganzoo.options.run import CLI_ONLY, RunOptions  # a circular import: they use the zoo's data sets

    return {*RunOptions.model_fields, *CLI_ONLY, "display"}
