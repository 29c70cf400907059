"""Conversion of a data set's fields to those that a GAN needs: swapping, adaptors, downsampling, a few labels."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ganzoo.data.dataset import Dataset
from ganzoo.data.pair_transforms import Identity, PairTransform, reduced
from ganzoo.data.stream import Position, Row, Stream
from ganzoo.errors import DataError

PAIR = frozenset({"source", "target"})
FEW = "labelled_image"
"""Field of a few labeled images among all images without labels."""


@dataclass(frozen=True)
class Plan:
    """Source of each field that a GAN needs, and its conversion."""

    needs: frozenset[str]
    """Fields of the GAN."""
    provides: frozenset[str]
    """Fields of the data set."""
    adaptor: PairTransform
    """Transform that makes pairs from images."""
    backward: bool = False
    """Whether source and target are swapped."""
    scale_factor: int = 1
    """Ratio of the targets' size to the sources'."""

    @property
    def fields(self) -> frozenset[str]:
        """Fields to request from the data set."""
        return frozenset(map(self.origin, self.needs))

    @property
    def few_labels(self) -> bool:
        """Whether to select a few labeled images among all."""
        return FEW in self.needs and FEW not in self.provides

    def origin(self, field: str) -> str:
        """Return the data set's field that a field of the GAN is made from."""
        if (field in PAIR and self.adaptor.makes_pairs) or (field == FEW and self.few_labels):
            return "image"
        swapped = {"source": "target", "target": "source"} if self.backward else {}
        return swapped.get(field, field)

    def columns(self, own: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the columns that the GAN needs, from those of the data set."""
        made = {field: own[self.origin(field)] for field in sorted(self.needs) if self.origin(field) in own}
        side = "target" if self.backward else "source"
        if self.adaptor.makes_pairs and side in made:
            made[side] = self.adaptor.sources(made[side], self.scale_factor)
        elif "source" in made:
            made["source"] = reduced(made["source"], self.scale_factor)
        return made

    def shape(self, field: str, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of one row of a field, given the shape in the data set."""
        if field != "source":
            return shape
        channels, height, width = shape
        return channels, height // self.scale_factor, width // self.scale_factor

    def check(self, size: tuple[int, int]) -> None:
        """Check that the plan supports images of this height and width.

        Raises:
            DataError: it does not; the message suggests options that work.
        """
        if self.adaptor.makes_pairs:
            if not self.needs & PAIR:
                raise DataError(
                    f"--as {self.adaptor.kind} makes pairs of source and target, which the GAN does not take: it needs "
                    f"{', '.join(sorted(self.needs))}; leave --as out"
                )
            self.adaptor.check(size, self.scale_factor)
        if self.scale_factor == 1:
            return
        if self.backward:
            raise DataError(
                f"the GAN makes images {self.scale_factor} times as large as its source, which cannot be turned round; "
                "leave --direction backward out"
            )
        if any(side % self.scale_factor for side in size):
            smaller = [max(self.scale_factor, side // self.scale_factor * self.scale_factor) for side in size]
            larger = [-(-side // self.scale_factor) * self.scale_factor for side in size]
            sizes = dict.fromkeys("{}x{}".format(*sides) for sides in (smaller, larger))
            raise DataError(
                f"images of {size[0]} x {size[1]} pixels have no source {self.scale_factor} times as small: height and "
                f"width must be multiples of {self.scale_factor}; try --image-size {' or '.join(sizes)}"
            )


class Planned(Stream):
    """Stream with the fields that a GAN needs."""

    def __init__(self, stream: Stream, plan: Plan) -> None:
        self.stream = stream
        self.plan = plan
        self.classes = stream.classes

    def __len__(self) -> int:
        return len(self.stream)

    def read(self, seed: int, part: int, parts: int, position: Position) -> Iterator[tuple[Row, Position]]:
        for row, after in self.stream.read(seed, part, parts, position):
            made = self.plan.columns({name: value[None] for name, value in row.items()})
            yield {name: column[0] for name, column in made.items()}, after


def check_provides(dataset: Dataset, plan: Plan) -> None:
    """Check that a data set provides all fields.

    Raises:
        DataError: a field is missing; the message suggests data sets and options.
    """
    missing = plan.fields - dataset.provides
    if not missing:
        return
    others = ", ".join(suitable(plan.needs, plan.adaptor)) or "none"
    makes = missing <= PAIR and "image" in dataset.provides
    raise DataError(
        f"'{dataset.label()}' has no {', '.join(sorted(missing))}; it has: {', '.join(sorted(dataset.provides))}; "
        f"data sets that have: {others}{f'; or make them of its images: --as {adaptors()}' if makes else ''}"
    )


def suitable(needs: frozenset[str], adaptor: PairTransform | None = None) -> list[str]:
    """Return the data sets, in the form for `--data`, that provide a GAN's fields."""
    return [
        dataset.form()
        for _, dataset in sorted(Dataset.choices().items())
        if Plan(needs, dataset.provides, adaptor or Identity()).fields <= dataset.provides
        and not (FEW in needs and dataset.streamed)
    ]


def adaptors() -> str:
    """Describe the values of `--as`, except `none`."""
    *some, last = (kind for kind, adaptor in sorted(PairTransform.choices().items()) if adaptor.makes_pairs)
    return f"{', '.join(some)} or {last}"


def made_of(dataset: type[Dataset]) -> dict[str, str]:
    """Return fields that can be made from a data set's own, and the options for it."""
    made = {}
    if "image" in dataset.provides and not dataset.provides >= PAIR:
        made["source, target"] = "--as"
    if {"image", "label"} <= dataset.provides and not dataset.streamed:
        made[FEW] = "--labels"
    return made


def few_labels(columns: Mapping[str, Tensor], count: int, name: str) -> dict[str, Tensor]:
    """Select a few labeled images among all images, balanced over the classes as far as possible and evenly spaced.

    Args:
        columns: `labelled_image` and `label` of all rows, and others, which are unchanged.
        count: maximum number of labeled images.
        name: name of the data set, for messages.

    Raises:
        DataError: fewer images than classes.
    """
    labels = columns["label"]
    count = min(count, len(labels))
    members = [(labels == number).nonzero()[:, 0] for number in labels.unique()]
    if count < len(members):
        raise DataError(
            f"{count} labelled images are too few for the {len(members)} classes of '{name}'; try --labels "
            f"{len(members)} or more"
        )
    chosen, left = [], count
    for place, rows in enumerate(sorted(members, key=len)):  # larger classes make up for small ones
        quota = min(len(rows), left // (len(members) - place))
        chosen.append(rows[torch.arange(quota) * len(rows) // max(1, quota)])
        left -= quota
    rows = torch.cat(chosen).sort().values
    return {**columns, FEW: columns[FEW][rows], "label": labels[rows]}
