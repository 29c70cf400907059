"""WebDataset shards: `shards:PATTERN`, tar archives of samples, for data that fits neither memory nor disk."""

import logging
import re
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from itertools import pairwise
from typing import NamedTuple

import torch
from pydantic import Field
from torch import Tensor

import ganzoo
from ganzoo.data import encode, is_address, open_image
from ganzoo_data_shards.reading import FILES, Shard, count, find, in_background, nothing

log = logging.getLogger("ganzoo.data.shards")

CAPTION = 256
"""Default number of bytes of a caption."""


class Shards(ganzoo.Dataset):
    """Samples in tar archives, streamed: KEY.jpg, KEY.cls, KEY.txt, KEY.source.png, KEY.target.png."""

    name = "shards"
    licence = "unknown: data of whoever trained it"
    provides = frozenset(FILES)
    shapes = {"label": (), "caption": (CAPTION,)}
    streamed = True
    may_change = frozenset({"path", "skip"})

    path: str = Field(description="shards: data-{000..999}.tar, a folder or *.tar; files or http(s) addresses")
    count: int | None = Field(
        None, gt=0, description="number of images in all shards (default: counted at the start of a run)"
    )
    class_count: int | None = Field(None, gt=0, description="number of classes, which are numbered from 0")
    caption_bytes: int = Field(CAPTION, gt=0, description="bytes per caption")
    skip: int = Field(0, ge=0, description="number of broken samples that each worker skips in a pass")

    def load(self, request: ganzoo.DataRequest) -> ganzoo.Stream:
        if "label" in request.fields and self.class_count is None:
            raise ganzoo.DataError("labels need to be counted: say how many classes there are, --data.class-count N")
        return ShardStream(self, request, find(self.path))


class ShardStream(ganzoo.Stream):
    """Samples of shards, shuffled in each pass.

    The shards of a pass are shuffled and dealt to the shares in turn. A shard is held in memory, as on disk, while its
    samples are taken in random order; after half of them, the next shard is opened in the background. A position is
    (pass, shard of the share, samples taken from it, samples skipped in the pass), so resuming reads one shard again.
    """

    def __init__(self, options: Shards, request: ganzoo.DataRequest, shards: Sequence[str]) -> None:
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
        with ThreadPoolExecutor() as pool:
            found = sum(pool.map(partial(count, fields=self.request.fields), self.shards))
        if not found:
            raise nothing(self.shards, self.request.fields)
        return found

    def read(
        self, seed: int, part: int, parts: int, position: ganzoo.Position
    ) -> Iterator[tuple[ganzoo.Row, ganzoo.Position]]:
        if parts > len(self.shards):
            raise ganzoo.DataError(
                f"there are fewer shards ({len(self.shards)}) than readers ({parts}: for each GPU as many as --workers "
                "says, or one); give fewer --workers, or make more shards"
            )
        turn, first, *at = (*position, 0, 0, 0, 0)[:4]
        empty, opening = not (first or at[0]), None
        for here, coming in pairwise(self._places(seed, part, parts, turn, first)):
            shard = (opening or in_background(partial(self._open, here))).result()
            opening = None
            for row, *after in self._take(shard, (seed, here.turn, here.number), *at):
                at = after
                if opening is None and 2 * at[0] >= len(shard.samples):
                    opening = in_background(partial(self._open, coming))
                if row is not None:
                    empty = False
                    yield row, (here.turn, here.place, *at)
            del shard  # so that at most two shards are in memory
            if empty and coming.turn > here.turn:
                raise nothing(self.shards, self.request.fields)
            at, empty = ([0, at[1]], empty) if coming.turn == here.turn else ([0, 0], True)

    def _places(self, seed: int, part: int, parts: int, turn: int, first: int) -> Iterator["Place"]:
        """Yield the shards of a share, pass after pass."""
        while True:
            order = torch.randperm(len(self.shards), generator=ganzoo.seeded(seed, "shards", turn)).tolist()
            for place, number in list(enumerate(order[part::parts]))[first:]:
                yield Place(turn, place, number)
            turn, first = turn + 1, 0

    def _open(self, place: "Place") -> Shard:
        return Shard.open(self.shards[place.number], self.request.fields)

    def _take(
        self, shard: Shard, order: tuple[int, int, int], taken: int, skipped: int
    ) -> Iterator[tuple[ganzoo.Row | None, int, int]]:
        """Yield the remaining samples of a shard, each with the numbers of samples taken and skipped after it."""
        rows = torch.randperm(len(shard.samples), generator=ganzoo.seeded(*order)).tolist()
        names = sorted(self.request.fields)
        for row in rows[taken:]:
            fields, taken = None, taken + 1
            try:
                fields = {name: self._read(name, *shard.file(shard.samples[row], name)) for name in names}
            except ganzoo.DataError as error:
                skipped = self._skip(error, skipped)
            yield fields, taken, skipped

    def _skip(self, error: ganzoo.DataError, skipped: int) -> int:
        if skipped >= self.options.skip:  # a position may come from a run with a higher limit
            before = f", after {skipped} others in this pass" if skipped else ""
            advice = (
                "--data.skip N leaves out so many broken samples, and may be added to a run that goes on in its --out"
            )
            raise ganzoo.DataError(f"{error}{before}; {advice}") from error
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
        with warnings.catch_warnings():  # Pillow's warnings do not help with training a GAN
            warnings.simplefilter("ignore")
            return self.request.fit(open_image(content, name))

    def _label(self, content: bytes, name: str) -> int:
        most = len(self.classes) - 1
        text = content.decode(errors="replace").strip()
        if not re.fullmatch("[0-9]{1,9}", text) or int(text) > most:
            raise ganzoo.DataError(f"'{name}' holds {text[:20]!r}; expected a class, a whole number from 0 to {most}")
        return int(text)


class Place(NamedTuple):
    """Shard in a share of a pass."""

    turn: int
    """Number of the pass."""
    place: int
    """Index in the share."""
    number: int
    """Index among all shards."""


@ganzoo.hookimpl
def register_datasets(register: ganzoo.Register) -> None:
    register(Shards)
