"""ganzoo from Python: train with `run`, take up a run folder with `load`, make images with what they return."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import torch

from ganzoo.callbacks import CallbackConfig
from ganzoo.contract.callback import Callback
from ganzoo.contract.gan import GAN
from ganzoo.errors import OptionError
from ganzoo.loading import load_trained
from ganzoo.metrics import evaluate as evaluating
from ganzoo.notebook import NotebookDisplay, is_notebook
from ganzoo.options.file import resolve_with
from ganzoo.options.run import resolve
from ganzoo.plugins import zoo
from ganzoo.runs.folder import RunFolder
from ganzoo.sampling.trained import TrainedGAN
from ganzoo.training import run as runs

Looking: TypeAlias = Callback | CallbackConfig | str | Mapping[str, object]
"""What may look on while a run trains: an object, or what a registered one is made from."""


def run(
    gan: str | GAN | type[GAN],
    *,
    config: str | Path | None = None,
    out: str | Path | None = None,
    data_dir: str | Path | None = None,
    callback: Looking | Sequence[Looking] = (),
    display: bool = True,
    **options: Any,
) -> TrainedGAN:
    """Trains a GAN and returns it; the same as `ganzoo run`.

    Args:
        gan: the name of a registered GAN, or a class or configuration of your own.
        config: a file of options, YAML, TOML or JSON, as `--config` takes it; `options` win over it.
        out: the run folder; one that holds the same run is continued. None: a new one below `runs/`.
        data_dir: where downloads are kept.
        callback: what looks on while it trains, one or several: names and configurations of registered ones, as the
            command line takes them, and objects of your own, which are told first.
        display: whether a notebook shows progress, losses and the last sample grid; elsewhere nothing is shown.
        options: what the command line takes as flags: `epochs=1, loss="hinge", image_size="32"`. A table reaches
            into a choice: `optimizer={"lr": 1e-3}`.

    Raises:
        UserError: what was asked cannot be done; nothing was written, or, where data or disk fail later on, all up to
            the last checkpoint is whole.
        Diverged: a loss or a weight is no number.
        ContractError: the GAN breaks the contract.
        Interrupted: a signal asked to stop (a KeyboardInterrupt, in a notebook too); all is saved.
        PeerError: another process of the same run is gone.
    """
    several = [callback] if isinstance(callback, Callback | CallbackConfig | str | Mapping) else list(callback)
    own = [one for one in several if isinstance(one, Callback)]
    if chosen := [one for one in several if not isinstance(one, Callback)]:
        options["callback"] = chosen
    if display and is_notebook():
        own.insert(0, NotebookDisplay())
    if isinstance(gan, GAN) and (options.get("recipe") is not None or config is not None):
        source = "config file" if options.get("recipe") is None else "recipe"
        raise OptionError(
            f"a {source} says what a GAN's options are, and these are already given; name the class alone"
        )
    kind = zoo().gan(gan) if isinstance(gan, str) else gan if isinstance(gan, type) else type(gan)
    zoo().gans.check_fields(kind)  # which no plugin need have registered
    if isinstance(gan, GAN):
        resolved = resolve(kind, options, dict(gan))
    else:
        resolved = resolve_with(kind, options, Path(config) if config is not None else None)
    folder = runs.run(
        resolved,
        Path(out) if out is not None else None,
        Path(data_dir) if data_dir is not None else None,
        *own,
    )
    return load(folder.path, device=resolved.device, gan=kind)


def load(
    folder: str | Path,
    *,
    device: str | torch.device = "auto",
    gan: type[GAN] | None = None,
    checkpoint: str | int = "newest",
    **options: Any,
) -> TrainedGAN:
    """Takes up a checkpoint of a run folder, or the weights that come with a package.

    Args:
        folder: what `ganzoo run` left, an export, or the name of a pretrained GAN. A folder of that name wins.
        device: where to make images.
        gan: the class, if no plugin registers it.
        checkpoint: "newest", the newest whole one; "best", that which was judged best as it trained; or an iteration.
        options: those of the GAN's that only change how images are made (its `may_change`): `truncation=0.7`.

    Raises:
        UserError: it is no run folder and no pretrained GAN, has no checkpoint yet, or its GAN is not installed; its
            files are damaged; or an option is no such.
    """
    return load_trained(folder, device, gan, options, checkpoint)


def evaluate(run: str | Path | TrainedGAN, *, data_dir: str | Path | None = None, **options: Any) -> dict[str, Any]:
    """Measure what a trained GAN makes, as `ganzoo evaluate` does, and add the line to its evaluations.jsonl.

    Nothing is added to the folder of a pretrained GAN, which is part of a package.

    Args:
        run: what `load` returned, or what it takes: a run folder, an export or the name of a pretrained GAN.
        data_dir: folder of downloads (default: the user's cache).
        options: options of the command line: `metric=["fid", "kid"], samples=1000, extractor="digits"`.

    Returns:
        The line: `iteration`, `when`, `protocol` and `figures` by metric.

    Raises:
        UserError: there is no such run; the data, the extractor or its weights cannot be had; what is asked for cannot
            be measured here, or not with so few images; or the folder cannot be written to.
        Diverged: the images that it makes are no numbers.
    """
    trained = run if isinstance(run, TrainedGAN) else load(run)
    ready = evaluating.ready_for(trained, options, Path(data_dir) if data_dir is not None else None)
    line = ready.line(trained.iteration, ready.measure(trained.nets))
    evaluating.keep(RunFolder(trained.folder), line, ready.neighbors)
    return line
