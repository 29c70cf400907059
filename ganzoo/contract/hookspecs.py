"""Hooks of plugins. Each is called once, with a function that registers one thing.

A plugin may declare the version of the hooks that it needs, `ganzoo_hooks = 1` in its module. If it is newer than this
one, the plugin is set aside instead of failing later. docs/hooks.md lists the changes by version.

`ganzoo --help` imports this module, and with it neither torch nor pydantic.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import pluggy

if TYPE_CHECKING:
    import click

    from ganzoo.config import NamedConfig
    from ganzoo.contract.pretrained import PretrainedGAN

HOOKS_VERSION = 2
"""Version of the hooks: incremented for a new hook, or a change in the call of an old one."""
ZOO = "ganzoo"
"""Entry point group of plugins that add to the zoo."""
COMMANDS = "ganzoo.commands"
"""Entry point group of plugins that add commands; `ganzoo --help` imports these and no others."""

Register: TypeAlias = Callable[["type[NamedConfig] | PretrainedGAN | click.Command"], None]
"""Function passed to a hook: registers a class, a `PretrainedGAN` or a command under its name."""

hookspec = pluggy.HookspecMarker("ganzoo")
hookimpl = pluggy.HookimplMarker("ganzoo")
"""Decorator for a plugin's function that implements one of the hooks below: `@ganzoo.hookimpl`."""


@hookspec
def register_gans(register: Register) -> Any:
    """Add GANs: `register(MyGAN)` for each `ganzoo.GAN` class, under its `name`."""


@hookspec
def register_losses(register: Register) -> Any:
    """Add losses: `register(MyLoss)` for each `ganzoo.LossScheme` class, under its `kind`."""


@hookspec
def register_datasets(register: Register) -> Any:
    """Add data sets: `register(MyDataset)` for each `ganzoo.Dataset` class, under its `name`."""


@hookspec
def register_metrics(register: Register) -> Any:
    """Add metrics: `register(MyMetric)` for each `ganzoo.SetMetric` or `ganzoo.PairMetric` class, under its `kind`."""


@hookspec
def register_extractors(register: Register) -> Any:
    """Add extractors: `register(MyExtractor)` for each `ganzoo.Extractor` class, under its `kind`."""


@hookspec
def register_callbacks(register: Register) -> Any:
    """Add callbacks: `register(MyLogger)` for each `ganzoo.CallbackConfig` class, under its `kind`."""


@hookspec
def register_pretrained(register: Register) -> Any:
    """Add trained weights: `register(PretrainedGAN(name, folder))` for each export that the package ships."""


@hookspec
def register_commands(register: Register) -> Any:
    """Add commands to `ganzoo`: `register(command)` for each `click.Command`, under its name."""
