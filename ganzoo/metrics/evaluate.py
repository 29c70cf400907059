"""Measuring a run that lies in a folder: its data is found again, and the line goes into the folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganzoo import pictures
from ganzoo.config import build
from ganzoo.data.load import DataOptions
from ganzoo.engine.folder import RunFolder
from ganzoo.errors import OptionError, RunFolderError, UnknownName
from ganzoo.files import append_line
from ganzoo.locate import shipped
from ganzoo.metrics.evaluation import Evaluation, Neighbors
from ganzoo.metrics.options import EvaluationOptions
from ganzoo.metrics.ready import make_ready
from ganzoo.rng import preserve_rng_state

if TYPE_CHECKING:
    from ganzoo.generation.trained import TrainedGAN


def ready_for(trained: "TrainedGAN", given: Mapping[str, Any], data_dir: Path | None = None) -> Evaluation:
    """An evaluation of a trained GAN on the data of its run.

    Args:
        trained: as it was taken up from its folder.
        given: `EvaluationOptions` by name, `extractor.FIELD` among them; and `data`, to measure on other data.
        data_dir: where downloads are kept.

    Raises:
        UserError: data, extractor or weights cannot be had, or what is asked for cannot be measured here.
    """
    folder = RunFolder(trained.folder)
    if shipped(folder.path) is None:  # nothing is written into a package, whose files an installer may have linked
        folder.check_own()
    rest = dict(given)
    data = data_of(folder, rest.pop("data", None))
    options = build(EvaluationOptions, nested(rest, data.data.extractor))
    with preserve_rng_state(trained.device):  # extractors are built with random weights before they read their own
        return make_ready(trained.gan, data, trained.data, options, trained.device, data_dir)


def data_of(folder: RunFolder, instead: object = None) -> DataOptions:
    """What a run was trained on, and how; the GAN need not be registered.

    Args:
        folder: of the run.
        instead: another data set, in its place.

    Raises:
        RunFolderError: config.json does not say, or the data set is not installed.
    """
    config = folder.read(folder.config)
    values = {name: config[name] for name in DataOptions.model_fields if name in config}
    try:
        return build(DataOptions, {**values, **({"data": instead} if instead is not None else {})})
    except UnknownName as error:
        if instead is not None:
            raise
        raise RunFolderError(
            f"{folder.path} was trained on data that is not installed: {error}\ninstall the package that brings it, "
            "add --plugin FILE, or name other --data"
        ) from error
    except OptionError as error:
        if instead is not None:
            raise
        raise RunFolderError(f"{folder.config} cannot be used: {error}") from error


def nested(given: Mapping[str, Any], extractor: str) -> dict[str, Any]:
    """Options whose names reach into the extractor as a table of its own: by default the data set's extractor."""
    flat = {name: value for name, value in given.items() if not name.startswith("extractor.")}
    inside = {name.partition(".")[2]: given[name] for name in given.keys() - flat.keys()}
    if inside:
        flat["extractor"] = {"kind": flat.get("extractor", extractor), **inside}
    return flat


def keep(folder: RunFolder, line: Mapping[str, Any], neighbors: Neighbors | None = None) -> bool:
    """Add a line to a run's evaluations, and a picture of samples beside training images, if there are any.

    Nothing is added to a pretrained GAN, whose folder is part of a package.

    Returns:
        Whether it was added.

    Raises:
        RunFolderError: it cannot be written.
    """
    if shipped(folder.path) is not None:
        return False
    try:
        append_line(folder.evaluations, line)
        if neighbors is not None:
            pictures.save(neighbors.picture(), folder.nearest)
    except OSError as error:
        raise RunFolderError(f"{folder.evaluations} cannot be written to: {error.strerror or error}") from error
    return True
