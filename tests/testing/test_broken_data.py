"""Data sets and streams that have one thing wrong, and what their check says of it."""

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest
import torch
from breaking import broken, says
from torch import Tensor

import ganzoo
from ganzoo import DataRequest, InMemoryData
from ganzoo.testing import check_dataset


class Squares(ganzoo.Dataset):
    """Forty numbered squares in two classes."""

    name = "squares"
    licence = "CC0"
    provides = frozenset({"image", "label", "caption"})
    shapes = {"label": (), "caption": (8,)}
    classes = ("dark", "light")

    def load(self, request: DataRequest) -> InMemoryData:
        rows = torch.tensor(request.rows(40))
        pixels = (rows * 5).to(torch.uint8).view(-1, 1, 1, 1).expand(-1, 1, 6, 6).contiguous()
        made = {
            "image": lambda: request.fit_all(pixels),
            "label": lambda: (rows >= 20).long(),
            "caption": lambda: torch.tensor([list(b"light".ljust(8, b"\0"))] * len(rows), dtype=torch.uint8),
        }
        return InMemoryData({name: made[name]() for name in request.fields}, self.classes)


def test_a_sound_data_set_passes() -> None:
    check_dataset(Squares)
    check_dataset(Squares(), fields=frozenset({"image"}))


class Strangers(Squares):
    """Sources and targets that belong to nothing, and are not as many."""

    name = "strangers"
    provides = frozenset({"source", "target"})
    paired = False
    counts: ClassVar[dict[str, int]] = {"source": 20, "target": 45}

    def load(self, request: DataRequest) -> InMemoryData:
        rows = {name: torch.tensor(request.rows(self.counts[name])) for name in request.fields}
        pixels = {name: row.to(torch.uint8).view(-1, 1, 1, 1).expand(-1, 1, 6, 6) for name, row in rows.items()}
        return InMemoryData({name: request.fit_all(column.contiguous()) for name, column in pixels.items()})


@pytest.mark.parametrize("counts", [(20, 45), (45, 20), (1, 40), (33, 100), (3, 2)])
def test_sound_columns_that_are_not_as_long_pass(counts: tuple[int, int]) -> None:
    check_dataset(broken(Strangers, counts=dict(zip(("source", "target"), counts, strict=True))))


def loads(
    change: Callable[[dict[str, Tensor], DataRequest], dict[str, Tensor]], classes: tuple[str, ...] = ("a", "b")
) -> Any:
    """A `load` whose columns are changed."""

    def load(self: Squares, request: DataRequest) -> InMemoryData:
        table = Squares.load(self, request)
        return InMemoryData(change(dict(table.columns), request), self.classes)

    return load


def random_rows(columns: dict[str, Tensor], request: DataRequest) -> dict[str, Tensor]:
    order = torch.randperm(len(next(iter(columns.values()))))
    return {name: column[order] for name, column in columns.items()}


def all_rows(self: Squares, request: DataRequest) -> InMemoryData:
    return Squares.load(self, DataRequest(request.fields, request.size, request.channels))


def first_rows(self: Squares, request: DataRequest) -> InMemoryData:
    table = all_rows(self, request)
    return InMemoryData({name: column[: request.limit] for name, column in table.columns.items()}, self.classes)


DATASETS: dict[str, tuple[dict[str, Any], str]] = {
    "licence": ({"licence": "unknown"}, "does not say under which licence"),
    "no image": ({"provides": frozenset({"label"})}, "provides neither 'image' nor 'target'"),
    "no train": ({"splits": frozenset({"test"})}, "has no 'train' split"),
    "channels": ({"channels": 2}, "channels is 2; expected 1, 3 or 4"),
    "may change": ({"may_change": frozenset({"path"})}, "may_change names path, which is no option"),
    "field missing": (
        {"load": loads(lambda columns, request: {n: c for n, c in columns.items() if n != "label"})},
        "load\\(\\) gives no label, which `provides` names",
    ),
    "float images": (
        {
            "load": loads(
                lambda columns, request: columns | {"image": columns["image"] / 255} if "image" in columns else columns
            )
        },
        "'image' is torch.float32 of shape .*images are uint8",
    ),
    "labels": (
        {
            "load": loads(
                lambda columns, request: columns | {"label": columns["label"].int()} if "label" in columns else columns
            )
        },
        "'label' is torch.int32 .*labels are int64",
    ),
    "classes": (
        {
            "load": loads(
                lambda columns, request: columns | {"label": columns["label"] + 1} if "label" in columns else columns
            )
        },
        "labels are from 1 to 2, and there are 2 classes: number them from 0",
    ),
    "captions": (
        {
            "load": loads(
                lambda columns, request: (
                    columns | {"caption": columns["caption"] + 200} if "caption" in columns else columns
                )
            )
        },
        "a caption is no UTF-8",
    ),
    "shape": ({"shapes": {"label": (), "caption": (9,)}}, r"`shapes` says that a row of it is \(9,\)"),
    "limit": ({"load": all_rows}, "limit=32 gives 40 rows of"),
    "even": ({"load": first_rows}, r"limit=16 does not give 16 rows of '\w+' at even distances"),
    "order": ({"load": loads(random_rows)}, "has other rows each time it is loaded: sort the names of files"),
    "stream": ({"streamed": True}, "load\\(\\) gives InMemoryData, not Stream"),
    "length": (
        {
            "load": loads(
                lambda columns, request: columns | {"label": columns["label"][1:]} if "label" in columns else columns
            )
        },
        "the columns differ in length",
    ),
    "empty": (
        {"load": loads(lambda columns, request: {name: column[:0] for name, column in columns.items()})},
        "load\\(\\) gives no rows",
    ),
}


@pytest.mark.parametrize("case", DATASETS)
def test_a_broken_data_set_is_told_what_to_change(case: str) -> None:
    members, change = DATASETS[case]
    says(lambda: check_dataset(broken(Squares, **members)), change)


class Counted(ganzoo.Stream):
    """Twelve numbered rows."""

    def __len__(self) -> int:
        return 12

    def order(self, seed: int, turn: int) -> list[int]:
        return torch.randperm(12, generator=torch.Generator().manual_seed(100 * seed + turn)).tolist()

    def read(
        self, seed: int, part: int, parts: int, position: ganzoo.Position
    ) -> Iterator[tuple[ganzoo.Row, ganzoo.Position]]:
        turn, taken = (*position, 0, 0)[:2]
        while True:
            for row in self.order(seed, turn)[part::parts][taken:]:
                taken += 1
                yield {"image": torch.full((3, 12, 16), row, dtype=torch.uint8)}, (turn, taken)
            turn, taken = turn + 1, 0


class Restless(Counted):
    def order(self, seed: int, turn: int) -> list[int]:
        return torch.randperm(12).tolist()


class Losing(Counted):
    def order(self, seed: int, turn: int) -> list[int]:
        return [5 if turn and row == 7 else row for row in super().order(seed, turn)]


class Alone(Counted):
    def read(self, seed: int, part: int, parts: int, position: ganzoo.Position) -> Any:
        return super().read(seed, 0, 1, position)


class Dividing(Counted):
    """Eleven rows, of which two shares have five each."""

    def order(self, seed: int, turn: int) -> list[int]:
        return [row for row in super().order(seed, turn) if row < 11]

    def __len__(self) -> int:
        return 11

    def read(self, seed: int, part: int, parts: int, position: ganzoo.Position) -> Any:
        turn, taken = (*position, 0, 0)[:2]
        each = len(self) // parts
        while True:
            for row in self.order(seed, turn)[part * each : (part + 1) * each][taken:]:
                taken += 1
                yield {"image": torch.full((3, 12, 16), row, dtype=torch.uint8)}, (turn, taken)
            turn, taken = turn + 1, 0


class Foretelling(Counted):
    """Sound: tells of the next pass with the last row of a share."""

    def read(self, seed: int, part: int, parts: int, position: ganzoo.Position) -> Any:
        share = len(range(part, len(self), parts))
        for row, (turn, taken) in super().read(seed, part, parts, position):
            yield row, (turn + 1, 0) if taken == share else (turn, taken)


class Labelled(Counted):
    classes = Squares.classes

    def read(self, seed: int, part: int, parts: int, position: ganzoo.Position) -> Any:
        return (({**row, "label": torch.tensor(0)}, at) for row, at in super().read(seed, part, parts, position))


class Ending(Counted):
    def read(self, seed: int, part: int, parts: int, position: ganzoo.Position) -> Any:
        return (row for row, _ in zip(super().read(seed, part, parts, position), range(12), strict=False))


class Holding(Counted):
    def __init__(self) -> None:
        self.held = lambda: None


class Misplaced(Counted):
    def read(self, seed: int, part: int, parts: int, position: ganzoo.Position) -> Any:
        return ((row, after[0]) for row, after in super().read(seed, part, parts, position))


def streamed(kind: type[ganzoo.Stream]) -> type[ganzoo.Dataset]:
    """A data set that is such a stream."""
    members = {"streamed": True, "provides": frozenset({"image"}), "load": lambda self, request: kind()}
    found: type[ganzoo.Dataset] = broken(Squares, **members)
    return found


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        (Restless, "after the position .* other rows follow than when it was reached"),
        (Losing, "two passes of 12 rows are not of the same rows"),
        (Alone, "of a pass that two readers share, 0 rows are missing and 12 come twice"),
        (Dividing, "of a pass that two readers share, 1 rows are missing and 0 come twice"),
        (Ending, r"read\(\) ended after 12 rows; it goes on with the next pass for ever"),
        (Holding, "a stream cannot be sent to the processes that read it"),
        (Misplaced, "a position is 0; expected a tuple of whole numbers"),
    ],
)
def test_a_broken_stream_is_told_what_to_change(kind: type[ganzoo.Stream], change: str) -> None:
    says(lambda: check_dataset(streamed(kind)), change)


def test_a_sound_stream_passes() -> None:
    check_dataset(streamed(Counted))
    check_dataset(streamed(Foretelling))


def test_a_stream_gives_each_field_by_itself() -> None:
    def load(self: Any, request: DataRequest) -> ganzoo.Stream:
        return Counted() if request.fields == {"label"} else Labelled()

    members = {"streamed": True, "provides": frozenset({"image", "label"}), "load": load}
    says(lambda: check_dataset(broken(Squares, **members)), "asked for 'label' alone, the stream gives image")
