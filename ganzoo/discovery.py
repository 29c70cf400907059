"""Where plugins are found, and how one is loaded: on its own, so that what is wrong with it stops nothing else.

The distribution ganzoo comes first, then others by name, then loose files (`GANZOO_PLUGINS`, `--plugin`). This module
imports neither torch nor any plugin, as `ganzoo --help` uses it, too.
"""

import functools
import hashlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import Distribution, EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy

from ganzoo.base.io import expanduser
from ganzoo.base.registry import Plugin as Plugin
from ganzoo.base.version import __version__
from ganzoo.contract import hookspecs
from ganzoo.contract.hookspecs import COMMANDS, HOOKS_VERSION, ZOO
from ganzoo.errors import ContractError, typed

ENVIRONMENT = "GANZOO_PLUGINS"
"""The environment variable that names loose plugin files, separated like the entries of PATH."""
HOOKS = "ganzoo_hooks"
"""What a plugin's module may call the version of the hooks that it was written for."""
HIGHEST = 10**6
"""What a version stays below, so that an error can show it."""


@dataclass(frozen=True)
class Found:
    """A plugin that was found and not yet loaded."""

    plugin: Plugin
    load: Callable[[], object]
    """Gives its module."""

    def register(self, registers: Mapping[str, Callable[[Any], None]]) -> Plugin:
        """Loads the plugin and calls its hooks; returns it as it is known then, with the problem if there is one.

        Args:
            registers: what each hook is given, by the hook's name. A loose file may have others, too.
        """
        plugin = self.plugin
        try:
            module = self.load()
            plugin = replace(plugin, hooks=_hooks(module))
            _check_hooks(plugin)
            _call_hooks(module, registers, plugin.loose)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # SystemExit, and exceptions of the plugin's own making
            return replace(plugin, problem=_reason(error))
        return plugin


def loose_files() -> tuple[Path, ...]:
    """The loose plugin files that this process was told of."""
    named = filter(None, os.environ.get(ENVIRONMENT, "").split(os.pathsep))
    return tuple(expanduser(file).absolute() for file in named)


def find(group: str, files: tuple[Path, ...]) -> Iterator[Found]:
    """The plugins with an entry point of the group, ganzoo's own first, then the loose files."""
    for entry in sorted(entry_points(group=group), key=_order):
        package = " ".join(_distribution(entry.dist)) if entry.dist else "unknown"
        yield Found(Plugin(entry.name, package, builtin=_is_ganzoo(entry)), entry.load)
    for path in files:
        yield Found(Plugin(path.stem, str(path), loose=True), functools.partial(_load_file, path))


def _call_hooks(module: object, registers: Mapping[str, Callable[[Any], None]], loose: bool) -> None:
    # A manager of its own for each plugin: pluggy stops at the first hook that raises, and reports a misspelt hook
    # without saying whose it is.
    manager = pluggy.PluginManager("ganzoo")
    manager.add_hookspecs(hookspecs)
    manager.register(module)
    manager.check_pending()
    hooks = {caller.name for caller in manager.get_hookcallers(module) or ()}
    if not hooks:
        raise ContractError("it implements no hook; is @ganzoo.hookimpl missing?")
    if not loose and (misplaced := sorted(hooks - registers.keys())):
        group = COMMANDS if misplaced[0] == "register_commands" else ZOO
        raise ContractError(
            f"it implements {misplaced[0]}, which belongs in another module: one with an entry point in '{group}'"
        )
    for name in sorted(hooks & registers.keys(), key=list(registers).index):
        getattr(manager.hook, name)(register=registers[name])


def _order(entry: EntryPoint) -> tuple[bool, str, str]:
    return not _is_ganzoo(entry), _distribution(entry.dist)[0] if entry.dist else "", entry.name


def _is_ganzoo(entry: EntryPoint) -> bool:
    return entry.dist is not None and _distribution(entry.dist)[0] == "ganzoo"


@functools.cache
def _distribution(distribution: Distribution) -> tuple[str, str]:
    """Its name and version, for which its whole metadata are parsed: 3 ms each time they are asked for."""
    return distribution.name, distribution.version


def _load_file(path: Path) -> ModuleType:
    state = os.stat(path)  # noqa: PTH116 - an error of a Path's own would name a line of Python's
    return _load_file_as(path, (state.st_mtime_ns, state.st_size))


@functools.cache  # its commands and what it adds to the zoo are asked for apart, and it is run once
def _load_file_as(path: Path, _: tuple[int, int]) -> ModuleType:
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
    if hooks is None or (type(hooks) is int and 0 < hooks < HIGHEST):
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
