"""Trained GANs from their folders: the GAN, the checkpoint, and networks with its weights."""

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import torch

from ganzoo.base.environment import GAN_FROM
from ganzoo.base.system import held_to_free_memory, lacks_memory
from ganzoo.config import validate
from ganzoo.contract.data_spec import DataSpec
from ganzoo.contract.gan import GAN
from ganzoo.contract.networks import Networks
from ganzoo.errors import OptionError, OutOfMemory, RunFolderError, SizeError, UnknownName, typed
from ganzoo.options.performance import PerformanceOptions
from ganzoo.plugins import zoo
from ganzoo.runs import checkpoint, weights
from ganzoo.runs.folder import RunFolder
from ganzoo.runs.locate import locate
from ganzoo.sampling.requests import with_sampling_options
from ganzoo.sampling.trained import TrainedGAN

DISTRIBUTION = re.compile(r"([A-Za-z0-9][\w.-]{0,99}) [\w.+!-]{1,50}", re.ASCII)
"""Name and version of a distribution."""
WHOLE_AGAIN = "put back a copy of one that is whole, or train it again"
"""Advice for a run without an intact checkpoint."""


def load_trained(
    folder: str | Path,
    device: str | torch.device,
    gan: type[GAN] | None,
    options: Mapping[str, object],
    checkpoint: str | int = "newest",
) -> TrainedGAN:
    """Load a trained GAN; as `load`, with the GAN's options as a mapping."""
    if not isinstance(folder, str | os.PathLike):
        expected = "it must be the path of a run folder, or the name of a pretrained GAN"
        raise OptionError(f"option 'folder' cannot be {typed(folder)}: {expected}")
    files = RunFolder(locate(folder))
    # Only the GAN's part of the configuration: the data set and others need not be installed here.
    config = with_sampling_options(gan_of(files, gan), options)
    data = files.load(files.data, DataSpec)
    place = PerformanceOptions(device=str(device)).resolve_device()
    with held_to_free_memory():
        iteration, files_of_weights = checkpoint_of(files, checkpoint)
        nets = _networks(files, config, data)
    weights.load_networks(nets, files_of_weights, files.path)
    return TrainedGAN(files.path, config, data, nets.to(place).eval(), iteration)


def _networks(files: RunFolder, gan: GAN, data: DataSpec) -> Networks:
    """Build the networks from the run's files, which anybody may have edited."""
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


def gan_of(folder: RunFolder, kind: type[GAN] | None = None) -> GAN:
    """Return the GAN of a run. Its data set need not be available.

    Args:
        folder: folder of a run.
        kind: class of the GAN, if no plugin registers it.

    Raises:
        RunFolderError: the folder is not a run, or the GAN is not installed.
    """
    values = folder.read(folder.config).get("gan")
    if not isinstance(values, dict) or not isinstance(values.get(GAN.key), str):
        raise RunFolderError(f"{folder.config} does not say which GAN was trained; is it from a run?")
    name = values.pop(GAN.key)
    try:
        return validate(kind or zoo().gan(name), values)
    except UnknownName as error:
        raise RunFolderError(f"{folder.path} is a run of '{name}': {error}\n{_how_to_get(folder)}") from error
    except OptionError as error:
        raise RunFolderError(f"{folder.config} cannot be used: {error}") from error


def _how_to_get(folder: RunFolder) -> str:
    """Return the advice on installing the GAN of a run. Based on the folder's word, so trust is left to the user."""
    with suppress(RunFolderError):
        origin = folder.read(folder.environment).get(GAN_FROM)
        if isinstance(origin, str) and origin:
            says = f"{folder.environment.name} says that {typed(origin)} brought it"
            package = DISTRIBUTION.fullmatch(origin)
            how = f"pip install {package[1]}, if you trust that package, or" if package else "that file is needed:"
            return f"{says}: {how} add --plugin FILE"
    return "install the package that brings it, or add --plugin FILE"


def checkpoint_of(folder: RunFolder, which: str | int = "newest") -> tuple[int, dict[str, bytes]]:
    """Return the iteration of a run's checkpoint, and its files of networks.

    Args:
        folder: folder of the run.
        which: "newest", the latest intact one; "best", the one with the best weights; or an iteration.

    Raises:
        RunFolderError: the folder is not a run, or the checkpoint is missing or damaged.
        OptionError: `which` is invalid.
    """
    if not folder.holds_run:
        raise RunFolderError(f"{folder.path} is no run folder: it has no {folder.config.name}")
    if folder.is_export:
        return _exported(folder, which)
    found = checkpoint.newest(folder.checkpoints, (*weights.WEIGHTS, checkpoint.STATE), WHOLE_AGAIN)
    if found is None:
        raise RunFolderError(f"{folder.path} has no checkpoint yet; go on with it by `ganzoo resume {folder.path}`")
    if which == "newest":
        return int(found[0].name), found[1]
    iteration = weights.best_of(found[1], found[0]) if which == "best" else _iteration(which)
    saved = {int(path.name): path for path in checkpoint.checkpoints(folder.checkpoints)}
    if iteration not in saved:
        raise RunFolderError(
            f"{folder.path} has no checkpoint of iteration {iteration}; it has those of {', '.join(map(str, saved))}"
        )
    try:
        return iteration, checkpoint.read(saved[iteration], weights.WEIGHTS)
    except checkpoint.DamagedCheckpoint as error:
        raise RunFolderError(f"{error}; take another --checkpoint") from error


def _exported(folder: RunFolder, which: str | int) -> tuple[int, dict[str, bytes]]:
    """Return the iteration of an export, and its file of networks."""
    if which != "newest":
        raise RunFolderError(f"{folder.path} is an export, of one checkpoint alone: leave --checkpoint out")
    model = folder.path / weights.MODEL
    if not model.is_file():
        raise RunFolderError(
            f"{folder.path} is an export for other programs, without {model.name}: its README.md says how to load it; "
            "`ganzoo export RUN --format safetensors` makes one for ganzoo"
        )
    try:
        files = {weights.MODEL: model.read_bytes(), checkpoint.STATE: folder.export.read_bytes()}
    except (OSError, MemoryError) as error:
        raise RunFolderError(f"{folder.path} cannot be read: {error}") from error
    return weights.iteration_of(files, folder.path), files


def _iteration(which: str | int) -> int:
    words = str(which)
    if not (words.isascii() and words.isdecimal() and len(words) < 19):
        raise OptionError(f"option 'checkpoint' cannot be {typed(which)}: it is newest, best or an iteration")
    return int(words)
