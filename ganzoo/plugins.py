"""Plugin registry: finds plugins, calls their hooks, and sets aside broken ones with the reason.

The order is: the distribution ganzoo, other distributions by name, loose files (`GANZOO_PLUGINS`, `--plugin`). A name
belongs to the first plugin that registers it. A broken plugin does not affect others; a run folder never names one.
"""

import functools
import hashlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Callable, Iterable
from dataclasses import replace
from importlib.metadata import Distribution, EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy

from ganzoo import builtin
from ganzoo.base.io import expanduser
from ganzoo.base.registry import ClassRegistry, Plugin, Registry
from ganzoo.base.version import __version__
from ganzoo.callbacks import CallbackConfig
from ganzoo.config import LIMIT, NamedConfig
from ganzoo.contract import hookspecs
from ganzoo.contract.extractor import Extractor
from ganzoo.contract.gan import GAN
from ganzoo.contract.hookspecs import HOOKS_VERSION
from ganzoo.contract.metric import Metric
from ganzoo.contract.pretrained import PretrainedGAN, PretrainedRegistry
from ganzoo.data.dataset import Dataset
from ganzoo.errors import ContractError, UnknownName, typed
from ganzoo.losses import LossScheme

ENVIRONMENT = "GANZOO_PLUGINS"
"""Environment variable with the paths of loose plugin files, separated like PATH."""
HOOKS = "ganzoo_hooks"
"""Optional variable of a plugin's module: the version of the hooks that it was written for."""


class PluginRegistry:
    """Registries of everything that plugins provide."""

    def __init__(self) -> None:
        self.gans = ClassRegistry(GAN, reserved=_run_options)
        self.losses = ClassRegistry(LossScheme)
        self.datasets = ClassRegistry(Dataset)
        self.metrics = ClassRegistry(Metric)
        self.extractors = ClassRegistry(Extractor)
        self.callbacks = ClassRegistry(CallbackConfig)
        self.pretrained = PretrainedRegistry(PretrainedGAN)
        self.plugins: list[Plugin] = []

    def add(self, plugin: Plugin, load: Callable[[], object]) -> None:
        """Load a plugin and register all it provides; if anything fails, register nothing and record the reason."""
        try:
            module = load()
            plugin = replace(plugin, hooks=_hooks(module))
            _check_hooks(plugin)
            claims = self._claims(module)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # SystemExit, and custom exceptions
            self.plugins.append(replace(plugin, problem=_reason(error)))
            return
        names = tuple(thing.label() for _, thing in claims)
        plugin = replace(plugin, provides=names)
        self.plugins.append(plugin)
        for shelf, thing in claims:
            shelf.entries[thing.label()] = thing
            shelf.origins[thing.label()] = plugin

    def _claims(self, module: object) -> list[tuple[Registry[Any], Any]]:
        # One manager per plugin: pluggy stops at the first hook that raises, and does not say whose hook is misspelled.
        manager = pluggy.PluginManager("ganzoo")
        manager.add_hookspecs(hookspecs)
        manager.register(module)
        manager.check_pending()
        if not manager.get_hookcallers(module):
            raise ContractError("it implements no hook; is @ganzoo.hookimpl missing?")
        claims: list[tuple[Registry[Any], Any]] = []
        for noun, shelf in self.shelves().items():

            def register(thing: Any, shelf: Registry[Any] = shelf) -> None:
                shelf.check(thing)
                if thing.label() in [other.label() for known, other in claims if known is shelf]:
                    raise ContractError(f"it registers the {shelf.base.noun} '{thing.label()}' twice")
                claims.append((shelf, thing))

            getattr(manager.hook, f"register_{noun}")(register=register)
        return claims

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
        if name in self.gans:
            return self.gans[name]
        # A plugin that failed may provide it: one with this name, or a file that the user passed.
        suspects = [plugin for plugin in self.failed() if plugin.loose or plugin.name.replace("_", "-") == name]
        hint = "; ".join(f"the plugin '{plugin.name}' was set aside: {plugin.problem}" for plugin in suspects)
        raise UnknownName(GAN.noun, name, self.gans, hint)


def zoo() -> PluginRegistry:
    """Return the plugin registry of this process, loaded on first use."""
    named = filter(None, os.environ.get(ENVIRONMENT, "").split(os.pathsep))
    return _load(tuple(expanduser(file).absolute() for file in named))


@functools.cache
def _load(files: tuple[Path, ...]) -> PluginRegistry:
    found = PluginRegistry()
    found.add(Plugin("builtin", f"ganzoo {__version__}", builtin=True), lambda: builtin)
    for entry in sorted(entry_points(group="ganzoo"), key=_order):
        package = " ".join(_distribution(entry.dist)) if entry.dist else "unknown"
        found.add(Plugin(entry.name, package, builtin=_is_ganzoo(entry)), entry.load)
    for path in files:
        found.add(Plugin(path.stem, str(path), loose=True), functools.partial(_load_file, path))
    return found


def _run_options() -> Iterable[str]:
    from ganzoo.options.run import CLI_ONLY, RunOptions  # a circular import: they use the zoo's data sets

    return {*RunOptions.model_fields, *CLI_ONLY, "display"}


def _order(entry: EntryPoint) -> tuple[bool, str, str]:
    return not _is_ganzoo(entry), _distribution(entry.dist)[0] if entry.dist else "", entry.name


def _is_ganzoo(entry: EntryPoint) -> bool:
    return entry.dist is not None and _distribution(entry.dist)[0] == "ganzoo"


@functools.cache
def _distribution(distribution: Distribution) -> tuple[str, str]:
    """Return name and version. Cached, as parsing the metadata takes 3 ms."""
    return distribution.name, distribution.version


def _load_file(path: Path) -> ModuleType:
    # Hash of the whole path, as files in different folders may have the same name.
    name = f"ganzoo_file_{path.stem}_{hashlib.sha256(bytes(path)).hexdigest()[:16]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ContractError("it is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # classes look up their module's docstring
    try:
        spec.loader.exec_module(module)
    except BaseException:  # SystemExit, and custom exceptions
        sys.modules.pop(name, None)
        raise
    return module


def _hooks(module: object) -> int | None:
    hooks = getattr(module, HOOKS, None)
    if hooks is None or (type(hooks) is int and 0 < hooks < LIMIT):
        return hooks
    raise ContractError(f"its {HOOKS} is {typed(hooks)}; expected a whole number from 1: {HOOKS} = {HOOKS_VERSION}")


def _check_hooks(plugin: Plugin) -> None:
    if plugin.hooks is not None and plugin.hooks > HOOKS_VERSION:
        raise ContractError(
            f"it needs hooks version {plugin.hooks}; this is ganzoo {__version__} with {HOOKS_VERSION}: "
            "pip install -U ganzoo"
        )


def _reason(error: BaseException) -> str:
    try:
        text = " ".join(str(error).split()) or "no reason given"
    except Exception:  # __str__ of a plugin's exception may raise
        text = "no reason given"
    if isinstance(error, ContractError):
        return text
    if isinstance(error, pluggy.PluginValidationError):
        return text.removeprefix(f"{getattr(error, 'plugin', None)!r} ")
    # Location in the plugin or in a library, not in Python's import machinery.
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "importlib" not in frame.filename]
    last = frames[-1]
    where = "" if last.filename == __file__ else f" ({Path(last.filename).name}, line {last.lineno})"
    return f"{type(error).__name__}: {text}{where}"
