"""What is done to noise before images are made of it: truncation, and ways from one point to the next.

All of it is worked out row by row on the CPU: the n-th image of a seed stays the n-th, whatever the count and device.
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from ganzoo.base.rng import seeded
from ganzoo.data.in_memory import BLOCK
from ganzoo.errors import OptionError


def drawn(count: int, shape: tuple[int, ...], seed: int, size: int) -> Iterator[Tensor]:
    """The rows of `data.batches.latent`, `size` x `shape` at a time, without holding all of them."""
    generator, rest = seeded(seed, "latent"), torch.empty((0, *shape))
    for start in range(0, count, size):
        wanted = min(size, count - start)
        blocks = [rest]
        while sum(map(len, blocks)) < wanted:
            blocks.append(torch.randn((BLOCK, *shape), generator=generator))
        rows = torch.cat(blocks)
        rest = rows[wanted:]
        yield rows[:wanted]


def truncated(noise: Tensor, limit: float) -> Tensor:
    """Standard normal noise as noise of the same distribution cut off at +-limit (Brock et al., 2018, section 3.1).

    The paper draws again what lies beyond. Here each entry z becomes the value of the same rank in the distribution
    that is cut off, erf(z' / sqrt 2) = erf(z / sqrt 2) erf(limit / sqrt 2): the same distribution, and each image is
    that of the same noise, nearer to the middle.
    """
    root = 2**0.5
    share = math.erf(limit / root)
    cut = torch.erfinv(torch.erf(noise.double() / root) * share) * root
    return cut.clamp(-limit, limit).to(noise.dtype)


def check_limit(limit: object) -> float:
    """A number that noise can be cut off at.

    Raises:
        OptionError: it is none.
    """
    number = limit if isinstance(limit, int | float) else math.nan
    if not (math.isfinite(number) and number >= 0):
        raise OptionError(f"option 'truncation' cannot be '{limit}': for noise, it must be a number of at least 0")
    return float(number)


def spherical(first: Tensor, second: Tensor, share: Tensor) -> Tensor:
    """Spherical interpolation from one row to another (Shoemake, 1985; of noise: White, 2016, arXiv:1609.04468).

    sin((1 - t) w) / sin w first + sin(t w) / sin w second, w the angle between them: unlike on a straight line, what
    lies between is as long as noise usually is.

    Args:
        first: N x ...
        second: likewise.
        share: t from 0 to 1, N.
    """
    one, other = first.double().flatten(1), second.double().flatten(1)
    cosine = torch.nn.functional.cosine_similarity(one, other, dim=1).clamp(-1, 1)
    angle, t = torch.arccos(cosine)[:, None], share.double()[:, None]
    sine = torch.sin(angle)
    straight = sine < 1e-4  # in one line with the origin: there is no arc, or there are many
    sine = torch.where(straight, 1.0, sine)
    weight = torch.where(straight, 1 - t, torch.sin((1 - t) * angle) / sine)
    other_weight = torch.where(straight, t, torch.sin(t * angle) / sine)
    return (weight * one + other_weight * other).to(first.dtype).view_as(first)


def way(points: int, frames: int, *, closed: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Where each frame of a walk is: the points that it is between, and how far it is on its way; `frames` each.

    Args:
        points: how many the walk has.
        frames: how many are made of it, at equal steps.
        closed: from the last point it goes on to the first, so that the film can begin again; else it ends there.
    """
    legs = points if closed else points - 1
    place = torch.arange(frames, dtype=torch.float64) * legs / (frames if closed else max(1, frames - 1))
    first = place.floor().long().clamp(max=legs - 1)
    return first, (first + 1) % points, place - first
