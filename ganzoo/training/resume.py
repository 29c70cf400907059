"""Resuming: options, data and checkpoints of a run folder, and initial weights."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import safetensors.torch
import torch

from ganzoo.base.torchrun import rank_and_count, started_by_launcher
from ganzoo.callbacks import NONE, CallbackConfig
from ganzoo.config import cli_name, validate
from ganzoo.contract.augment import AUGMENT
from ganzoo.contract.data_spec import DataSpec
from ganzoo.contract.networks import Pretrained
from ganzoo.distributed.context import DistributedContext
from ganzoo.errors import OptionError, RunFolderError, UnknownName, UserError, typed
from ganzoo.loading import checkpoint_of, gan_of
from ganzoo.options.run import RunOptions
from ganzoo.runs import checkpoint, weights
from ganzoo.runs.folder import RunFolder
from ganzoo.runs.locate import locate

if TYPE_CHECKING:
    from ganzoo.training.trainer import Trainer


def options_of(folder: RunFolder, changes: Mapping[str, object]) -> RunOptions:
    """Return the options for resuming the run in a folder.

    Args:
        folder: folder of the run.
        changes: new values of options that may change.

    Raises:
        RunFolderError: if it is no run folder, or an export.
        UserError: if its GAN or data set is not installed, or an option has an invalid value.
    """
    gan_of(folder)
    folder.check_trains()
    config = folder.read(folder.config)
    check_config(folder, {name: value for name, value in config.items() if name not in changes})
    if started_by_launcher() and config.get("processes") != rank_and_count()[1]:
        config["processes"] = 1  # torchrun sets the number
    return validate(RunOptions, {**config, **changes})


def check_config(folder: RunFolder, config: Mapping[str, object]) -> None:
    """Check that a config.json is valid.

    Raises:
        RunFolderError: if it has unknown options or names something that is not installed.
    """
    try:
        validate(RunOptions, config)
    except OptionError as error:
        raise RunFolderError(f"{folder.config} cannot be used: {error}") from error
    except UnknownName as error:
        if error.noun != CallbackConfig.noun:
            raise
        raise RunFolderError(
            f"{folder.path} has a callback that is not there: {error}\n"
            f"install the package that brings it, add --plugin FILE, or go on without by --callback {NONE}"
        ) from error


def resume_or_initialize(trainer: "Trainer", folder: RunFolder | None) -> None:
    """Restore the last whole checkpoint of the folder, or load the weights of `--init-from`, if any.

    Raises:
        UserError: if the initial weights cannot be used, or those of a pretrained network are not available.
    """
    distributed, source = trainer.engine.distributed, trainer.options.init_from
    if folder is not None and (files := latest_checkpoint(folder, distributed)):
        check_data(trainer, folder)
        restore_checkpoint(trainer, folder, files)
        trainer.start_iteration = trainer.engine.iteration
        return
    for network in trainer.engine.nets.modules():
        if isinstance(network, Pretrained):
            network.fetch()
    if source is not None:
        begin_with(trainer, source)


def begin_with(trainer: "Trainer", source: Path) -> None:
    """Load weights from a run, or from an export with all trained networks.

    Raises:
        RunFolderError: if there are none, some are missing, or they belong to other networks.
    """
    distributed, nets = trainer.engine.distributed, trainer.engine.nets
    folder = RunFolder(locate(source) if distributed.is_main_process else source)
    files = broadcast_files(checkpoint_of(folder)[1] if distributed.is_main_process else {}, distributed)
    besides = {AUGMENT}
    if weights.MODEL in files:
        there = weights.networks_in(files)
        trained = {name for player in trainer.engine.players for name in player.networks}
        if missing := sorted(trained - there):
            raise RunFolderError(
                f"{source} is an export without {', '.join(missing)}, which a run trains; begin with the run that it "
                "was made from, or with an export of that by `ganzoo export RUN --all-networks`"
            )
        besides |= {name for name, _ in nets.named_children()} - there  # pools and pretrained networks
    try:
        weights.load_networks(nets, files, source, besides=besides)
    except RunFolderError as error:
        raise RunFolderError(f"{error}{_why_other(trainer, folder) if distributed.is_main_process else ''}") from error


def _why_other(trainer: "Trainer", folder: RunFolder) -> str:
    """Return the likeliest reason why the weights in a folder do not fit a run, as a second line of the message."""
    with suppress(UserError):
        gan, own, then, here = gan_of(folder), trainer.options.gan, folder.load(folder.data, DataSpec), trainer.spec
        if gan.name != own.name:
            return f"\nthese are of '{gan.name}', and this run trains '{own.name}'"
        if then.shape != here.shape:
            advice = f"--image-size {'x'.join(map(str, then.shape[1:]))}"
            theirs, ours = (" x ".join(map(str, shape)) for shape in (then.shape, here.shape))
            return (
                f"\nthese make images of {theirs} (channels, height, width), and this run makes {ours}; "
                f"try {advice if then.shape[0] == here.shape[0] else f'{advice} and other data'}"
            )
        if len(then.classes) != len(here.classes):
            return f"\nthese know {len(then.classes)} classes, and this data has {len(here.classes)}"
        values = own.dump()
        other = [
            f"--{cli_name(name).replace('_', '-')} {value}"
            for name, value in gan.dump().items()
            if values.get(name) != value and not isinstance(value, dict)
        ]
        return f"\nthese were trained with {' '.join(other)}" if other else ""
    return ""


def check_data(trainer: "Trainer", folder: RunFolder) -> None:
    """Check that the data has the shapes and classes with which the run began.

    Raises:
        RunFolderError: if it has others.
    """
    if not (trainer.engine.distributed.is_main_process and folder.data.is_file()):
        return
    then, now = folder.load(folder.data, DataSpec), trainer.spec
    for name in ("shapes", "classes"):
        before, after = getattr(then, name), getattr(now, name)
        if before != after:
            raise RunFolderError(
                f"the data of {folder.path} had the {name} {typed(before)}, and now has {typed(after)}: put it back as "
                "it was, or begin a new run with --init-from"
            )


def latest_checkpoint(folder: RunFolder, distributed: DistributedContext) -> dict[str, bytes]:
    """Return the files of the newest whole checkpoint, read by the main process; empty if there is none.

    Raises:
        RunFolderError: if all checkpoints are damaged.
    """
    found = checkpoint.newest(folder.checkpoints) if distributed.is_main_process else None
    return broadcast_files(found[1] if found else {}, distributed)


def restore_checkpoint(trainer: "Trainer", folder: RunFolder, files: Mapping[str, bytes]) -> None:
    """Load a checkpoint's files, and forget a best checkpoint that no longer exists.

    It was pruned when a better one was saved, which an older checkpoint does not know of.

    Raises:
        RunFolderError: see `Trainer.load_state_dict`.
    """
    trainer.load_state_dict(files)
    if trainer.is_main_process and trainer.best:  # the only process with scores
        kept = [int(path.name) for path in checkpoint.checkpoints(folder.checkpoints)]
        trainer.best = trainer.best if trainer.best[0] in kept else None


def broadcast_files(files: Mapping[str, bytes], distributed: DistributedContext) -> dict[str, bytes]:
    """Return, in every process, the files read by the main process."""
    if distributed.world_size == 1:
        return dict(files)
    packed = {name: torch.frombuffer(bytearray(content), dtype=torch.uint8) for name, content in files.items()}
    received = safetensors.torch.load(distributed.broadcast_object(safetensors.torch.save(packed)))
    return {name: values.numpy().tobytes() for name, values in received.items()}
