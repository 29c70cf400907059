"""The zoo: finds plugins, calls their hooks, and sets aside what does not work, with the reason.

The distribution ganzoo comes first, then others by name, then loose files (`GANZOO_PLUGINS`, `--plugin`). A name goes
to the first that claims it. Nothing that a plugin does wrong stops another, and a run folder never names one.
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
"""The environment variable that names loose plugin files, separated like the entries of PATH."""
HOOKS = "ganzoo_hooks"
"""What a plugin's module may call the version of the hooks that it was written for."""


class PluginRegistry:
    """Everything that plugins provide."""

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
        """Loads one plugin and puts all it provides on the shelves, or nothing of it and the reason why."""
        try:
            module = load()
            plugin = replace(plugin, hooks=_hooks(module))
            _check_hooks(plugin)
            claims = self._claims(module)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # SystemExit, and exceptions of the plugin's own making
            self.plugins.append(replace(plugin, problem=_reason(error)))
            return
        names = tuple(thing.label() for _, thing in claims)
        plugin = replace(plugin, provides=names)
        self.plugins.append(plugin)
        for shelf, thing in claims:
            shelf.entries[thing.label()] = thing
            shelf.origins[thing.label()] = plugin

    def _claims(self, module: object) -> list[tuple[Registry[Any], Any]]:
        # A manager of its own for each plugin: pluggy stops at the first hook that raises, and reports a misspelt hook
        # without saying whose it is.
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

    def shelf(self, kind: type[NamedConfig]) -> Registry[Any]:
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


def zoo() -> PluginRegistry:
    """The zoo of this process, loaded on first use."""
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
    from ganzoo.options.run import CLI_ONLY, RunOptions  # which ask the zoo for data sets, and import this module

    return {*RunOptions.model_fields, *CLI_ONLY, "display"}


def _order(entry: EntryPoint) -> tuple[bool, str, str]:
    return not _is_ganzoo(entry), _distribution(entry.dist)[0] if entry.dist else "", entry.name


def _is_ganzoo(entry: EntryPoint) -> bool:
    return entry.dist is not None and _distribution(entry.dist)[0] == "ganzoo"


@functools.cache
def _distribution(distribution: Distribution) -> tuple[str, str]:
    """Its name and version, for which its whole metadata are parsed: 3 ms each time they are asked for."""
    return distribution.name, distribution.version


def _load_file(path: Path) -> ModuleType:
    # By its whole path, as files of one name may lie in several folders.
    name = f"ganzoo_file_{path.stem}_{hashlib.sha256(bytes(path)).hexdigest()[:16]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ContractError("it is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # classes look their module up when they are asked for its docstring
    try:
        spec.loader.exec_module(module)
    except BaseException:  # SystemExit, and exceptions of the plugin's own making
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
    except Exception:  # the words, too, are the plugin's
        text = "no reason given"
    if isinstance(error, ContractError):
        return text
    if isinstance(error, pluggy.PluginValidationError):
        return text.removeprefix(f"{getattr(error, 'plugin', None)!r} ")
    # Where in the plugin, or in what it uses: Python's own import machinery is of no interest.
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "importlib" not in frame.filename]
    last = frames[-1]
    where = "" if last.filename == __file__ else f" ({Path(last.filename).name}, line {last.lineno})"
    return f"{type(error).__name__}: {text}{where}"
