"""The page itself: what was gathered, laid out by the templates, with the library that draws the curves inside."""

import base64
import gzip
import hashlib
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ganzoo import PerformanceOptions, TrainedGAN, load
from ganzoo.base.io import number
from ganzoo.errors import UserError, check_installed
from ganzoo.run_folders import inspect_run
from ganzoo.words import COLOURS, duration
from ganzoo_report import curves, images, settings
from ganzoo_report.record import Record
from ganzoo_report.walk import Walk, walk

TEMPLATES = Path(__file__).with_name("templates")
WARNINGS = 40
"""Lines of log.txt at most."""


def render(records: Sequence[Record], checkpoint: str | int, device: str, text: Sequence[str]) -> str:
    """The page for one run, or for several.

    Args:
        records: what their folders hold.
        checkpoint: whose weights make the interpolation of one run.
        device: where.
        text: captions for it, if it is of a GAN that takes them.

    Raises:
        UserError: plotly is not installed, there is no such device, or the checkpoint that was named is not there.
    """
    library = _library()
    PerformanceOptions(device=device).resolve_device()  # refuses one that is not there
    parts = _one(records[0], checkpoint, device, text) if len(records) == 1 else _several(records)
    script = (TEMPLATES / "page.js").read_text(encoding="utf-8")
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"amount": amount, "quoted": shlex.quote, "brief": curves.brief}
    template = environment.get_template("run.html" if len(records) == 1 else "comparison.html")
    return template.render(
        **parts,
        style=(TEMPLATES / "style.css").read_text(encoding="utf-8"),
        script=script,
        library=base64.b64encode(gzip.compress(library, 9, mtime=0)).decode(),
        allowed=[_digest(script.encode()), _digest(library)],
    )


def _one(record: Record, checkpoint: str | int, device: str, text: Sequence[str]) -> dict[str, Any]:
    trained, obstacle = _taken_up(record, checkpoint, device)
    way, no_way = _walk(record, trained, obstacle, text)
    groups = settings.settings(record)
    known = [setting for group in groups.values() for setting in group if setting.default is not None]
    return {
        "record": record,
        "film": images.film(record),
        "translations": images.translations(record),
        "neighbors": images.neighbors(record),
        "walk": way,
        "no_walk": no_way,
        "facts": _facts(record, trained),
        "state": state(record),
        "losses": curves.losses(record),
        "speed": curves.speed([record]),
        "measured": curves.measured([record]),
        "settings": groups,
        "count": sum(map(len, groups.values())),
        "told": [setting for setting in known if setting.differs] if known else None,
        "warnings": record.warnings[-WARNINGS:],
    }


def _several(records: Sequence[Record]) -> dict[str, Any]:
    return {
        "records": records,
        "states": [state(record) for record in records],
        "facts": [_facts(record, None) for record in records],
        "lasts": [images.last(record) for record in records],
        "losses": curves.losses_of(records),
        "speed": curves.speed(records),
        "measured": curves.measured(records),
        "differences": settings.differences(records),
    }


@dataclass(frozen=True)
class State:
    """How far a run is."""

    finished: bool
    share: float
    """Of all epochs, 0 to 1."""
    words: str
    note: str = ""
    """Why it ended before that, if it did."""


def state(record: Record) -> State:
    """How far a run is by its last line of metrics, and whether it goes on, as `ganzoo runs` has it."""
    path = record.folder.path
    found = inspect_run(path.resolve() if path.is_symlink() else path)
    epochs = record.epochs
    if found.state == "export":
        return State(True, 1.0, f"an export, of iteration {amount(found.iteration)}")
    if found.state == "finished":
        return State(True, 1.0, "finished")
    ended = f"{found.state} " if found.state in ("stopped", "failed") else ""
    if not record.rows or not epochs:
        return State(False, 0.0, f"{ended}with nothing logged" if ended else "begun, nothing logged yet", found.note)
    share = min(1.0, record.epoch / epochs)
    words = f"{ended}at {share:.0%}: epoch {record.epoch:.2f} of {amount(epochs)}"
    return State(False, share, words, found.note)


def amount(value: float | None) -> str:
    """A number as it is read: `12,000`, `0.35`."""
    if value is None:
        return curves.UNSET
    return f"{value:,.0f}" if value == round(value) or abs(value) >= 1000 else f"{value:.3g}"


def _facts(record: Record, trained: TrainedGAN | None) -> dict[str, str]:
    """What a person asks first."""
    facts: dict[str, str] = {}
    if record.data is not None:
        channels, height, width = record.data.shape
        facts["image size"] = f"{height}x{width}, {COLOURS[channels]}"
    if record.rows:
        facts["iterations"] = amount(record.iteration)
        facts["epochs"] = f"{amount(record.epoch)} of {amount(record.epochs)}"
    if images_seen := max((number(row.get("images")) or 0.0 for row in record.rows), default=0.0):
        facts["images seen"] = amount(images_seen)
    if rates := [rate for row in record.rows if (rate := number(row.get("images_per_second"))) is not None]:
        facts["trained for"] = duration(curves.seconds(record))
        facts["speed"] = f"{amount(median(rates))} images/s"
    facts |= curves.headlines(record)
    if trained is not None:
        for name, network in trained.nets.named_children():
            count = sum(parameter.numel() for parameter in network.parameters())
            if count:
                facts[f"parameters of {name}"] = _short(count)
    return facts


def _short(count: int) -> str:
    for size, unit in ((10**9, "billion"), (10**6, "million")):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count:,}"


def _taken_up(record: Record, checkpoint: str | int, device: str) -> tuple[TrainedGAN | None, str]:
    """The trained networks, or why there are none.

    Raises:
        UserError: there are none of the very checkpoint that was asked for.
    """
    try:
        return load(record.folder.path, device=device, checkpoint=checkpoint), ""
    except UserError as error:
        if checkpoint != "newest":
            raise
        return None, str(error)


def _walk(record: Record, trained: TrainedGAN | None, obstacle: str, text: Sequence[str]) -> tuple[Walk | None, str]:
    """An interpolation, or why there is none; neither where one would show nothing.

    Raises:
        UserError: the text cannot be a caption, or this GAN takes none.
    """
    if trained is None:
        return None, "" if record.translates else obstacle
    if text:
        return walk(trained, text), ""
    if trained.takes_images or not trained.gan.noise_shape():
        return None, ""
    if trained.takes_text:
        return None, (
            f"'{trained.gan.name}' makes images from captions, and a run folder keeps none. Say what to show: "
            f'ganzoo report {shlex.quote(str(record.folder.path))} --text "..."'
        )
    try:
        return walk(trained, ()), ""
    except UserError as error:  # a GAN with classes whose data names none
        return None, str(error)


def _library() -> bytes:
    """The script that draws curves, as the package plotly brings it.

    Raises:
        UserError: it is not installed.
    """
    check_installed("a report", "report", "plotly.offline")
    from plotly.offline import get_plotlyjs  # here, not above: an extra, and slow to import

    return str(get_plotlyjs()).encode()


def _digest(script: bytes) -> str:
    """How a Content-Security-Policy names a script that may run."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}'"
