"""OpenMoji, which ships with ganzoo: line drawings by the artists, the emojis in color, captions, groups."""

import importlib.resources
import json
import zipfile
from typing import Any

import torch
from torch import Tensor

import ganzoo
from ganzoo.data import decode, encode, open_image

CAPTION = 64
"""Bytes per caption; the longest has 48."""
FOLDERS = {"image": "color", "target": "color", "source": "line"}
"""Folders of the archive with the images of each field."""


class OpenMoji(ganzoo.Dataset):
    """Emojis from line drawing to color: 1,733 training and 209 test pairs, 256 x 256, with captions and ten groups."""

    name = "openmoji"
    licence = "CC BY-SA 4.0 (OpenMoji, https://openmoji.org/)"
    provides = frozenset({"image", "label", "caption", "source", "target"})
    splits = frozenset({"train", "test"})
    shapes = {"label": (), "caption": (CAPTION,)}
    classes = (
        "activities",
        "animals-nature",
        "extras-openmoji",
        "extras-unicode",
        "food-drink",
        "objects",
        "people-body",
        "smileys-emotion",
        "symbols",
        "travel-places",
    )

    def load(self, request: ganzoo.DataRequest) -> ganzoo.InMemoryData:
        columns: dict[str, Tensor] = {}
        archive = importlib.resources.files(__name__) / "openmoji-256.zip"
        with archive.open("rb") as stream, zipfile.ZipFile(stream) as files:
            lines = files.read("metadata.jsonl").splitlines()
            rows = [row for row in map(json.loads, lines) if row["split"] == request.split]
            rows = [rows[index] for index in request.rows(len(rows))]
            pictures: dict[str, Tensor] = {}
            for field in sorted(request.fields & FOLDERS.keys()):
                folder = FOLDERS[field]
                if folder not in pictures:
                    pictures[folder] = read(files, folder, rows, request)
                columns[field] = pictures[folder]
        if "label" in request.fields:
            columns["label"] = torch.tensor([self.classes.index(row["group"]) for row in rows])
        if "caption" in request.fields:
            columns["caption"] = encode([row["annotation"] for row in rows], CAPTION)
        return ganzoo.InMemoryData(columns, self.classes)


def read(files: zipfile.ZipFile, folder: str, rows: list[dict[str, Any]], request: ganzoo.DataRequest) -> Tensor:
    """Return the images of one folder of the archive, read in one thread and decoded in several."""
    names = [f"{folder}/{row['hexcode']}.webp" for row in rows]
    packed = [(name, files.read(name)) for name in names]
    return decode(packed, lambda item: request.fit(open_image(item[1], item[0])), request.shape)


@ganzoo.hookimpl
def register_datasets(register: ganzoo.Register) -> None:
    register(OpenMoji)
