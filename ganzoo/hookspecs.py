"""What a plugin may provide. Each hook is called once, with a function to call for all that it adds.

A plugin may say which version of the hooks it was written for, `ganzoo_hooks = 1` in its module: one that needs newer
ones than there are is set aside, in place of failing in its midst. What changes the version stands in docs/hooks.md.

`ganzoo --help` imports this module, and with it neither torch nor pydantic.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import pluggy

if TYPE_CHECKING:
    import click

    from ganzoo.config import NamedConfig
    from ganzoo.pretrained import PretrainedGAN

HOOKS_VERSION = 2
"""The version of the hooks: one more whenever there is a new hook, or an old one is called otherwise."""
ZOO = "ganzoo"
"""The entry points of plugins that add to the zoo."""
COMMANDS = "ganzoo.commands"
"""The entry points of plugins that add commands: they are imported for `ganzoo --help`, the others are not."""

Register: TypeAlias = Callable[["type[NamedConfig] | PretrainedGAN | click.Command"], None]
"""What a hook is given: called with a class, a `PretrainedGAN` or a command, it adds that, under its name."""

hookspec = pluggy.HookspecMarker("ganzoo")
hookimpl = pluggy.HookimplMarker("ganzoo")
"""Marks a function of a plugin as one of the hooks below: `@ganzoo.hookimpl`."""


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
    """Add what looks on while a run trains: `register(MyLogger)` for each `ganzoo.CallbackConfig`, under its `kind`."""


@hookspec
def register_pretrained(register: Register) -> Any:
    """Add trained weights: `register(PretrainedGAN(name, folder))` for each export that the package ships."""


@hookspec
def register_commands(register: Register) -> Any:
    """Add commands to `ganzoo`: `register(command)` for each `click.Command`, under its name."""
