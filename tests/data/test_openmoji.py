"""The plugin `openmoji`."""

import io
import json
import zipfile
from importlib.resources import files

import pytest
import torch
from PIL import Image
from torch import Tensor

from ganzoo.config import validate
from ganzoo.data.dataset import DataRequest, InMemoryData, Split
from ganzoo.data.load import DataOptions, describe, load

WORDS = frozenset({"label", "caption"})
EVERYTHING = WORDS | {"image", "source", "target"}


def read(
    fields: frozenset[str], side: int = 32, channels: int = 3, split: Split = "train", limit: int | None = None
) -> InMemoryData:
    table = validate(DataOptions, {"data": "openmoji"}).data.load(
        DataRequest(fields, (side, side), channels, split, limit)
    )
    assert isinstance(table, InMemoryData)
    return table


def text(row: Tensor) -> str:
    return bytes(row.tolist()).rstrip(b"\0").decode()


def test_counts_captions_and_classes() -> None:
    train, test = read(WORDS), read(WORDS, split="test")
    assert (len(train), len(test)) == (1733, 209)
    assert train.columns.keys() == WORDS
    assert train.columns["label"].bincount().tolist() == [77, 132, 305, 45, 117, 230, 329, 146, 177, 175]
    assert test.columns["label"].bincount().tolist() == [8, 28, 29, 10, 13, 33, 32, 19, 19, 18]
    assert train.classes == tuple(sorted(train.classes))
    assert train.classes[7] == "smileys-emotion"
    assert train.columns["caption"].dtype == torch.uint8
    captions = [text(row) for row in train.columns["caption"]]
    assert captions[0] == "grinning face"
    assert min(map(len, captions)) > 0


def test_no_caption_is_cut() -> None:
    with zipfile.ZipFile(io.BytesIO((files("ganzoo_data_openmoji") / "openmoji-256.zip").read_bytes())) as archive:
        rows = [json.loads(line) for line in archive.read("metadata.jsonl").splitlines()]
    splits: tuple[Split, ...] = ("train", "test")
    for split in splits:
        expected = [row["annotation"] for row in rows if row["split"] == split]
        assert [text(row) for row in read(WORDS, split=split).columns["caption"]] == expected


def test_pixels_of_lines_and_colours() -> None:
    columns = read(EVERYTHING, 256, limit=2).columns
    assert columns["image"] is columns["target"]
    with zipfile.ZipFile(io.BytesIO((files("ganzoo_data_openmoji") / "openmoji-256.zip").read_bytes())) as archive:
        for folder, field in (("color", "target"), ("line", "source")):
            with Image.open(io.BytesIO(archive.read(f"{folder}/1F600.webp"))) as image:
                pixels = torch.frombuffer(bytearray(image.convert("RGB").tobytes()), dtype=torch.uint8)
            assert torch.equal(columns[field][0], pixels.view(256, 256, 3).permute(2, 0, 1))
    assert columns["source"].float().std(1).max() < 1  # lines are black
    assert columns["target"].float().std(1).max() > 50


def test_only_what_is_asked_for_is_there() -> None:
    assert read(frozenset({"source"}), limit=2).columns.keys() == {"source"}
    assert read(frozenset({"image"}), channels=1, limit=2).columns["image"].shape == (2, 1, 32, 32)


@pytest.mark.parametrize("needs", [EVERYTHING, frozenset({"source", "target"}), frozenset({"image", "caption"})])
def test_load_and_describe(needs: frozenset[str]) -> None:
    options = validate(DataOptions, {"data": "openmoji", "image_size": "32x48", "limit": 40})
    data = load(options, needs)
    assert data.spec == describe(options, needs)
    assert {len(column) for column in data.streams[0].values()} == {40}
    assert {len(column) for column in data.preview.values()} == {25}
