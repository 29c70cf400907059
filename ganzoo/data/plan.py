"""From the fields that a data set has to those that a GAN needs: swapped, adapted, made smaller, a few labelled."""

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
"""The field of a few images with their labels, beside all images without."""


@dataclass(frozen=True)
class Plan:
    """Where each field that a GAN needs comes from, and what is made of it."""

    needs: frozenset[str]
    """The fields of the GAN."""
    provides: frozenset[str]
    """The fields of the data set."""
    adaptor: PairTransform
    """What makes pairs out of images."""
    backward: bool = False
    """Whether source and target are swapped."""
    scale_factor: int = 1
    """By how much sources are smaller than targets."""

    @property
    def fields(self) -> frozenset[str]:
        """What is asked of the data set."""
        return frozenset(map(self.origin, self.needs))

    @property
    def few_labels(self) -> bool:
        """Whether a few labelled images are to be chosen among all."""
        return FEW in self.needs and FEW not in self.provides

    def origin(self, field: str) -> str:
        """The data set's name for what a field of the GAN is made from."""
        if (field in PAIR and self.adaptor.makes_pairs) or (field == FEW and self.few_labels):
            return "image"
        swapped = {"source": "target", "target": "source"} if self.backward else {}
        return swapped.get(field, field)

    def columns(self, own: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The columns that the GAN needs, out of the data set's."""
        made = {field: own[self.origin(field)] for field in sorted(self.needs) if self.origin(field) in own}
        side = "target" if self.backward else "source"
        if self.adaptor.makes_pairs and side in made:
            made[side] = self.adaptor.sources(made[side], self.scale_factor)
        elif "source" in made:
            made["source"] = reduced(made["source"], self.scale_factor)
        return made

    def shape(self, field: str, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of one row of a field, if the data set gives images of that shape."""
        if field != "source":
            return shape
        channels, height, width = shape
        return channels, height // self.scale_factor, width // self.scale_factor

    def check(self, size: tuple[int, int]) -> None:
        """Refuses what cannot be made of images of that height and width.

        Raises:
            DataError: saying what would work.
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
    """A stream with the fields that a GAN needs."""

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
    """Refuses a data set that lacks a field.

    Raises:
        DataError: naming what is missing, what there is, and data sets and options that would do.
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
    """The data sets, as `--data` takes them, from which a GAN's fields can be had."""
    return [
        dataset.form()
        for _, dataset in sorted(Dataset.choices().items())
        if Plan(needs, dataset.provides, adaptor or Identity()).fields <= dataset.provides
        and not (FEW in needs and dataset.streamed)
    ]


def adaptors() -> str:
    """What `--as` takes, in words, but for `none`."""
    *some, last = (kind for kind, adaptor in sorted(PairTransform.choices().items()) if adaptor.makes_pairs)
    return f"{', '.join(some)} or {last}"


def made_of(dataset: type[Dataset]) -> dict[str, str]:
    """What the core makes of a data set's fields, beside themselves, and by which option."""
    made = {}
    if "image" in dataset.provides and not dataset.provides >= PAIR:
        made["source, target"] = "--as"
    if {"image", "label"} <= dataset.provides and not dataset.streamed:
        made[FEW] = "--labels"
    return made


def few_labels(columns: Mapping[str, Tensor], count: int, name: str) -> dict[str, Tensor]:
    """Columns with a few labelled images beside all images: as many of each class, as far as they go, spread evenly.

    Args:
        columns: `labelled_image` and `label` of all rows, and others, which stay.
        count: how many labelled images there shall be, if there are so many.
        name: of the data set, for messages.

    Raises:
        DataError: that is fewer than classes.
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
    for place, rows in enumerate(sorted(members, key=len)):  # what the scarce cannot give, the others do
        quota = min(len(rows), left // (len(members) - place))
        chosen.append(rows[torch.arange(quota) * len(rows) // max(1, quota)])
        left -= quota
    rows = torch.cat(chosen).sort().values
    return {**columns, FEW: columns[FEW][rows], "label": labels[rows]}
