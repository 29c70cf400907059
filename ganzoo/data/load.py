"""From options to data: what was asked is checked, loaded or opened, named and divided into streams."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import platformdirs
import torch
from pydantic import BeforeValidator, Field, PlainSerializer
from torch import Tensor

from ganzoo.config import Config, Form
from ganzoo.data.adapt import AnyAdaptor, AsItIs
from ganzoo.data.dataset import AnyDataset, Part, Request, Table
from ganzoo.data.fit import MODES
from ganzoo.data.plan import Plan, Planned, check_provides, few_labels
from ganzoo.data.spec import LONGEST, DataSpec, is_side, whole_number
from ganzoo.data.stream import Stream
from ganzoo.errors import ContractError, DataError

ENVIRONMENT = "GANZOO_DATA"
"""The environment variable that names the folder for downloads, unless `--data-dir` does."""
PREVIEW = 25
"""Rows at most in `Data.preview`: the grid of samples is 5 x 5."""
TYPICAL = 64
"""Rows at most in `Data.typical`."""


def _parse_size(value: object) -> object:
    sides: object = value
    if isinstance(value, str) and (found := re.fullmatch(r"(\d{1,9})(?:x(\d{1,9}))?", value.strip().lower())):
        sides = (int(found[1]), int(found[2] or found[1]))
    elif type(value) is int:
        sides = (value, value)
    elif isinstance(value, list):  # of a config file, whose values are as they were typed
        sides = [int(side) if isinstance(side, str) and re.fullmatch(r"\d{1,9}", side) else side for side in value]
    if isinstance(sides, list | tuple) and len(sides) == 2 and all(map(is_side, sides)):
        return tuple(sides)
    raise ValueError(f"expected a number of pixels such as 64, or height x width such as 64x96, up to {LONGEST}")


ImageSize: TypeAlias = Annotated[
    tuple[int, int],
    Form("SIZE"),
    BeforeValidator(_parse_size),
    PlainSerializer(lambda size: "{}x{}".format(*size), when_used="json"),
]
"""Height and width: 64, "64", "64x96" or (64, 96)."""
Channels: TypeAlias = Annotated[Literal[1, 3, 4], BeforeValidator(whole_number)]
"""1 grey, 3 RGB, 4 RGB and opacity."""


class DataOptions(Config):
    """What a run trains on."""

    data: AnyDataset = Field(description="data set: NAME, or NAME:PATH where it reads a folder or a ZIP")
    image_size: ImageSize = Field((64, 64), description="size of the images in pixels: a side, or HEIGHTxWIDTH")
    channels: Channels | None = Field(
        None, description="1 grey, 3 RGB, 4 RGB and opacity; unless given, what the data set has"
    )
    as_: AnyAdaptor = Field(
        AsItIs(), description="make pairs for image translation out of any images, the source from the target"
    )
    direction: Literal["forward", "backward"] = Field(
        "forward", description="of image translation: source to target (A to B), or target to source"
    )
    labels: int = Field(
        100,
        gt=0,
        description="so many labelled images at most, the same number of each class as far as they go, beside all "
        "images without labels, where a GAN wants that",
    )
    limit: int | None = Field(None, gt=0, description="train on this many images only, picked at even distances")
    hold_out: int | None = Field(
        None,
        gt=0,
        description="images of the train split, at even distances, that are not trained on, so that recipes and "
        "checkpoints can be chosen by figures of them: `--evaluate-split held-out`",
    )
    batch_size: int = Field(32, gt=0, description="images per iteration, of all processes together")
    workers: int = Field(
        2,
        ge=0,
        le=256,
        description="processes for each GPU that read ahead where data is streamed; 0: training itself reads",
    )

    def plan(self, needs: frozenset[str], shrinks: int = 1) -> Plan:
        """How what a GAN needs comes from what the data set has; `shrinks` is the GAN's.

        Raises:
            DataError: the data set does not provide it, or the options make nothing of it.
        """
        plan = Plan(needs, self.data.provides, self.as_, self.direction == "backward", shrinks)
        plan.check(self.image_size)
        check_provides(self.data, plan)
        return plan

    def request(
        self, fields: frozenset[str], split: Part = "train", folder: Path | None = None, most: int | None = None
    ) -> Request:
        """What is asked of the data set, in its own words: it knows nothing of directions and adaptors.

        `most`: so many rows at most, in place of those that are trained on, or shown.
        """
        return Request(
            fields=fields,
            size=self.image_size,
            channels=self.channels or self.data.channels,
            split="test" if split == "test" else "train",
            limit=most or (self.limit if split == "train" else PREVIEW),
            hold_out=0 if split == "test" else self.hold_out or 0,
            held_out=split == "held-out",
            folder=data_folder(folder),
        )


@dataclass(frozen=True)
class Data:
    """What a run trains on: columns in memory, or a stream."""

    spec: DataSpec
    streams: tuple[Mapping[str, Tensor], ...]
    """First the columns whose rows belong together, then each group that comes in an order of its own."""
    preview: Mapping[str, Tensor]
    """Up to 25 rows to make samples from during training: of the test split if there is one."""
    typical: Mapping[str, Tensor]
    """Up to 64 rows of what is trained on: what statistics are estimated from."""
    stream: Stream | None = None
    """Rows that are read as training goes on; then there are no `streams`."""


def load(
    options: DataOptions,
    needs: frozenset[str],
    streams: Sequence[frozenset[str]] = (),
    folder: Path | None = None,
    shrinks: int = 1,
) -> Data:
    """Loads the fields that a GAN needs, and makes those that can be made of others.

    Args:
        options: which data, and how.
        needs: the fields.
        streams: groups of them that come in an order of their own.
        folder: keeps downloads (see `data_folder`).
        shrinks: by how much sources are smaller than targets.

    Raises:
        DataError: the data set has not what is needed, is missing or broken, or is too small for one batch.
    """
    plan = options.plan(needs, shrinks)
    loaded = _load(options, plan, "train", folder)
    if isinstance(loaded, Stream):
        _check_streamed(options, streams)
    rows = max(map(len, loaded.columns.values())) if isinstance(loaded, Table) else len(loaded)
    if rows < options.batch_size:
        raise DataError(
            f"'{options.data.label()}' gives {rows} images, too few for a batch of {options.batch_size}; "
            f"try --batch-size {max(1, rows)}"
        )
    typical = _some(loaded, TYPICAL)
    if "test" in options.data.splits:
        preview = _some(_load(options, plan, "test", folder), PREVIEW)
    elif isinstance(loaded, Stream):  # which is not read twice
        preview = {name: column[:PREVIEW] for name, column in typical.items()}
    else:
        preview = _some(loaded, PREVIEW)
    _check_loaded(options, needs, preview)
    shapes = {name: tuple(preview[name].shape[1:]) for name in sorted(needs)}
    spec = _spec(options, shapes, loaded.classes)
    if isinstance(loaded, Stream):
        return Data(spec, (), preview, typical, loaded)
    few = few_labels(loaded.columns, options.labels, options.data.label()) if plan.few_labels else loaded.columns
    return Data(spec, divide(few, streams), preview, typical)


def divide(columns: Mapping[str, Tensor], groups: Sequence[frozenset[str]]) -> tuple[Mapping[str, Tensor], ...]:
    """Columns as streams: first those in no group, then each group.

    Raises:
        ContractError: columns of one stream differ in length, or a group names what is not among them.
    """
    grouped = frozenset[str]().union(*groups)
    if unknown := grouped - columns.keys():
        raise ContractError(f"the GAN has a stream of {', '.join(sorted(unknown))}, which it does not need")
    together = columns.keys() - grouped
    streams = []
    for names in filter(None, (together, *groups)):
        stream = {name: columns[name] for name in sorted(names)}
        lengths = {name: len(column) for name, column in stream.items()}
        if len(set(lengths.values())) > 1:
            raise ContractError(f"columns that belong together differ in length: {lengths}")
        streams.append(stream)
    return tuple(streams)


def describe(options: DataOptions, needs: frozenset[str], shrinks: int = 1) -> DataSpec:
    """What `load` would say of the data, from what the data set declares; nothing is loaded.

    The classes of a data set that must be looked at to know them are missing.

    Raises:
        DataError: the data set has not what is needed.
    """
    plan = options.plan(needs, shrinks)
    image, others = options.request(plan.fields).shape, options.data.shapes
    shapes = {name: plan.shape(name, others.get(plan.origin(name), image)) for name in sorted(needs)}
    return _spec(options, shapes, options.data.classes)


def data_folder(option: Path | None = None) -> Path:
    """The folder for downloads: the option `--data-dir`, else $GANZOO_DATA, else the user's cache folder.

    Raises:
        DataError: it begins with `~` and the name of nobody.
    """
    if option is None and (named := os.environ.get(ENVIRONMENT)):
        option = Path(named)
    try:
        return option.expanduser() if option else platformdirs.user_cache_path("ganzoo")
    except RuntimeError as error:
        raise DataError(f"there is no folder '{option}': {error} Give another --data-dir") from error


def load_some(
    options: DataOptions, needs: frozenset[str], split: Part, most: int, folder: Path | None = None, shrinks: int = 1
) -> Table:
    """Up to so many rows of a split, at even distances, or the first of a stream: what figures are measured on.

    Raises:
        DataError: as `load`; or the data set has no such split, or none of it was held out.
    """
    if split == "held-out" and not options.hold_out:
        raise DataError(
            f"nothing of '{options.data.label()}' was held out of training; train with --hold-out 1000, or try --split "
            f"{'test' if 'test' in options.data.splits else 'train'}"
        )
    if split != "held-out" and split not in options.data.splits:
        raise DataError(
            f"'{options.data.label()}' has no {split} split; it has: {', '.join(sorted(options.data.splits))}"
        )
    loaded = _load(options, options.plan(needs, shrinks), split, folder, most)
    return Table(_some(loaded, most), loaded.classes) if isinstance(loaded, Stream) else loaded


def _load(
    options: DataOptions, plan: Plan, split: Part, folder: Path | None, most: int | None = None
) -> Table | Stream:
    loaded = options.data.load(options.request(plan.fields, split, folder, most))
    if isinstance(loaded, Stream):
        return Planned(loaded, plan)
    _check_channels(options, loaded.columns)
    columns = plan.columns(loaded.columns)
    _check_loaded(options, plan.needs, columns)
    return Table(columns, loaded.classes)


def _check_channels(options: DataOptions, columns: Mapping[str, Tensor]) -> None:
    wrong = next(
        (column.shape[1] for column in columns.values() if column.dim() == 4 and column.shape[1] not in MODES), 0
    )
    if wrong:
        raise DataError(
            f"'{options.data.label()}' gives images of {wrong} channels; a GAN takes 1 (grey), 3 (RGB) or 4 (RGB and "
            "opacity)"
        )


def _check_loaded(options: DataOptions, needs: frozenset[str], columns: Mapping[str, Tensor]) -> None:
    if missing := needs - columns.keys():
        raise DataError(
            f"'{options.data.label()}' has no {', '.join(sorted(missing))} here; it has: {', '.join(sorted(columns))}"
        )


def _check_streamed(options: DataOptions, groups: Sequence[frozenset[str]]) -> None:
    name = options.data.label()
    for option, value in (("--limit", options.limit), ("--hold-out", options.hold_out)):
        if value is not None:
            raise DataError(f"'{name}' is streamed, so no rows can be picked from it; leave {option} out")
    if groups:
        fields = ", ".join(sorted(frozenset[str]().union(*groups)))
        raise DataError(
            f"'{name}' is streamed in one order, but the GAN wants {fields} in an order of its own; "
            "it takes a data set that is held in memory"
        )


def _spec(options: DataOptions, shapes: dict[str, tuple[int, ...]], classes: tuple[str, ...]) -> DataSpec:
    return DataSpec(dataset=options.data.label(), shapes=shapes, classes=classes if "label" in shapes else ())


def _some(loaded: Table | Stream, most: int) -> dict[str, Tensor]:
    """A few rows: the first of a stream, or of each column at even distances."""
    if isinstance(loaded, Stream):
        rows = [row for row, _ in islice(loaded.read(0, 0, 1, ()), min(most, len(loaded)))]
        return {name: torch.stack([row[name] for row in rows]) for name in rows[0]}
    columns = loaded.columns
    count = min(most, *(len(column) for column in columns.values()))
    numbers = torch.arange(count)
    return {name: column[numbers * len(column) // count] for name, column in columns.items()}
