"""Inputs of a generator: rows of noise and conditions, as fields of a batch."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat

import torch
from torch import Tensor

from ganzoo.contract.codes import Code
from ganzoo.sampling.interpolation import drawn, spherical, truncated, way


@dataclass(frozen=True)
class Inputs:
    """Inputs for the samples of a seed; row n is the same for any count."""

    noise_shape: tuple[int, ...]
    seed: int
    turns: Mapping[str, Tensor]
    """Rows of the other fields, repeated in turn."""
    limit: float | None = None
    """Truncation limit of the noise."""
    codes: Mapping[Code, float] = field(default_factory=dict)
    """Values of codes in the noise."""

    def parts(self, count: int, size: int) -> Iterator[dict[str, Tensor]]:
        """Yield `count` rows, `size` at a time."""
        noise = drawn(count, self.noise_shape, self.seed, size) if self.noise_shape else repeat(None)
        for start, rows in zip(range(0, count, size), noise, strict=False):
            numbers = torch.arange(start, min(start + size, count))
            yield self.others(numbers) | ({} if rows is None else {"noise": self.finished(rows)})

    def walk(self, points: int, frames: int, count: int, size: int, *, closed: bool) -> Iterator[dict[str, Tensor]]:
        """Yield `count` simultaneous walks, each through its own points, about `size` rows at a time.

        Gives `frames` x `count` rows. Noise is interpolated spherically; other fields come from the nearest point.
        """
        (noise,) = drawn(points * count, self.noise_shape, self.seed, points * count)
        walks = torch.arange(count) * points
        first, second, share = way(points, frames, closed=closed)
        for part in torch.arange(frames).split(max(1, size // count)):
            here, there = ((walks + point[part, None]).flatten() for point in (first, second))
            shares = share[part].repeat_interleave(count)
            rows = spherical(noise[here], noise[there], shares)
            yield self.others(torch.where(shares < 0.5, here, there)) | {"noise": self.finished(rows)}

    def between(self, second: int, shares: Tensor, size: int) -> Iterator[dict[str, Tensor]]:
        """Yield rows between the first row and that of another seed, at shares N from 0 to 1, `size` at a time."""
        here, there = (next(drawn(1, self.noise_shape, seed, 1)) for seed in (self.seed, second))
        for part in shares.split(size):
            shape = (len(part), *self.noise_shape)
            rows = spherical(here.expand(shape), there.expand(shape), part)
            yield self.others(torch.zeros(len(part), dtype=torch.int64)) | {"noise": self.finished(rows)}

    def sweep(self, codes: Mapping[Code, Sequence[float]], count: int, size: int) -> Iterator[dict[str, Tensor]]:
        """Yield the first `count` rows with each combination of the codes' values; the last code varies fastest."""
        (noise,) = drawn(count, self.noise_shape, self.seed, count)
        combinations = math.prod(map(len, codes.values()))
        for numbers in torch.arange(count * combinations).split(size):
            rows, left = self.finished(noise[numbers // combinations]), numbers % combinations
            for code, values in reversed(list(codes.items())):
                rows = code.put(rows, torch.tensor(values)[left % len(values)])
                left = left // len(values)
            yield self.others(numbers // combinations) | {"noise": rows}

    def others(self, numbers: Tensor) -> dict[str, Tensor]:
        """Return the fields other than noise for these row numbers."""
        return {name: rows[numbers % len(rows)] for name, rows in self.turns.items()}

    def finished(self, noise: Tensor) -> Tensor:
        """Return noise after truncation, with the chosen codes."""
        rows = noise if self.limit is None else truncated(noise, self.limit)
        for code, value in self.codes.items():
            rows = code.put(rows, torch.full((len(rows),), value))
        return rows
