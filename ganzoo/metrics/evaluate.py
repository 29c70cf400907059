"""Evaluation of a run in a folder: loads its data and writes the results into the folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganzoo import pictures
from ganzoo.base.io import append_line
from ganzoo.base.rng import preserve_rng_state
from ganzoo.config import validate
from ganzoo.data.load import DataOptions
from ganzoo.errors import OptionError, RunFolderError, UnknownName
from ganzoo.metrics.evaluation import Evaluation, Neighbors
from ganzoo.metrics.setup import make_ready
from ganzoo.options.evaluation import EvaluationOptions
from ganzoo.runs.folder import RunFolder
from ganzoo.runs.locate import shipped

if TYPE_CHECKING:
    from ganzoo.sampling.trained import TrainedGAN


def ready_for(trained: "TrainedGAN", given: Mapping[str, Any], data_dir: Path | None = None) -> Evaluation:
    """Set up the evaluation of a trained GAN on the data of its run.

    Args:
        trained: GAN loaded from its folder.
        given: `EvaluationOptions` by name, including `extractor.FIELD`; and `data`, to evaluate on other data.
        data_dir: download directory.

    Raises:
        UserError: if data, extractor or weights are not available, or the request cannot be measured here.
    """
    folder = RunFolder(trained.folder)
    if shipped(folder.path) is None:  # never write into an installed package, whose files may be links
        folder.check_own()
    rest = dict(given)
    data = data_of(folder, rest.pop("data", None))
    options = validate(EvaluationOptions, nested(rest, data.data.extractor))
    with preserve_rng_state(trained.device):  # extractors draw random weights before they load their own
        return make_ready(trained.gan, data, trained.data, options, trained.device, data_dir)


def data_of(folder: RunFolder, instead: object = None) -> DataOptions:
    """Return the data options of a run; its GAN need not be registered.

    Args:
        folder: run folder.
        instead: data set that replaces the run's.

    Raises:
        RunFolderError: if config.json lacks them, or the data set is not installed.
    """
    config = folder.read(folder.config)
    values = {name: config[name] for name in DataOptions.model_fields if name in config}
    try:
        return validate(DataOptions, {**values, **({"data": instead} if instead is not None else {})})
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
    """Nest `extractor.FIELD` options in a table of the extractor (default: the data set's)."""
    flat = {name: value for name, value in given.items() if not name.startswith("extractor.")}
    inside = {name.partition(".")[2]: given[name] for name in given.keys() - flat.keys()}
    if inside:
        flat["extractor"] = {"kind": flat.get("extractor", extractor), **inside}
    return flat


def keep(folder: RunFolder, line: Mapping[str, Any], neighbors: Neighbors | None = None) -> bool:
    """Append a line to a run's evaluations, and save a picture of samples and their neighbors, if there are any.

    A pretrained GAN is not changed, as its folder is part of a package.

    Returns:
        Whether it was written.

    Raises:
        RunFolderError: if it cannot be written.
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
