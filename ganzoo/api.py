"""Python API: train with `run`, load a run folder with `load`, measure with `evaluate`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import torch

from ganzoo.callbacks import CallbackConfig
from ganzoo.contract.callback import Callback
from ganzoo.contract.gan import GAN
from ganzoo.distributed.context import DistributedContext
from ganzoo.errors import OptionError, RunFolderError
from ganzoo.loading import load_trained
from ganzoo.metrics import evaluate as evaluating
from ganzoo.notebook import NotebookDisplay, is_notebook
from ganzoo.options.file import resolve_with
from ganzoo.options.run import RunOptions, resolve
from ganzoo.plugins import zoo
from ganzoo.runs import checkpoint as checkpoints
from ganzoo.runs.folder import RunFolder
from ganzoo.sampling.trained import TrainedGAN
from ganzoo.training import run as runs
from ganzoo.training.callbacks.checkpointer import Checkpointer
from ganzoo.training.trainer import Trainer

Looking: TypeAlias = Callback | CallbackConfig | str | Mapping[str, object]
"""Callback of a run: an object, or the name or configuration of a registered one."""


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
    """Train a GAN and return it, as `ganzoo run` does.

    Args:
        gan: name of a registered GAN, or a class or configuration of your own.
        config: file of options in YAML, TOML or JSON, as for `--config`; `options` take precedence.
        out: run folder; a folder of the same run is resumed (default: a new one below `runs/`).
        data_dir: folder of downloads (default: the user's cache).
        callback: one or several callbacks: names and configurations of registered ones, as on the command line, and
            objects of your own, which are called first.
        display: whether a notebook shows progress, losses and the last sample grid; no effect elsewhere.
        options: options of the command line: `epochs=1, loss="hinge", image_size="32"`. A mapping sets options of a
            choice: `optimizer={"lr": 1e-3}`.

    Raises:
        UserError: an option, the data or the run folder cannot be used. Nothing is written; if the data or the disk
            fails later, everything up to the last checkpoint is intact.
        Diverged: a loss or a weight is NaN or infinite.
        ContractError: the GAN violates the contract.
        Interrupted: a signal stopped the run, after a checkpoint (a KeyboardInterrupt, also in a notebook).
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
    zoo().gans.check_fields(kind)  # an unregistered class has not been checked yet
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
    """Load a checkpoint of a run folder, or the weights of a pretrained GAN.

    Args:
        folder: run folder, export, or name of a pretrained GAN. An existing folder takes precedence over a name.
        device: device to generate images on.
        gan: class of the GAN, if no plugin registers it.
        checkpoint: "newest", the latest intact one; "best", the one with the best weights; or an iteration.
        options: options of the GAN that only affect sampling (its `may_change`): `truncation=0.7`.

    Raises:
        UserError: the folder is neither a run nor a pretrained GAN, has no checkpoint yet or is damaged; the GAN is not
            installed; or an option does not exist.
    """
    return load_trained(folder, device, gan, options, checkpoint)


def prepare(options: RunOptions, data_dir: str | Path | None = None) -> Trainer:
    """Load the data and build the networks of a run, without a run folder: for programs that make its iterations.

    Processes that torchrun started join each other. Nothing is written but downloads.

    Args:
        options: result of `ganzoo.options.resolve`.
        data_dir: folder of downloads (default: the user's cache).

    Raises:
        UserError: the data, the device or the shapes cannot be had.
    """
    return Trainer.setup(
        options, Path(data_dir) if data_dir is not None else None, DistributedContext.join(options.resolve_device())
    )


def save_checkpoint(run: Trainer, folder: RunFolder) -> Path:
    """Save the state of a run in its folder, and return the checkpoint.

    Raises:
        Diverged: a loss or a weight is NaN or infinite.
        RunFolderError: it cannot be written.
    """
    run.saved = -1  # one that was just made would not be made again
    run.folder = folder
    Checkpointer().save(run)
    return checkpoints.checkpoints(folder.checkpoints)[-1]


def load_checkpoint(run: Trainer, folder: RunFolder) -> Path:
    """Put a run back into the state of the newest whole checkpoint of its folder, and return the checkpoint.

    Raises:
        RunFolderError: there is none, or it is of another run.
    """
    found = checkpoints.newest(folder.checkpoints)
    if found is None:
        raise RunFolderError(f"{folder.path} has no checkpoint")
    run.load_state_dict(found[1])
    return found[0]


def evaluate(run: str | Path | TrainedGAN, *, data_dir: str | Path | None = None, **options: Any) -> dict[str, Any]:
    """Evaluate a trained GAN, as `ganzoo evaluate` does, and append the result to its evaluations.jsonl.

    Nothing is written to the folder of a pretrained GAN, which is part of a package.

    Args:
        run: result of `load`, or what `load` takes: a run folder, an export or the name of a pretrained GAN.
        data_dir: folder of downloads (default: the user's cache).
        options: options of the command line: `metric=["fid", "kid"], samples=1000, extractor="digits"`.

    Returns:
        The row: `iteration`, `when`, `protocol` and `figures` by metric.

    Raises:
        UserError: the run, the data, the extractor or its weights are not available; a metric does not apply, or not to
            so few images; or the folder is not writable.
        Diverged: the generated images are NaN or infinite.
    """
    trained = run if isinstance(run, TrainedGAN) else load(run)
    ready = evaluating.ready_for(trained, options, Path(data_dir) if data_dir is not None else None)
    line = ready.line(trained.iteration, ready.measure(trained.nets))
    evaluating.keep(RunFolder(trained.folder), line, ready.neighbors)
    return line
