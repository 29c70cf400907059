"""Commands of plugins, which the hook `register_commands` brings; ganzoo's own tools are among them.

A plugin whose commands do not work is set aside with its reason, and all other commands work.
"""

import functools
import re
from collections.abc import Iterable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import Any

import rich_click as click

from ganzoo.base.version import __version__
from ganzoo.commands import printable
from ganzoo.contract.hookspecs import COMMANDS
from ganzoo.discovery import Plugin, find, loose_files
from ganzoo.errors import ContractError

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True)
class PluginCommands:
    """The commands that plugins brought, and what became of the plugins."""

    commands: Mapping[str, click.Command]
    plugins: tuple[Plugin, ...]


class Root(click.RichGroup):
    """The command `ganzoo`, with the commands of plugins beside the core's own."""

    def brought(self) -> PluginCommands:
        """The plugins' commands, loaded on first use."""
        return load(loose_files(), frozenset(self.commands))

    def list_commands(self, ctx: click.Context) -> list[str]:
        found = self.brought()
        _tell_problems(found.plugins, ctx)
        return sorted([*self.commands, *found.commands])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name; plugins are asked only for one that the core does not have."""
        if cmd_name in self.commands:
            return self.commands[cmd_name]
        found = self.brought()
        if cmd_name not in found.commands:
            _tell_problems(found.plugins, ctx)
        return found.commands.get(cmd_name)


@functools.cache
def load(files: tuple[Path, ...], taken: frozenset[str]) -> PluginCommands:
    """Loads the plugins that bring commands.

    Args:
        files: loose plugin files.
        taken: names of commands that the core has.
    """
    origins = dict.fromkeys(taken, f"ganzoo {__version__}")
    commands: dict[str, click.Command] = {}
    plugins: list[Plugin] = []
    for found in find(COMMANDS, files):
        claims: dict[str, click.Command] = {}

        def register(command: Any, claims: dict[str, click.Command] = claims) -> None:
            name = _checked(command)
            if name in origins:
                raise ContractError(f"the command '{name}' is already provided by {origins[name]}")
            if name in claims:
                raise ContractError(f"it registers the command '{name}' twice")
            claims[name] = command

        with redirect_stdout(StringIO()):  # a shell would take what plugins print for completions
            plugin = found.register({"register_commands": register})
        if not plugin.problem:
            commands.update(claims)
            origins.update(dict.fromkeys(claims, plugin.package))
            plugin = replace(plugin, provides=tuple(claims))
        plugins.append(plugin)
    return PluginCommands(commands, tuple(plugins))


def all_plugins() -> list[Plugin]:
    """The plugins of the zoo and those of commands; a loose file that is both is listed once."""
    from ganzoo.cli import root
    from ganzoo.plugins import zoo

    found = {(plugin.name, plugin.package): plugin for plugin in zoo().plugins}
    for plugin in root.brought().plugins:
        known = found.get((plugin.name, plugin.package), plugin)
        provides = tuple(dict.fromkeys([*known.provides, *plugin.provides]))
        key = (plugin.name, plugin.package)
        found[key] = replace(known, provides=provides, problem=known.problem or plugin.problem)
    return list(found.values())


def _checked(command: Any) -> str:
    """The name of what is to be a command.

    Raises:
        ContractError: it is none, or has no name that can be typed.
    """
    if not isinstance(command, click.Command):
        raise ContractError(f"it registers {command!r}; expected a click.Command")
    if not (isinstance(command.name, str) and NAME.fullmatch(command.name)):
        raise ContractError(f"it registers a command called {command.name!r}; expected lower-case words joined by '-'")
    return command.name


def _tell_problems(plugins: Iterable[Plugin], ctx: click.Context) -> None:
    """Says once which plugins were set aside, in a line each; but not to a shell, which shows nobody."""
    if ctx.resilient_parsing or ctx.meta.setdefault(__name__, False):
        return
    ctx.meta[__name__] = True
    for plugin in plugins:
        if plugin.problem:
            click.echo(f"note: the plugin '{plugin.name}' was set aside: {printable(plugin.problem)}", err=True)
