"""`ganzoo export`: a run's weights as a folder that others can use, whole or not at all."""

import hashlib
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

from ganzoo.api import TrainedGAN, load
from ganzoo.engine.files import write_json
from ganzoo.engine.folder import RunFolder
from ganzoo.engine.state import MODEL
from ganzoo.environment import versions
from ganzoo.errors import OptionError, RunFolderError, UnknownName, UserError, typed
from ganzoo.export import graphs
from ganzoo.export.card import UNKNOWN, Contents, card
from ganzoo.export.facts import Facts, facts_of, samples_of
from ganzoo.export.snippets import onnx_snippet, torch_snippet
from ganzoo.export.trace import Traced, trace
from ganzoo.export.weights import write_weights
from ganzoo.gan import GAN

EXPORTS = Path("exports")
"""Where exports go unless a place is named."""
MODELS = {"safetensors": MODEL, "onnx": graphs.ONNX, "torchexport": graphs.PT2}
"""The formats, and what the file with the model is called."""
PICTURE, CARD = "samples.png", "README.md"


@dataclass(frozen=True)
class Wish:
    """What an export is to be."""

    form: str
    licence: str
    repository: str | None
    """Where on the Hub it will be."""


@dataclass(frozen=True)
class Exported:
    """An export that was made."""

    folder: Path
    model: Path
    difference: float | None
    """The largest difference from PyTorch; None: it holds weights, and these are the same."""
    name: str
    """Of the GAN."""
    iteration: int
    finished: bool
    """Whether the GAN was trained through, as far as is known."""
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

    Raises:
        UserError: it cannot be done, or what was written is not what PyTorch makes; nothing is left behind.
    """
    began = time.perf_counter()
    if form not in MODELS:
        raise UnknownName("format", form, MODELS)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.+-]{0,63}", licence):
        raise OptionError(f"option 'licence' cannot be {typed(licence)}: give an abbreviation, such as cc-by-sa-4.0")
    if form == "onnx":
        graphs.check_onnx()
    trained = load(run, device="cpu", gan=gan, checkpoint=checkpoint)
    place = Path(out) if out is not None else EXPORTS / f"{trained.folder.resolve().name}-{form}"
    check_place(place, trained.folder)
    facts = facts_of(trained)
    with drafted(place) as draft:
        traced = trace(trained)
        difference = _write_model(form, traced, trained, draft)
        _describe(draft, Wish(form, licence, repository), facts, traced, difference)
        if form == "safetensors":
            _check_same(draft, trained, traced, gan)
    seconds = time.perf_counter() - began
    return Exported(
        place, place / MODELS[form], difference, trained.gan.name, trained.iteration, facts.finished, seconds
    )


def _write_model(form: str, traced: Traced, trained: TrainedGAN, draft: Path) -> float | None:
    if form == "onnx":
        return graphs.write_onnx(traced, trained, draft)
    if form == "torchexport":
        return graphs.write_torchexport(traced, trained, draft)
    write_weights(trained, traced.networks, draft)
    return None


def _describe(draft: Path, wish: Wish, facts: Facts, traced: Traced, difference: float | None) -> None:
    trained, files = facts.trained, RunFolder(draft)
    write_json(files.config, dict(facts.config))
    write_json(files.data, trained.data.model_dump(mode="json"))
    write_json(files.environment, dict(facts.environment))
    if facts.evaluations:
        files.evaluations.write_text("".join(f"{json.dumps(row)}\n" for row in facts.evaluations), encoding="utf-8")
    if picture := samples_of(trained.folder):
        shutil.copyfile(picture, draft / PICTURE)
    digests = {file.name: digest(file) for file in sorted(draft.iterdir())}
    about: dict[str, Any] = {
        "format": wish.form,
        "iteration": trained.iteration,
        "iterations": facts.whole,
        "inputs": graphs.shown(traced.shapes),
        "difference": difference,
        "versions": versions(),
        "files": digests,
    }
    write_json(files.export, about)
    contents = Contents(
        format=wish.form,
        model=MODELS[wish.form],
        files=digests,
        use=_how_to_use(wish, traced, trained),
        inputs=graphs.shown(traced.shapes),
        drawn=traced.drawn,
        difference=difference,
        licence=wish.licence,
        picture=PICTURE if picture else None,
    )
    (draft / CARD).write_text(card(facts, contents), encoding="utf-8")


def _how_to_use(wish: Wish, traced: Traced, trained: TrainedGAN) -> str:
    if wish.form == "onnx":
        code = onnx_snippet(traced, trained.data)
        return f"Without ganzoo, in this folder: `pip install onnxruntime numpy pillow`, then\n\n```python\n{code}\n```"
    if wish.form == "torchexport":
        code = torch_snippet(traced, trained.data)
        return f"Without ganzoo, in this folder: `pip install torch numpy pillow`, then\n\n```python\n{code}\n```"
    place = f"pulled/{wish.repository}" if wish.repository else "FOLDER"
    if trained.takes_images:
        command = f"ganzoo translate {place} picture.png -o made"
    else:
        text = ' --text "a smiling face"' if trained.takes_text else ""
        command = f"ganzoo generate {place} -n 64{text} -o images.png"
    install = f"pip install 'ganzoo[hub]'\nganzoo pull {wish.repository}" if wish.repository else "pip install ganzoo"
    folder = "" if wish.repository else "FOLDER being this folder:\n\n"
    return f"{folder}```bash\n{install}\n{command}\n```"


def _check_same(draft: Path, trained: TrainedGAN, traced: Traced, gan: type[GAN] | None) -> None:
    """Loads what was written, and compares its images.

    Raises:
        UserError: they are others.
    """
    if graphs.compare("the export", graphs.maker(load(draft, device="cpu", gan=gan)), traced, trained):
        raise UserError(f"'{trained.gan.name}' was not exported: what is loaded again makes other images")


def digest(file: Path) -> str:
    """The SHA-256 of a file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def check_place(place: Path, run: Path | None = None) -> None:
    """Refuses a folder that an export would not belong in.

    Raises:
        RunFolderError: it has other files in it, or is the run itself.
    """
    if run is not None and place.resolve() == run.resolve():
        raise RunFolderError(f"'{place}' is the folder that is exported; give another --out")
    if place.is_symlink() or (place.exists() and not place.is_dir()):
        raise RunFolderError(f"'{place}' is no folder; give another --out")
    if place.is_dir() and any(place.iterdir()) and not RunFolder(place).is_export:
        raise RunFolderError(f"'{place}' has files in it that are not from an export; give another --out")


@contextmanager
def drafted(place: Path) -> Iterator[Path]:
    """A folder that takes a place in one step when all within went well, and else is gone.

    Raises:
        RunFolderError: it cannot be written.
    """
    place = place.absolute()
    draft, old = (place.with_name(f".{place.name}.{os.getpid()}{end}") for end in ("", ".old"))
    try:
        made = [parent for parent in place.parents if not parent.exists()]
        draft.mkdir(parents=True)
        try:
            yield draft
            if place.exists():
                place.replace(old)
            draft.replace(place)
            made = []
        finally:
            shutil.rmtree(draft, ignore_errors=True)
            shutil.rmtree(old, ignore_errors=True)
            for parent in made:
                parent.rmdir()
    except OSError as error:
        raise RunFolderError(f"'{place}' cannot be written ({error.strerror or error}); give another --out") from error
