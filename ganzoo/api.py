"""ganzoo from Python: train with `run`, take up a run folder with `load`, make images with what they return."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import torch

from ganzoo.callbacks import CallbackConfig
from ganzoo.configfile import resolve_with
from ganzoo.data.spec import DataSpec
from ganzoo.engine import checkpoint as checkpoints
from ganzoo.engine import loop, resume, state, training
from ganzoo.engine import run as runs
from ganzoo.engine.callback import Callback
from ganzoo.engine.folder import RunFolder
from ganzoo.engine.ranks import Ranks
from ganzoo.engine.speed import Speed
from ganzoo.engine.training import Training
from ganzoo.errors import OptionError, OutOfMemory, RunFolderError, SizeError, typed
from ganzoo.gan import GAN
from ganzoo.generation.asking import told_anew
from ganzoo.generation.trained import TrainedGAN
from ganzoo.locate import locate
from ganzoo.machine import held_to_free_memory, lacks_memory
from ganzoo.networks import Networks
from ganzoo.notebook import NotebookDisplay, is_notebook
from ganzoo.options import RunOptions, resolve
from ganzoo.plugins import zoo

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
    return take_up(folder, device, gan, options, checkpoint)


def prepare(options: RunOptions, data_dir: str | Path | None = None) -> Training:
    """Load the data and build the networks of a run, without a run folder: for programs that make its iterations.

    Processes that torchrun started join each other. Nothing is written but downloads.

    Args:
        options: of `ganzoo.options.resolve`.
        data_dir: where downloads are kept.

    Raises:
        UserError: the data, the device or the shapes cannot be had.
    """
    return training.prepare(options, Path(data_dir) if data_dir is not None else None, Ranks.join(options.place()))


def save_checkpoint(run: Training, folder: RunFolder) -> Path:
    """Save the state of a run in its folder, and return the checkpoint.

    Raises:
        Diverged: a loss or a weight is no number.
        RunFolderError: it cannot be written.
    """
    run.saved = -1  # one that was just made would not be made again
    loop.save(run, folder)
    return checkpoints.checkpoints(folder.checkpoints)[-1]


def load_checkpoint(run: Training, folder: RunFolder) -> Path:
    """Put a run back into the state of the newest whole checkpoint of its folder, and return the checkpoint.

    Raises:
        RunFolderError: there is none, or it is of another run.
    """
    found = checkpoints.newest(folder.checkpoints)
    if found is None:
        raise RunFolderError(f"{folder.path} has no checkpoint")
    state.restore(run, found[1])
    return found[0]


def take_up(
    folder: str | Path,
    device: str | torch.device,
    gan: type[GAN] | None,
    options: Mapping[str, object],
    checkpoint: str | int = "newest",
) -> TrainedGAN:
    """What `load` does, whatever the options are called."""
    if not isinstance(folder, str | os.PathLike):
        expected = "it must be the path of a run folder, or the name of a pretrained GAN"
        raise OptionError(f"option 'folder' cannot be {typed(folder)}: {expected}")
    files = RunFolder(locate(folder))
    # Its own part only: what it was trained on and how need not be installed, or be there, to use it.
    config = told_anew(resume.gan_of(files, gan), options)
    data = files.load(files.data, DataSpec)
    place = Speed(device=str(device)).place()
    with held_to_free_memory():
        iteration, weights = resume.checkpoint_of(files, checkpoint)
        nets = _networks(files, config, data)
    state.load_networks(nets, weights, files.path)
    return TrainedGAN(files.path, config, data, nets.to(place).eval(), iteration)


def _networks(files: RunFolder, gan: GAN, data: DataSpec) -> Networks:
    """What the files say that the networks were, which need not be what they were."""
    if missing := sorted(gan.needs - data.shapes.keys()):
        raise RunFolderError(f"{files.data} cannot be used: '{gan.name}' needs {', '.join(missing)}, which it has not")
    try:
        return gan.build(data)
    except SizeError as error:
        raise RunFolderError(f"{files.data} cannot be used: {error}") from error
    except (RuntimeError, MemoryError) as error:
        if not lacks_memory(error):
            raise
        raise OutOfMemory(f"there is not enough memory for the networks of {files.path}") from error
