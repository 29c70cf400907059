"""Going on: what a run folder says was trained, and a run put where it begins."""

import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from ganzoo.augment import AUGMENT
from ganzoo.callbacks import NONE, CallbackConfig
from ganzoo.config import build, cli_name
from ganzoo.data.spec import DataSpec
from ganzoo.engine import checkpoint, state
from ganzoo.engine.folder import RunFolder
from ganzoo.engine.loop import newest, put_back
from ganzoo.engine.torchrun import rank_and_count, started_by_launcher
from ganzoo.engine.training import Training
from ganzoo.environment import GAN_FROM
from ganzoo.errors import OptionError, RunFolderError, UnknownName, UserError, typed
from ganzoo.gan import GAN
from ganzoo.locate import locate
from ganzoo.networks import Pretrained
from ganzoo.options import RunOptions
from ganzoo.plugins import zoo

DISTRIBUTION = re.compile(r"([A-Za-z0-9][\w.-]{0,99}) [\w.+!-]{1,50}", re.ASCII)
"""The name of a distribution, and its version."""
WHOLE_AGAIN = "put back a copy of one that is whole, or train it again"
"""What gives images again, where every checkpoint is damaged."""


def options_of(folder: RunFolder, changes: Mapping[str, object]) -> RunOptions:
    """The configuration with which the run in a folder goes on.

    Args:
        folder: of a run that was begun.
        changes: what is told anew, of what may be.

    Raises:
        RunFolderError: it is no run folder, or an export.
        UserError: its GAN or data set is not installed, or an option does not take that value.
    """
    gan_of(folder)
    folder.check_trains()
    config = folder.read(folder.config)
    check_config(folder, {name: value for name, value in config.items() if name not in changes})
    if started_by_launcher() and config.get("processes") != rank_and_count()[1]:
        config["processes"] = 1  # torchrun says how many there are
    return build(RunOptions, {**config, **changes})


def check_config(folder: RunFolder, config: Mapping[str, object]) -> None:
    """Refuses a config.json that no run could be made from.

    Raises:
        RunFolderError: it holds what is no option, or names what is not installed.
    """
    try:
        build(RunOptions, config)
    except OptionError as error:
        raise RunFolderError(f"{folder.config} cannot be used: {error}") from error
    except UnknownName as error:
        if error.noun != CallbackConfig.noun:
            raise
        raise RunFolderError(
            f"{folder.path} has a callback that is not there: {error}\n"
            f"install the package that brings it, add --plugin FILE, or go on without by --callback {NONE}"
        ) from error


def gan_of(folder: RunFolder, kind: type[GAN] | None = None) -> GAN:
    """The GAN that a run trains. Its data set need not be installed, or be there.

    Args:
        folder: of a run that was begun.
        kind: the class, if no plugin registers it.

    Raises:
        RunFolderError: it is no run folder, or the GAN is not installed.
    """
    values = folder.read(folder.config).get("gan")
    if not isinstance(values, dict) or not isinstance(values.get(GAN.key), str):
        raise RunFolderError(f"{folder.config} does not say which GAN was trained; is it from a run?")
    name = values.pop(GAN.key)
    try:
        return build(kind or zoo().gan(name), values)
    except UnknownName as error:
        raise RunFolderError(f"{folder.path} is a run of '{name}': {error}\n{_how_to_get(folder)}") from error
    except OptionError as error:
        raise RunFolderError(f"{folder.config} cannot be used: {error}") from error


def _how_to_get(folder: RunFolder) -> str:
    """What to install for the GAN of a run. Whoever sent the folder says so, and may have their own reasons."""
    with suppress(RunFolderError):
        origin = folder.read(folder.environment).get(GAN_FROM)
        if isinstance(origin, str) and origin:
            says = f"{folder.environment.name} says that {typed(origin)} brought it"
            package = DISTRIBUTION.fullmatch(origin)
            how = f"pip install {package[1]}, if you trust that package, or" if package else "that file is needed:"
            return f"{says}: {how} add --plugin FILE"
    return "install the package that brings it, or add --plugin FILE"


def begin(training: Training, folder: RunFolder | None) -> None:
    """Puts a run where it begins: at its last whole checkpoint, or at the weights that it was told to begin with.

    Raises:
        UserError: those cannot be used, or the weights of a pretrained network cannot be had.
    """
    ranks, source = training.engine.ranks, training.options.init_from
    if folder is not None and (files := newest(folder, ranks)):
        check_data(training, folder)
        put_back(training, folder, files)
        training.began = training.engine.iteration
        return
    for network in training.engine.nets.modules():
        if isinstance(network, Pretrained):
            network.fetch()
    if source is not None:
        begin_with(training, source)


def begin_with(training: Training, source: Path) -> None:
    """Gives the networks the weights of a run, or of an export that has all those that are trained.

    Raises:
        RunFolderError: there is none, it lacks some, or they are of other networks.
    """
    ranks, nets = training.engine.ranks, training.engine.nets
    folder = RunFolder(locate(source) if ranks.leads else source)
    weights = state.sent_to_all(checkpoint_of(folder)[1] if ranks.leads else {}, ranks)
    besides = {AUGMENT}
    if state.MODEL in weights:
        there = state.networks_in(weights)
        trained = {name for player in training.engine.players for name in player.networks}
        if missing := sorted(trained - there):
            raise RunFolderError(
                f"{source} is an export without {', '.join(missing)}, which a run trains; begin with the run that it "
                "was made from, or with an export of that by `ganzoo export RUN --all-networks`"
            )
        besides |= {name for name, _ in nets.named_children()} - there  # pools, and what came from elsewhere
    try:
        state.load_networks(nets, weights, source, besides=besides)
    except RunFolderError as error:
        raise RunFolderError(f"{error}{_why_other(training, folder) if ranks.leads else ''}") from error


def _why_other(training: Training, folder: RunFolder) -> str:
    """The likeliest reason why the weights in a folder do not fit a run, as a second line of the message."""
    with suppress(UserError):
        gan, own, then, here = gan_of(folder), training.options.gan, folder.load(folder.data, DataSpec), training.spec
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


def check_data(training: Training, folder: RunFolder) -> None:
    """Refuses to go on with data of another kind.

    Raises:
        RunFolderError: shapes or classes are others than those that the run began with.
    """
    if not (training.engine.ranks.leads and folder.data.is_file()):
        return
    then, now = folder.load(folder.data, DataSpec), training.spec
    for name in ("shapes", "classes"):
        before, after = getattr(then, name), getattr(now, name)
        if before != after:
            raise RunFolderError(
                f"the data of {folder.path} had the {name} {typed(before)}, and now has {typed(after)}: put it back as "
                "it was, or begin a new run with --init-from"
            )


def checkpoint_of(folder: RunFolder, which: str | int = "newest") -> tuple[int, dict[str, bytes]]:
    """The iteration of a run's checkpoint, and its files that hold networks.

    Args:
        folder: of the run.
        which: "newest", the newest whole one; "best", that which was judged best; or an iteration.

    Raises:
        RunFolderError: it is no run folder, or has no such checkpoint, or that one is damaged.
        OptionError: `which` is no such.
    """
    if not folder.holds_run:
        raise RunFolderError(f"{folder.path} is no run folder: it has no {folder.config.name}")
    if folder.is_export:
        return _exported(folder, which)
    found = checkpoint.newest(folder.checkpoints, (*state.WEIGHTS, checkpoint.STATE), WHOLE_AGAIN)
    if found is None:
        raise RunFolderError(f"{folder.path} has no checkpoint yet; go on with it by `ganzoo resume {folder.path}`")
    if which == "newest":
        return int(found[0].name), found[1]
    iteration = state.best_of(found[1], found[0]) if which == "best" else _iteration(which)
    saved = {int(path.name): path for path in checkpoint.checkpoints(folder.checkpoints)}
    if iteration not in saved:
        raise RunFolderError(
            f"{folder.path} has no checkpoint of iteration {iteration}; it has those of {', '.join(map(str, saved))}"
        )
    try:
        return iteration, checkpoint.read(saved[iteration], state.WEIGHTS)
    except checkpoint.DamagedCheckpoint as error:
        raise RunFolderError(f"{error}; take another --checkpoint") from error


def _exported(folder: RunFolder, which: str | int) -> tuple[int, dict[str, bytes]]:
    """The iteration that an export is of, and the file that holds its networks."""
    if which != "newest":
        raise RunFolderError(f"{folder.path} is an export, of one checkpoint alone: leave --checkpoint out")
    model = folder.path / state.MODEL
    if not model.is_file():
        raise RunFolderError(
            f"{folder.path} is an export for other programs, without {model.name}: its README.md says how to load it; "
            "`ganzoo export RUN --format safetensors` makes one for ganzoo"
        )
    try:
        files = {state.MODEL: model.read_bytes(), checkpoint.STATE: folder.export.read_bytes()}
    except (OSError, MemoryError) as error:
        raise RunFolderError(f"{folder.path} cannot be read: {error}") from error
    return state.iteration_of(files, folder.path), files


def _iteration(which: str | int) -> int:
    words = str(which)
    if not (words.isascii() and words.isdecimal() and len(words) < 19):
        raise OptionError(f"option 'checkpoint' cannot be {typed(which)}: it is newest, best or an iteration")
    return int(words)
