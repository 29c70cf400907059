"""Rows of a data set for an evaluation."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from ganzoo.contract.data_spec import DataSpec
from ganzoo.data.dataset import InMemoryData, Part
from ganzoo.data.load import DataOptions, load_some
from ganzoo.errors import DataError, UserError, typed
from ganzoo.options.evaluation import ALL


@dataclass(frozen=True)
class Rows:
    """Source of the rows of an evaluation."""

    data: DataOptions
    fields: frozenset[str]
    """Fields to load."""
    scale_factor: int
    """See `GAN.scale_factor`."""
    folder: Path | None
    """Download directory."""

    def load(self, spec: DataSpec, split: Part, rows: int | None, most: int) -> dict[str, Tensor]:
        """Load the rows of a split, by field: exactly `rows`, or up to `most`.

        Raises:
            DataError: if they are not available, too few, or of another form than in training.
        """
        if not self.fields:
            return {}
        table = load_some(self.data, self.fields, split, rows or most, self.folder, self.scale_factor)
        check_like(table, spec, self.data)
        there = min(map(len, table.columns.values()))
        if rows and rows != ALL and there < rows:
            other = split == "test" and self.has("train", rows)
            raise DataError(
                f"{rows} samples were asked for, and the {split} split of '{self.data.data.label()}' has {there}; "
                f"try --samples {there}{' or --split train' if other else ''}, or --reals all beside any --samples"
            )
        return {name: column[:there] for name, column in table.columns.items()}

    def labels(self, split: Part, count: int) -> tuple[Tensor, tuple[str, ...]]:
        """Return the classes of the same rows, int64, and the names of the classes."""
        table = load_some(self.data, frozenset({"label"}), split, count, self.folder)
        return table.columns["label"][:count], table.classes

    def trained_on(self, field: str) -> Tensor:
        """Return the training images of the run: the train split, up to its `limit`."""
        limit = self.data.limit or ALL
        return load_some(self.data, frozenset({field}), "train", limit, self.folder, self.scale_factor).columns[field]

    def has(self, split: Part, count: int) -> bool:
        """Whether a split has this many rows, for advice; loads data."""
        with suppress(UserError):
            table = load_some(self.data, self.fields, split, count, self.folder, self.scale_factor)
            return min(map(len, table.columns.values())) >= count
        return False

    def advice(self, needed: int, *, split: Part, asked: bool) -> str:
        """Return advice for getting this many samples, or a statement that there are no more.

        Args:
            needed: number of samples.
            split: split with too few.
            asked: whether the number of samples was an option.
        """
        if self.has(split, needed):
            return f"try --samples {needed}"
        if split == "test" and self.has("train", needed):
            return f"try {f'--samples {needed} ' if asked else ''}--split train"
        return f"'{self.data.data.label()}' has no more"


def check_like(table: InMemoryData, spec: DataSpec, data: DataOptions) -> None:
    """Check that rows have the form of the training data.

    Raises:
        DataError: if not, with both forms.
    """
    for name, column in table.columns.items():
        then, now = spec.shapes.get(name), tuple(column.shape[1:])
        if then != now:
            raise DataError(
                f"'{data.data.label()}' gives '{name}' in the shape {now}, and it was {then} in training: name other "
                "--data"
            )
    if "label" in table.columns and table.classes != spec.classes:
        raise DataError(
            f"the classes of '{data.data.label()}' are not those of training, {typed(spec.classes)}: name other --data"
        )
