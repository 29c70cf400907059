"""What a plugin may provide. Each hook is called once, with a function to call for every class that it adds."""

from collections.abc import Callable
from typing import Any, TypeAlias

import pluggy

from ganzoo.config import NamedConfig

Register: TypeAlias = Callable[[type[NamedConfig]], None]

hookspec = pluggy.HookspecMarker("ganzoo")
hookimpl = pluggy.HookimplMarker("ganzoo")


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
