"""`ganzoo export`: a run's weights as a folder that others can use, whole or not at all."""

import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganzoo import GAN, RunFolder, TrainedGAN, load
from ganzoo.base.environment import versions
from ganzoo.base.io import atomic_write, digest, write_json
from ganzoo.base.rng import preserve_rng_state, seed_everything
from ganzoo.errors import OptionError, RunFolderError, UnknownName, UserError, typed
from ganzoo.run_folders import command_for
from ganzoo_export import graphs
from ganzoo_export.card import UNKNOWN, Contents, card
from ganzoo_export.facts import Facts, facts_of, samples_of
from ganzoo_export.snippets import onnx_snippet, torch_snippet
from ganzoo_export.trace import Parts, made_up, trace, untraced
from ganzoo_export.weights import Rounding, half_precision, trained_networks, write_weights

EXPORTS = Path("exports")
"""Where exports go unless a place is named."""
FILES = RunFolder(Path())
MODELS = {"safetensors": FILES.model.name, "onnx": graphs.ONNX, "torchexport": graphs.PT2}
"""The formats, and what the file with the model is called."""
PICTURE, CARD = FILES.picture.name, FILES.card.name
NAMES = frozenset(
    (*MODELS.values(), PICTURE, CARD, *(f"{name}.json" for name in ("config", "data", "environment", "export")))
) | {"evaluations.jsonl"}
"""All that an export writes."""


@dataclass(frozen=True)
class ExportSpec:
    """What an export is to be."""

    form: str
    licence: str
    repository: str | None
    """Where on the Hub it will be."""
    half: bool = False
    """Whether weights are stored in half precision."""
    all_networks: bool = False
    """Whether networks are kept that are trained, and make no images."""


@dataclass(frozen=True)
class Exported:
    """An export that was made."""

    folder: Path
    model: Path
    difference: float | None
    """The largest difference from PyTorch, or of half precision from full; None: it holds weights as they are."""
    name: str
    """Of the GAN."""
    iteration: int
    at_end: bool
    """Whether the weights are from the end of the training, as far as is known."""
    seconds: float


def export(
    run: str | Path,
    form: str = "safetensors",
    out: str | Path | None = None,
    *,
    checkpoint: str | int = "newest",
    licence: str = UNKNOWN,
    gan: type[GAN] | None = None,
    repository: str | None = None,
    half: bool = False,
    all_networks: bool = False,
) -> Exported:
    """Writes a folder with what makes images, a model card, and the run's description.

    Args:
        run: the run folder.
        form: "safetensors", for ganzoo; "onnx", for onnxruntime and its like; "torchexport", for torch alone.
        out: the folder; an export that is there is replaced. None: `exports/RUN-FORMAT`.
        checkpoint: see `ganzoo.load`.
        licence: of the weights, as the Hub abbreviates it: "cc-by-sa-4.0".
        gan: the class, if no plugin registers it.
        repository: where on the Hub it will be, for its card.
        half: store weights in half precision: half the size, nearly the same images. Of safetensors only.
        all_networks: keep discriminators too, so that a run can begin with the export. Of safetensors only.

    Raises:
        UserError: it cannot be done, or what was written is not what PyTorch makes; nothing is left behind.
    """
    start_iteration = time.perf_counter()
    if form not in MODELS:
        raise UnknownName("format", form, MODELS)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.+-]{0,63}", licence):
        raise OptionError(f"option 'licence' cannot be {typed(licence)}: give an abbreviation, such as cc-by-sa-4.0")
    if form != "safetensors" and (half or all_networks):
        option = "half" if half else "all-networks"
        raise OptionError(f"option '{option}' is of weights; leave it out, or take the format safetensors")
    if form == "onnx":
        graphs.check_onnx()
    trained = load(run, device="cpu", gan=gan, checkpoint=checkpoint)
    place = Path(out) if out is not None else EXPORTS / f"{trained.folder.resolve().name}-{form}"
    check_place(place, trained.folder)
    facts = facts_of(trained)
    with exchanged(place) as draft:
        wish = ExportSpec(form, licence, repository, half, all_networks)
        if form == "safetensors":
            rounding = _export_weights(draft, wish, facts, gan)
            difference = rounding.largest if rounding else None
        else:
            traced = trace(trained)
            write = graphs.write_onnx if form == "onnx" else graphs.write_torchexport
            difference = write(traced, trained, draft)
            code = onnx_snippet(traced, trained.data) if form == "onnx" else torch_snippet(traced, trained.data)
            _describe(draft, wish, facts, traced, _how_to_use(wish, code), difference)
    seconds = time.perf_counter() - start_iteration
    model = place / MODELS[form]
    return Exported(place, model, difference, trained.gan.name, trained.iteration, facts.at_end, seconds)


def _export_weights(draft: Path, wish: ExportSpec, facts: Facts, gan: type[GAN] | None) -> Rounding | None:
    """Writes the weights of what makes images, with what is said of them, and sees that they do.

    Raises:
        UserError: what was written makes other images.
    """
    trained = facts.trained
    stored, rounding = half_precision(trained, _images) if wish.half else (trained, None)
    every = untraced(trained)
    try:
        networks = trace(trained).networks
    except UserError:  # it cannot be a graph, which its weights need not be
        networks = every.networks
    if wish.all_networks:
        networks |= trained_networks(trained)
    parts = Parts(every.shapes, networks)
    write_weights(stored, networks, draft, half=wish.half)
    expected, again = _images(stored, 0), _images(stored, 1)
    drawing = not torch.equal(expected, again)
    _describe(draft, wish, facts, parts, _how_to_load(wish, trained), drawing=drawing, rounding=rounding)
    if not torch.equal(expected, _images(load(draft, device="cpu", gan=gan), 0)):
        raise UserError(f"'{trained.gan.name}' was not exported: what is loaded again makes other images")
    return rounding


def _images(trained: TrainedGAN, seed: int, count: int = max(graphs.SIZES)) -> Tensor:
    """Images of inputs that are always the same, what the GAN draws by itself being that of a seed.

    Raises:
        UserError: it makes none.
    """
    try:
        with preserve_rng_state(torch.device("cpu")), torch.no_grad():
            seed_everything(0)
            inputs = made_up(trained, count)
            seed_everything(seed)
            return graphs.maker(trained)(inputs)
    except Exception as error:  # a plugin's code raises anything
        raise UserError(f"'{trained.gan.name}' makes no images: {' '.join(str(error).split())}") from error


def _describe(
    draft: Path,
    wish: ExportSpec,
    facts: Facts,
    parts: Parts,
    use: str,
    difference: float | None = None,
    *,
    drawing: bool = False,
    rounding: Rounding | None = None,
) -> None:
    trained, files = facts.trained, RunFolder(draft)
    write_json(files.config, dict(facts.config))
    write_json(files.data, trained.data.model_dump(mode="json"))
    write_json(files.environment, dict(facts.environment))
    if facts.evaluations:
        files.evaluations.write_text("".join(f"{json.dumps(row)}\n" for row in facts.evaluations), encoding="utf-8")
    if picture := samples_of(trained.folder, trained.iteration):
        shutil.copyfile(picture, draft / PICTURE)
    digests = {file.name: digest(file) for file in sorted(draft.iterdir())}
    about: dict[str, Any] = {
        "format": wish.form,
        "iteration": trained.iteration,
        "iterations": facts.whole,
        "inputs": graphs.shown(parts.shapes),
        "difference": rounding.largest if rounding else difference,
        **({"mean_difference": rounding.mean} if rounding else {}),
        **({"precision": "float16" if wish.half else "float32"} if wish.form == "safetensors" else {}),
        "networks": sorted(parts.networks),
        "versions": versions(),
        "files": digests,
    }
    write_json(files.export, about)
    contents = Contents(
        format=wish.form,
        files=digests,
        use=use,
        inputs=graphs.shown(parts.shapes),
        drawn=parts.drawn,
        drawing=drawing,
        difference=difference,
        rounding=rounding,
        networks=tuple(sorted(parts.networks)),
        licence=wish.licence,
        picture=PICTURE if picture else None,
    )
    (draft / CARD).write_text(card(facts, contents), encoding="utf-8")


def _how_to_use(wish: ExportSpec, code: str) -> str:
    package = "onnxruntime" if wish.form == "onnx" else "torch"
    return f"Without ganzoo, in this folder: `pip install {package} numpy pillow`, then\n\n```python\n{code}\n```"


def _how_to_load(wish: ExportSpec, trained: TrainedGAN) -> str:
    place = f"pulled/{wish.repository}" if wish.repository else "FOLDER"
    command = command_for(place, type(trained.gan), trained.data)
    install = f"pip install 'ganzoo[hub]'\nganzoo pull {wish.repository}" if wish.repository else "pip install ganzoo"
    folder = "" if wish.repository else "FOLDER being this folder:\n\n"
    return f"{folder}```bash\n{install}\n{command}\n```"


def check_place(place: Path, run: Path | None = None) -> None:
    """Refuses a folder that an export would not belong in.

    Raises:
        RunFolderError: it has other files in it, or is the run itself.
    """
    if run is not None and place.resolve() == run.resolve():
        raise RunFolderError(f"'{place}' is the folder that is exported; give another --out")
    if place.is_symlink() or (place.exists() and not place.is_dir()):
        raise RunFolderError(f"'{place}' is no folder; give another --out")
    names = {path.name for path in place.iterdir()} if place.is_dir() else set()
    if names and not RunFolder(place).is_export:
        raise RunFolderError(f"'{place}' has files in it that are not from an export; give another --out")
    if own := sorted(names - NAMES):
        raise RunFolderError(
            f"'{place}' has {typed(own[0])} in it, which is not from an export, and would be gone; move it, or give "
            "another --out"
        )


@contextmanager
def exchanged(place: Path) -> Iterator[Path]:
    """A folder that takes a place in one step when all within went well, and else is gone.

    Raises:
        RunFolderError: it cannot be written; what was in its place is there again.
    """
    place = place.absolute()
    try:
        with atomic_write(place.with_name(f".{place.name}.{os.getpid()}"), place, _exchange) as draft:
            draft.mkdir()
            yield draft
    except OSError as error:
        raise RunFolderError(f"'{place}' cannot be written ({error.strerror or error}); give another --out") from error


def _exchange(draft: Path, place: Path) -> None:
    """Puts a folder in the place of another, which is deleted once that is done."""
    there, old = place.exists(), draft.with_name(f"{draft.name}.old")
    if there:
        place.replace(old)
    try:
        draft.replace(place)
    except BaseException:
        if there:
            old.replace(place)
        raise
    shutil.rmtree(old, ignore_errors=True)
