"""Truncation and interpolation of noise.

Computed row by row on the CPU, so that row n of a seed does not depend on count or device.
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from ganzoo.base.rng import seeded
from ganzoo.data.in_memory import BLOCK
from ganzoo.errors import OptionError


def drawn(count: int, shape: tuple[int, ...], seed: int, size: int) -> Iterator[Tensor]:
    """Yield the rows of `fixed_latents`, `size` x `shape` at a time, without holding all of them."""
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
    """Map standard normal noise to a normal distribution truncated at +-limit (Brock et al., 2018, section 3.1).

    The paper resamples values beyond the limit. Here each entry z becomes the value of the same rank in the truncated
    distribution, erf(z' / sqrt 2) = erf(z / sqrt 2) erf(limit / sqrt 2): the distribution is the same, and each image
    stays that of the same noise, nearer to the middle.
    """
    root = 2**0.5
    share = math.erf(limit / root)
    cut = torch.erfinv(torch.erf(noise.double() / root) * share) * root
    return cut.clamp(-limit, limit).to(noise.dtype)


def check_limit(limit: object) -> float:
    """Return a valid truncation limit.

    Raises:
        OptionError: if it is not a finite number of at least 0.
    """
    number = limit if isinstance(limit, int | float) else math.nan
    if not (math.isfinite(number) and number >= 0):
        raise OptionError(f"option 'truncation' cannot be '{limit}': for noise, it must be a number of at least 0")
    return float(number)


def spherical(first: Tensor, second: Tensor, share: Tensor) -> Tensor:
    """Return the spherical interpolation between rows (Shoemake, 1985; of noise: White, 2016, arXiv:1609.04468).

    sin((1 - t) w) / sin w first + sin(t w) / sin w second, where w is the angle between them: unlike on a straight
    line, interpolated noise keeps its usual norm.

    Args:
        first: N x ...
        second: N x ...
        share: t from 0 to 1, N.
    """
    one, other = first.double().flatten(1), second.double().flatten(1)
    cosine = torch.nn.functional.cosine_similarity(one, other, dim=1).clamp(-1, 1)
    angle, t = torch.arccos(cosine)[:, None], share.double()[:, None]
    sine = torch.sin(angle)
    straight = sine < 1e-4  # collinear with the origin: no arc, or many
    sine = torch.where(straight, 1.0, sine)
    weight = torch.where(straight, 1 - t, torch.sin((1 - t) * angle) / sine)
    other_weight = torch.where(straight, t, torch.sin(t * angle) / sine)
    return (weight * one + other_weight * other).to(first.dtype).view_as(first)


def way(points: int, frames: int, *, closed: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Return the position of each frame of a walk: first point, second point and share of the way, `frames` each.

    Args:
        points: number of points of the walk.
        frames: number of frames, at equal steps.
        closed: whether the walk returns to the first point, for a loop; else it ends at the last one.
    """
    legs = points if closed else points - 1
    place = torch.arange(frames, dtype=torch.float64) * legs / (frames if closed else max(1, frames - 1))
    first = place.floor().long().clamp(max=legs - 1)
    return first, (first + 1) % points, place - first
