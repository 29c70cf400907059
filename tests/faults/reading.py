"""Folders and archives of images, read as a run reads them."""

from ganzoo.config import build
from ganzoo.data.dataset import Request, Table
from ganzoo.data.load import DataOptions

IMAGE = frozenset({"image"})


def read(data: str, fields: frozenset[str] = IMAGE, skip: int = 0) -> Table:
    """What `--data NAME:PATH --data.skip N` gives, 4 x 4 pixels, in colour."""
    name, _, path = data.partition(":")
    dataset = build(DataOptions, {"data": {"name": name, "path": path, "skip": skip}}).data
    table = dataset.load(Request(fields, (4, 4), 3))
    assert isinstance(table, Table)
    return table
