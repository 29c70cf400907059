"""The rows of a data set that an evaluation looks at."""

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
    """Where the rows come from that an evaluation looks at."""

    data: DataOptions
    fields: frozenset[str]
    """What is looked at of each."""
    scale_factor: int
    """See `GAN.scale_factor`."""
    folder: Path | None
    """Where downloads are kept."""

    def load(self, spec: DataSpec, split: Part, rows: int | None, most: int) -> dict[str, Tensor]:
        """The rows of a split, by field: `rows` of them, or up to `most`.

        Raises:
            DataError: they cannot be had, are not so many, or have another form than those that were trained on.
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
        """The classes of the same rows, int64, and what they mean, by number."""
        table = load_some(self.data, frozenset({"label"}), split, count, self.folder)
        return table.columns["label"][:count], table.classes

    def trained_on(self, field: str) -> Tensor:
        """The images that the run was trained on: all of the train split, or as many as its `limit` let it see."""
        limit = self.data.limit or ALL
        return load_some(self.data, frozenset({field}), "train", limit, self.folder, self.scale_factor).columns[field]

    def has(self, split: Part, count: int) -> bool:
        """Whether a split has so many, for advice: what it takes to know is done where something was refused."""
        with suppress(UserError):
            table = load_some(self.data, self.fields, split, count, self.folder, self.scale_factor)
            return min(map(len, table.columns.values())) >= count
        return False

    def advice(self, needed: int, *, split: Part, asked: bool) -> str:
        """What to type to have so many samples; if nothing helps, that.

        Args:
            needed: so many.
            split: where they were too few.
            asked: whether a number of samples was asked for.
        """
        if self.has(split, needed):
            return f"try --samples {needed}"
        if split == "test" and self.has("train", needed):
            return f"try {f'--samples {needed} ' if asked else ''}--split train"
        return f"'{self.data.data.label()}' has no more"


def check_like(table: InMemoryData, spec: DataSpec, data: DataOptions) -> None:
    """Refuses rows of another form than those that were trained on.

    Raises:
        DataError: with both forms.
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
