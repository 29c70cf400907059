"""Folders and archives of images, read as a run reads them."""

from ganzoo.config import validate
from ganzoo.data.dataset import DataRequest, InMemoryData
from ganzoo.data.load import DataOptions

IMAGE = frozenset({"image"})


def read(data: str, fields: frozenset[str] = IMAGE, skip: int = 0) -> InMemoryData:
    """What `--data NAME:PATH --data.skip N` gives, 4 x 4 pixels, in colour."""
    name, _, path = data.partition(":")
    dataset = validate(DataOptions, {"data": {"name": name, "path": path, "skip": skip}}).data
    table = dataset.load(DataRequest(fields, (4, 4), 3))
    assert isinstance(table, InMemoryData)
    return table
