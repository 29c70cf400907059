"""Shards made and read, which several tests share."""

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

from ganzoo_data_shards import Shards, ShardStream
from PIL import Image
from torch import Tensor

import ganzoo
from ganzoo.config import validate

IMAGE = frozenset({"image"})
Files = Mapping[str, bytes]


def picture(number: int, kind: str = "png") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (6, 4), (number, 0, 0)).save(file, kind)
    return file.getvalue()


def pack(shard: Path, files: Files) -> Path:
    with tarfile.open(shard, "w:gz" if shard.name.endswith("gz") else "w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return shard


def images(*numbers: int) -> dict[str, bytes]:
    return {f"{number:03}.png": picture(number) for number in numbers}


def stream(path: object, fields: frozenset[str] = IMAGE, **options: object) -> ShardStream:
    dataset = validate(Shards, {"path": str(path)} | options)
    opened = dataset.load(ganzoo.DataRequest(fields, (4, 4), 3))
    assert isinstance(opened, ShardStream)
    return opened


def one_pass(path: object, fields: frozenset[str] = IMAGE, **options: object) -> list[ganzoo.Row]:
    """The rows of one pass, in order of their images."""
    opened, rows = stream(path, fields, **options), list[ganzoo.Row]()
    for row, position in opened.read(0, 0, 1, ()):
        if position[0] or len(rows) == len(opened):
            break
        rows.append(row)
    return sorted(rows, key=lambda row: number(row["image"]))


def number(image: Tensor) -> int:
    return int(image[0, 0, 0])
