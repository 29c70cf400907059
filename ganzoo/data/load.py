"""Loading of a run's data from its options: checks, loading, conversion of fields, and division into streams."""

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
from ganzoo.contract.data_spec import LONGEST, DataSpec, is_side, whole_number
from ganzoo.data.dataset import AnyDataset, DataRequest, InMemoryData, Part
from ganzoo.data.pair_transforms import AnyPairTransform, Identity
from ganzoo.data.plan import Plan, Planned, check_provides, few_labels
from ganzoo.data.stream import Stream
from ganzoo.errors import ContractError, DataError
from ganzoo.pictures import MODES

ENVIRONMENT = "GANZOO_DATA"
"""Environment variable for the folder of downloads, overridden by `--data-dir`."""
PREVIEW = 25
"""Maximum number of rows in `Data.preview`: the sample grid is 5 x 5."""
TYPICAL = 64
"""Maximum number of rows in `Data.calibration_batch`."""


def _parse_size(value: object) -> object:
    sides: object = value
    if isinstance(value, str) and (found := re.fullmatch(r"(\d{1,9})(?:x(\d{1,9}))?", value.strip().lower())):
        sides = (int(found[1]), int(found[2] or found[1]))
    elif type(value) is int:
        sides = (value, value)
    elif isinstance(value, list):  # from a config file, whose values are text
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
"""1 gray, 3 RGB, 4 RGB and opacity."""


class DataOptions(Config):
    """Data of a run."""

    data: AnyDataset = Field(description="data set: NAME, or NAME:PATH for one that reads a folder or a ZIP")
    image_size: ImageSize = Field((64, 64), description="size of the images in pixels: a side, or HEIGHTxWIDTH")
    channels: Channels | None = Field(
        None, description="channels: 1 gray, 3 RGB, 4 RGB and opacity (default: those of the data set)"
    )
    as_: AnyPairTransform = Field(
        Identity(), description="pairs for image translation made from any images, the source from the target"
    )
    direction: Literal["forward", "backward"] = Field(
        "forward", description="direction of image translation: source to target (A to B), or target to source"
    )
    labels: int = Field(
        100,
        gt=0,
        description="maximum number of labeled images, balanced over the classes, for semi-supervised GANs; all images "
        "are also used without labels",
    )
    limit: int | None = Field(None, gt=0, description="maximum number of training images, evenly spaced")
    hold_out: int | None = Field(
        None,
        gt=0,
        description="number of images of the train split, evenly spaced, to exclude from training, for selecting "
        "recipes and checkpoints: `--evaluate-split held-out`",
    )
    batch_size: int = Field(32, gt=0, description="images per iteration, over all processes")
    workers: int = Field(
        2,
        ge=0,
        le=256,
        description="processes per GPU that read streamed data ahead; 0: reading in the training process",
    )

    def plan(self, needs: frozenset[str], scale_factor: int = 1) -> Plan:
        """Return the plan that makes a GAN's fields from the data set's; `scale_factor` is the GAN's.

        Raises:
            DataError: the data set lacks a field, or the options do not apply.
        """
        plan = Plan(needs, self.data.provides, self.as_, self.direction == "backward", scale_factor)
        plan.check(self.image_size)
        check_provides(self.data, plan)
        return plan

    def request(
        self, fields: frozenset[str], split: Part = "train", folder: Path | None = None, most: int | None = None
    ) -> DataRequest:
        """Return the request to the data set, without directions and adaptors, which it does not know.

        `most`: maximum number of rows, replacing that of training or preview.
        """
        return DataRequest(
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
    """Data of a run: columns in memory, or a stream."""

    spec: DataSpec
    streams: tuple[Mapping[str, Tensor], ...]
    """Columns of corresponding rows, then each group with an order of its own."""
    preview: Mapping[str, Tensor]
    """Up to 25 rows for samples during training: of the test split, if there is one."""
    calibration_batch: Mapping[str, Tensor]
    """Up to 64 training rows for estimating statistics."""
    stream: Stream | None = None
    """Streamed data; `streams` is then empty."""


def load(
    options: DataOptions,
    needs: frozenset[str],
    streams: Sequence[frozenset[str]] = (),
    folder: Path | None = None,
    scale_factor: int = 1,
) -> Data:
    """Load the fields that a GAN needs, or make them from others.

    Args:
        options: data set and its options.
        needs: required fields.
        streams: groups of fields with an order of their own.
        folder: folder of downloads (see `data_folder`).
        scale_factor: ratio of the targets' size to the sources'.

    Raises:
        DataError: the data is missing or broken, lacks a field, or is too small for one batch.
    """
    plan = options.plan(needs, scale_factor)
    loaded = _load(options, plan, "train", folder)
    if isinstance(loaded, Stream):
        _check_streamed(options, streams)
    rows = max(map(len, loaded.columns.values())) if isinstance(loaded, InMemoryData) else len(loaded)
    if rows < options.batch_size:
        raise DataError(
            f"'{options.data.label()}' gives {rows} images, too few for a batch of {options.batch_size}; "
            f"try --batch-size {max(1, rows)}"
        )
    calibration_batch = _some(loaded, TYPICAL)
    if "test" in options.data.splits:
        preview = _some(_load(options, plan, "test", folder), PREVIEW)
    elif isinstance(loaded, Stream):  # not read a second time
        preview = {name: column[:PREVIEW] for name, column in calibration_batch.items()}
    else:
        preview = _some(loaded, PREVIEW)
    _check_loaded(options, needs, preview)
    shapes = {name: tuple(preview[name].shape[1:]) for name in sorted(needs)}
    spec = _spec(options, shapes, loaded.classes)
    if isinstance(loaded, Stream):
        return Data(spec, (), preview, calibration_batch, loaded)
    few = few_labels(loaded.columns, options.labels, options.data.label()) if plan.few_labels else loaded.columns
    return Data(spec, divide(few, streams), preview, calibration_batch)


def divide(columns: Mapping[str, Tensor], groups: Sequence[frozenset[str]]) -> tuple[Mapping[str, Tensor], ...]:
    """Divide columns into streams: those in no group, then each group.

    Raises:
        ContractError: columns of one stream differ in length, or a group has an unknown column.
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


def describe(options: DataOptions, needs: frozenset[str], scale_factor: int = 1) -> DataSpec:
    """Return the specification of the data from the data set's declarations, without loading it.

    Classes that are only known after loading are missing.

    Raises:
        DataError: the data set lacks a field.
    """
    plan = options.plan(needs, scale_factor)
    image, others = options.request(plan.fields).shape, options.data.shapes
    shapes = {name: plan.shape(name, others.get(plan.origin(name), image)) for name in sorted(needs)}
    return _spec(options, shapes, options.data.classes)


def data_folder(option: Path | None = None) -> Path:
    """Return the folder of downloads: the option, else $GANZOO_DATA, else the user's cache.

    Raises:
        DataError: the path begins with `~` and an unknown user.
    """
    if option is None and (named := os.environ.get(ENVIRONMENT)):
        option = Path(named)
    try:
        return option.expanduser() if option else platformdirs.user_cache_path("ganzoo")
    except RuntimeError as error:
        raise DataError(f"there is no folder '{option}': {error} Give another --data-dir") from error


def load_some(
    options: DataOptions,
    needs: frozenset[str],
    split: Part,
    most: int,
    folder: Path | None = None,
    scale_factor: int = 1,
) -> InMemoryData:
    """Load up to `most` rows of a split for evaluation, evenly spaced, or the first of a stream.

    Raises:
        DataError: as for `load`; or the split does not exist, or no rows were held out.
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
    loaded = _load(options, options.plan(needs, scale_factor), split, folder, most)
    return InMemoryData(_some(loaded, most), loaded.classes) if isinstance(loaded, Stream) else loaded


def _load(
    options: DataOptions, plan: Plan, split: Part, folder: Path | None, most: int | None = None
) -> InMemoryData | Stream:
    loaded = options.data.load(options.request(plan.fields, split, folder, most))
    if isinstance(loaded, Stream):
        return Planned(loaded, plan)
    _check_channels(options, loaded.columns)
    columns = plan.columns(loaded.columns)
    _check_loaded(options, plan.needs, columns)
    return InMemoryData(columns, loaded.classes)


def _check_channels(options: DataOptions, columns: Mapping[str, Tensor]) -> None:
    wrong = next(
        (column.shape[1] for column in columns.values() if column.dim() == 4 and column.shape[1] not in MODES), 0
    )
    if wrong:
        raise DataError(
            f"'{options.data.label()}' gives images of {wrong} channels; a GAN takes 1 (gray), 3 (RGB) or 4 (RGB and "
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


def _some(loaded: InMemoryData | Stream, most: int) -> dict[str, Tensor]:
    """Return a few rows: the first of a stream, or evenly spaced ones of each column."""
    if isinstance(loaded, Stream):
        rows = [row for row, _ in islice(loaded.read(0, 0, 1, ()), min(most, len(loaded)))]
        return {name: torch.stack([row[name] for row in rows]) for name in rows[0]}
    columns = loaded.columns
    count = min(most, *(len(column) for column in columns.values()))
    numbers = torch.arange(count)
    return {name: column[numbers * len(column) // count] for name, column in columns.items()}
