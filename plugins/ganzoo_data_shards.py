"""WebDataset shards: `shards:PATTERN`, tar archives of samples, for data that fits neither memory nor disk."""

import glob
import logging
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from io import BytesIO
from pathlib import Path
from typing import Any

import torch
from pydantic import Field, model_validator
from torch import Tensor

import ganzoo
from ganzoo.data.batches import seeded
from ganzoo.data.fetch import fetch, is_address
from ganzoo.data.images import open_image
from ganzoo.data.tar import Member, contents, members
from ganzoo.data.text import encode
from ganzoo.machine import available_cores

log = logging.getLogger(__name__)

ARCHIVES = (".tar", ".tar.gz", ".tgz")
"""What shards in a folder are called."""
KINDS = ("jpg", "jpeg", "png", "webp")
FILES = {
    "image": KINDS,
    "source": tuple(f"source.{kind}" for kind in KINDS),
    "target": tuple(f"target.{kind}" for kind in KINDS),
    "label": ("cls",),
    "caption": ("txt",),
}
"""What may follow a sample's key and a dot, by field."""
CAPTION = 256
"""Bytes of a caption, unless an option says otherwise."""
Sample = Mapping[str, Any]
"""A Member by what follows the key and a dot; `__key__` is the key."""


class Shards(ganzoo.Dataset):
    """Samples in tar archives, read as training goes on: KEY.jpg, KEY.cls, KEY.txt, KEY.source.png, KEY.target.png."""

    name = "shards"
    provides = frozenset(FILES)
    shapes = {"label": (), "caption": (CAPTION,)}

    path: str = Field(description="the shards: data-{000..999}.tar, a folder or *.tar; files, or http(s) addresses")
    count: int | None = Field(
        None, gt=0, description="images in all shards; unless given, they are counted when a run begins"
    )
    class_count: int | None = Field(None, gt=0, description="how many classes there are: labels are from 0 to below it")
    caption_bytes: int = Field(CAPTION, gt=0, description="bytes that are kept of a caption")
    skip: int = Field(0, ge=0, description="broken samples that each reading process leaves out in a pass")

    @model_validator(mode="before")
    @classmethod
    def _needs_path(cls, values: Any) -> Any:
        if isinstance(values, Mapping) and not values.get("path"):
            raise ganzoo.DataError(
                "'shards' needs to know which: write shards:PATTERN, such as shards:data-{00..99}.tar"
            )
        return values

    def load(self, request: ganzoo.Request) -> ganzoo.Stream:
        if "label" in request.fields and self.class_count is None:
            raise ganzoo.DataError("labels need to be counted: say how many classes there are, --data.class-count N")
        return ShardStream(self, request, find(self.path))


class ShardStream(ganzoo.Stream):
    """The samples of shards, in an order of their own in each pass.

    The shards of a pass are shuffled and dealt to the shares in turn. A shard is held in memory as it is on disk while
    its samples are taken in random order. A position is (pass, shard of the share, samples taken of it, samples left
    out in the pass), so that going on reads one shard again.
    """

    def __init__(self, options: Shards, request: ganzoo.Request, shards: Sequence[str]) -> None:
        self.options = options
        self.request = request
        self.shards = shards
        if "label" in request.fields:
            self.classes = tuple(map(str, range(options.class_count or 0)))

    def __len__(self) -> int:
        return self.options.count or self._counted

    @cached_property
    def _counted(self) -> int:
        if any(map(is_address, self.shards)):
            raise ganzoo.DataError(
                "shards that are fetched are not counted: say how many images they hold, --data.count N"
            )
        with ThreadPoolExecutor(available_cores()) as pool:
            found = sum(pool.map(partial(count, fields=self.request.fields), self.shards))
        if not found:
            raise nothing(self.shards, self.request.fields)
        return found

    def read(
        self, seed: int, part: int, parts: int, position: ganzoo.Position
    ) -> Iterator[tuple[ganzoo.Row, ganzoo.Position]]:
        if parts > len(self.shards):
            raise ganzoo.DataError(
                f"{len(self.shards)} shards cannot be shared by {parts} readers (each GPU has as many as --workers "
                "says, or one): give fewer --workers, or make more shards"
            )
        turn, first, *at = (*position, 0, 0, 0, 0)[:4]
        while True:
            order = torch.randperm(len(self.shards), generator=seeded(seed, "shards", turn)).tolist()
            share, empty = order[part::parts], not (first or at[0])
            for place in range(first, len(share)):
                for row, *after in self._take(share[place], (seed, turn), *at):
                    at = after
                    if row is not None:
                        empty = False
                        yield row, (turn, place, *after)
                at[0] = 0
            if empty:
                raise nothing([self.shards[number] for number in share], self.request.fields)
            turn, first, at = turn + 1, 0, [0, 0]

    def _take(
        self, number: int, order: tuple[int, int], taken: int, skipped: int
    ) -> Iterator[tuple[ganzoo.Row | None, int, int]]:
        """The samples of one shard but those already taken, each with how many were then taken and left out."""
        shard = Shard.open(self.shards[number], self.request.fields)
        rows = torch.randperm(len(shard.samples), generator=seeded(*order, "samples", number)).tolist()
        for row in rows[taken:]:
            fields, taken = None, taken + 1
            try:
                fields = {name: self._read(name, *shard.file(shard.samples[row], name)) for name in self.request.fields}
            except ganzoo.DataError as error:
                skipped = self._skip(error, skipped)
            yield fields, taken, skipped

    def _skip(self, error: ganzoo.DataError, skipped: int) -> int:
        if skipped == self.options.skip:
            before = f", after {skipped} others in this pass" if skipped else ""
            raise ganzoo.DataError(f"{error}{before}; --data.skip N leaves out so many broken samples") from error
        log.warning("left out: %s", error)
        return skipped + 1

    def _read(self, field: str, content: bytes, name: str) -> Tensor:
        if field == "label":
            return torch.tensor(self._label(content, name))
        if field == "caption":
            try:
                return encode([content.decode()], self.options.caption_bytes)[0]
            except UnicodeDecodeError as error:
                raise ganzoo.DataError(f"'{name}' is no text in UTF-8: {error}") from error
        with warnings.catch_warnings():  # Pillow's are of no use to who trains a GAN
            warnings.simplefilter("ignore")
            return self.request.fit(open_image(content, name))

    def _label(self, content: bytes, name: str) -> int:
        most = len(self.classes) - 1
        text = content.decode(errors="replace").strip()
        if not re.fullmatch("[0-9]{1,9}", text) or int(text) > most:
            raise ganzoo.DataError(f"'{name}' holds {text[:20]!r}; expected a class, a whole number from 0 to {most}")
        return int(text)


@dataclass(frozen=True)
class Shard:
    """One shard, in memory as it came."""

    name: str
    samples: Sequence[Sample]
    content: memoryview

    @classmethod
    def open(cls, name: str, fields: frozenset[str]) -> "Shard":
        """Reads a shard as a whole.

        Raises:
            DataError: it cannot be had, or is damaged, or refused.
        """
        content = fetch(name) if is_address(name) else read_file(name)
        return cls(name, group(members(content, name), name, fields), content.getbuffer())

    def file(self, sample: Sample, field: str) -> tuple[bytes, str]:
        """What a sample holds of a field, and what to call it.

        Raises:
            DataError: nothing.
        """
        found = next((sample[suffix] for suffix in FILES[field] if suffix in sample), None)
        if found is None:
            raise ganzoo.DataError(
                f"'{sample['__key__']}' in '{self.name}' has no {field} ({', '.join(FILES[field])}); files of one "
                "sample must follow each other in the archive, which tar --sort=name sees to"
            )
        return bytes(self.content[found.start : found.start + found.size]), f"{found.name} in {self.name}"


def find(pattern: str) -> list[str]:
    """The shards that a pattern means: braces are expanded, then folders and wildcards looked up.

    Raises:
        DataError: there are none, one is missing, or it is of a kind that is not read.
    """
    if "${" in pattern:
        raise ganzoo.DataError(f"'{pattern}' names an environment variable; write its value")
    try:
        named = library().shardlists.expand_urls(pattern)
    except ValueError as error:
        raise ganzoo.DataError(f"'{pattern}' is no pattern of shards: {error}") from error
    found = [shard for name in named for shard in look_up(name)]
    if not found:
        raise ganzoo.DataError(f"there are no shards in '{pattern}' (looked for {', '.join(ARCHIVES)})")
    return found


def look_up(name: str) -> list[str]:
    """The shards that one name, folder or wildcard means."""
    if is_address(name):
        return [name]
    path = Path(name).expanduser()
    if path.is_file():
        return [str(path)]
    if path.is_dir():
        return sorted(str(file) for file in path.iterdir() if file.name.endswith(ARCHIVES) and file.is_file())
    if scheme := re.match(r"([A-Za-z][A-Za-z0-9+.-]+):", name):
        why = "it would run a command, and a configuration may be anyone's" if scheme[1] == "pipe" else "it is not read"
        raise ganzoo.DataError(f"'{name}' cannot be used: {why}; give paths of files, or http:// or https:// addresses")
    if glob.has_magic(name):
        return sorted(glob.glob(str(path)))  # noqa: PTH207 - a Path's own needs to be told where the wildcards begin
    raise ganzoo.DataError(f"there is no shard '{path}'")


def count(shard: str, fields: frozenset[str]) -> int:
    """How many samples a file holds, from its headers alone unless it is gzipped."""
    if shard.endswith(".tar"):
        try:
            with Path(shard).open("rb") as file:
                return len(group(members(file, shard), shard, fields))
        except OSError as error:
            raise unreadable(shard, error) from error
    return len(Shard.open(shard, fields).samples)


def group(files: Sequence[Member], shard: str, fields: frozenset[str]) -> list[Sample]:
    """The samples of a shard: files of one key that follow each other, where they hold anything of the fields.

    Raises:
        DataError: a sample has two files of one kind.
    """
    wanted = {suffix for field in fields for suffix in FILES[field]}
    named = ({"fname": file.name, "data": file, "__url__": shard} for file in files)
    try:
        grouped = list(library().tariterators.group_by_keys(named, suffixes=wanted))
    except ValueError as error:
        raise ganzoo.DataError(f"'{shard}' cannot be used: {error.args[0]}") from error
    return [sample for sample in grouped if not wanted.isdisjoint(sample)]


def read_file(name: str) -> BytesIO:
    """A shard that is a file."""
    try:
        with Path(name).open("rb", buffering=0) as file:
            return contents(file, name)
    except (OSError, EOFError) as error:
        raise unreadable(name, error) from error


def unreadable(shard: str, error: Exception) -> ganzoo.DataError:
    """What to say of a shard that cannot be had."""
    return ganzoo.DataError(f"the shard '{shard}' cannot be read: {error}")


def nothing(shards: Sequence[str], fields: frozenset[str]) -> ganzoo.DataError:
    """What to say of shards without samples."""
    expected = ", ".join(f"KEY.{suffix}" for field in sorted(fields) for suffix in FILES[field])
    return ganzoo.DataError(f"there are no samples in '{shards[0]}' or any other of its shards; expected {expected}")


def library() -> Any:
    """The webdataset package, which is imported when it is needed: it comes with an extra.

    Raises:
        DataError: it is not installed.
    """
    try:
        import webdataset
    except ImportError as error:
        raise ganzoo.DataError("'shards' needs a library that is not there: pip install 'ganzoo[shards]'") from error
    return webdataset


@ganzoo.hookimpl
def register_datasets(register: ganzoo.Register) -> None:
    register(Shards)
