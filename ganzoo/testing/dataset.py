"""`check_dataset`: checks of data sets."""

from pathlib import Path

import torch
from torch import Tensor

from ganzoo.config import validate
from ganzoo.data.dataset import DataRequest, Dataset, InMemoryData
from ganzoo.data.load import DataOptions, data_folder, describe
from ganzoo.data.stream import Stream
from ganzoo.testing.configuration import check_configuration, configured
from ganzoo.testing.demands import contract, demand
from ganzoo.testing.drawing import drawing
from ganzoo.testing.stream import check_stream

__tracebackhide__ = True

SIZE = (12, 16)
"""Height and width, unlike those of any data."""
ROWS = 32


def check_dataset(
    dataset: type[Dataset] | Dataset, folder: Path | None = None, fields: frozenset[str] | None = None
) -> None:
    """Check everything that is expected of a data set.

    Name, documentation, options and license; fields of the right kinds, shapes and ranges; every split; limits, sizes
    and channels as requested; the same rows every time; consistency with its declarations. For a stream, also that each
    pass has every row once, and that reading resumes where it stopped.

    Args:
        dataset: class, or configuration if it needs options such as the path of its files.
        folder: download directory (default: the usual one). Missing files are downloaded.
        fields: fields to load, if the data at hand lacks some (default: all).

    Raises:
        AssertionError: if it breaks the contract; the message says what to change.
        DataError: if the data is not available.
    """
    with drawing(), contract():
        config = configured(dataset, Dataset)
        check_configuration(config)
        check_declarations(config)
        wanted = config.provides if fields is None else fields
        for split in sorted(config.splits):
            request = DataRequest(wanted, SIZE, config.channels, split, None, data_folder(folder))
            check_split(config, request)


def check_declarations(config: Dataset) -> None:
    """Check the declarations of the class, which must be reliable before anything is loaded."""
    name = type(config).__name__
    images = {"image", "target"} & config.provides
    demand(images, f"{name} provides neither 'image' nor 'target', of which one says what images to make")
    demand("train" in config.splits, f"{name} has no 'train' split, which runs train on: name it in `splits`")
    demand(config.channels in (1, 3, 4), f"{name}.channels is {config.channels}; expected 1, 3 or 4")
    demand(
        config.licence not in ("", "unknown"),
        f'{name} does not say under which licence its images are: licence = "CC BY 4.0 (Doe et al.)"',
    )
    unknown = sorted(config.may_change - type(config).model_fields.keys())
    demand(not unknown, f"may_change names {', '.join(unknown)}, which is no option of {name}")
    demand(len(set(config.classes)) == len(config.classes), f"{name}.classes names a class twice")


def check_split(config: Dataset, request: DataRequest) -> None:
    """Check the rows of a split."""
    state = torch.get_rng_state()
    # A stream has no limit; of an in-memory data set, a few rows are enough.
    limited = request if config.streamed else changed(request, limit=ROWS)
    loaded = config.load(limited)
    kind = "Stream" if config.streamed else "Table"
    demand(
        isinstance(loaded, Stream if config.streamed else InMemoryData),
        f"load() gives {type(loaded).__name__}, not {kind}: `streamed` says which, and is {config.streamed}",
    )
    if isinstance(loaded, InMemoryData):
        columns = dict(loaded.columns)
        check_lengths(config, columns)
        check_limit(config, limited, columns)
    else:
        again = config.load(request)
        columns = check_stream(loaded, again if isinstance(again, Stream) else loaded)
    check_columns(config, request, columns, loaded.classes)
    check_description(config, request, columns, loaded.classes)
    check_other_requests(config, limited, columns)
    drawn = not torch.equal(torch.get_rng_state(), state)
    demand(not drawn, "load() draws random numbers that others miss: draw by a torch.Generator with a seed of its own")


def changed(request: DataRequest, **changes: object) -> DataRequest:
    """Return a modified copy of a request."""
    return DataRequest(**(vars(request) | changes))


def check_columns(config: Dataset, request: DataRequest, columns: dict[str, Tensor], classes: tuple[str, ...]) -> None:
    """Check that each requested field has the right kind, shape and range."""
    missing = sorted(request.fields - columns.keys())
    demand(not missing, f"load() gives no {', '.join(missing)}, which `provides` names: fill it, or do not provide it")
    for name in sorted(request.fields):
        column = columns[name]
        told = f"'{name}' is {column.dtype} of shape {tuple(column.shape)}"
        if name == "label":
            demand(column.dtype == torch.int64 and column.dim() == 1, f"{told}; labels are int64, N: .long()")
            low, high = column.min().item(), column.max().item()
            demand(
                low >= 0 and high < len(classes),
                f"labels are from {low} to {high}, and there are {len(classes)} classes: number them from 0, and give "
                "their names, Table(columns, classes)",
            )
        elif name in config.shapes:
            expected = config.shapes[name]
            fits = tuple(column.shape[1:]) == expected
            demand(fits, f"{told}; `shapes` says that a row of it is {expected}")
            demand(name != "caption" or column.dtype == torch.uint8, f"{told}; captions are UTF-8 bytes in uint8")
            demand(name != "caption" or is_text(column), "a caption is no UTF-8 that is filled up with zeros")
        else:
            demand(
                column.dtype == torch.uint8 and tuple(column.shape[1:]) == request.shape,
                f"{told}; images are uint8, N x {' x '.join(map(str, request.shape))} as asked: see request.fit, or "
                f"say the shape of a row of '{name}' in `shapes`",
            )


def is_text(column: Tensor) -> bool:
    """Whether rows are UTF-8, padded with zeros."""
    for row in column:
        text, _, rest = bytes(row.tolist()).partition(b"\0")
        try:
            text.decode()
        except UnicodeDecodeError:
            return False
        if rest.strip(b"\0"):
            return False
    return True


def check_lengths(config: Dataset, columns: dict[str, Tensor]) -> None:
    """Check that there are rows, with all fields of equal length."""
    lengths = {name: len(column) for name, column in columns.items()}
    demand(min(lengths.values(), default=0), f"load() gives no rows ({lengths}); if there are none, raise a DataError")
    demand(
        len(set(lengths.values())) == 1 or not config.paired,
        f"the columns differ in length, {lengths}: a row has all fields; say paired = False where none belong together",
    )


def check_limit(config: Dataset, limited: DataRequest, columns: dict[str, Tensor]) -> None:
    """Check that a limit gives that number of evenly spaced rows, the same every time."""
    again, rows = table(config, limited), {name: len(column) for name, column in columns.items()}
    for name, column in columns.items():
        same = name in again and torch.equal(again[name], column)
        demand(same, f"'{name}' has other rows each time it is loaded: sort the names of files, and draw nothing")
        demand(rows[name] <= ROWS, f"limit={ROWS} gives {rows[name]} rows of '{name}': load request.rows(count) alone")
    # A power of two divides ROWS, so its rows are among those of ROWS, whatever the length of a column.
    few = 1 << (max(1, min(rows.values()) // 2).bit_length() - 1)
    fewer = table(config, changed(limited, limit=few))
    for name, column in columns.items():
        expected = column[torch.arange(few) * rows[name] // few]
        demand(
            name in fewer and torch.equal(fewer[name], expected),
            f"limit={few} does not give {few} rows of '{name}' at even distances: load request.rows(count) alone",
        )


def table(config: Dataset, request: DataRequest) -> dict[str, Tensor]:
    """Return the columns of in-memory data."""
    loaded = config.load(request)
    return dict(loaded.columns) if isinstance(loaded, InMemoryData) else {}


def check_other_requests(config: Dataset, limited: DataRequest, columns: dict[str, Tensor]) -> None:
    """Check requests for a single field, and for images of other sizes and channels."""
    for name in sorted(limited.fields):
        loaded = config.load(changed(limited, fields=frozenset({name})))
        if isinstance(loaded, Stream):
            row, _ = next(loaded.read(0, 0, 1, ()))
            demand(name in row, f"asked for '{name}' alone, the stream gives {', '.join(sorted(row)) or 'nothing'}")
            continue
        given = loaded.columns
        demand(
            name in given and torch.equal(given[name], columns[name]),
            f"'{name}' alone is another than beside {', '.join(sorted(limited.fields - {name}))}: load each field for "
            "itself",
        )
    images = frozenset(limited.fields - config.shapes.keys() - {"label"})
    for channels in (1, 3, 4) if images and not config.streamed else ():
        other = changed(limited, fields=images, size=(8, 8), channels=channels, limit=2)
        for name, column in table(config, other).items():
            demand(
                tuple(column.shape[1:]) == other.shape,
                f"asked for images of {other.shape}, it gives '{name}' of {tuple(column.shape[1:])}: see request.fit",
            )


def check_description(
    config: Dataset, request: DataRequest, columns: dict[str, Tensor], classes: tuple[str, ...]
) -> None:
    """Check that the description of the data before loading is correct."""
    options = validate(DataOptions, {"data": config, "image_size": request.size, "channels": request.channels})
    told = describe(options, request.fields)
    for name, shape in told.shapes.items():
        given = tuple(columns[name].shape[1:])
        demand(given == shape, f"a row of '{name}' is {given}, and is said to be {shape}: see `shapes` of the class")
    demand(
        told.classes in ((), classes) or "label" not in request.fields,
        f"the classes are {classes}, and the class declares {told.classes}: leave these out, or declare what is given",
    )
