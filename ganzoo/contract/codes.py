"""Codes: named, meaningful entries of the noise, which can be set as well as sampled."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ganzoo.errors import OptionError, UnknownName, UserError, typed

STEPS = 10
"""Default number of values in a range of a continuous code."""
MOST = 1000
"""Maximum number of values of one code in one picture."""


@dataclass(frozen=True)
class Code(ABC):
    """Named part of the noise, which is standard normal like the rest, and its value.

    `read` and `put` are inverses, so that networks cannot tell whether a code was sampled or set.
    """

    name: str
    """Name in `--codes NAME=VALUE`."""
    start: int
    """Index of the first entry in a row of noise, flattened."""

    @property
    @abstractmethod
    def length(self) -> int:
        """Number of entries."""

    @property
    @abstractmethod
    def takes(self) -> str:
        """Description of the allowed values."""

    @abstractmethod
    def read(self, noise: Tensor) -> Tensor:
        """Return the values, N, in rows of noise, N x ..."""

    @abstractmethod
    def entries(self, values: Tensor) -> Tensor:
        """Return the entries, N x length, for these values, N."""

    @abstractmethod
    def allows(self, value: float) -> bool:
        """Whether the code can have this value."""

    @abstractmethod
    def between(self, low: float, high: float, steps: int | None) -> list[float]:
        """Return `steps` evenly spaced values from `low` to `high`, both included.

        None: STEPS values of a continuous code, every whole number in between of a category.

        Raises:
            OptionError: `steps` for a category.
        """

    @property
    def place(self) -> slice:
        """Slice of the entries in a row of noise, flattened."""
        return slice(self.start, self.start + self.length)

    def put(self, noise: Tensor, values: Tensor) -> Tensor:
        """Return rows of noise, N x ..., with the code set to these values, N, and all else unchanged."""
        rows = noise.flatten(1).clone()
        rows[:, self.place] = self.entries(values).to(rows)
        return rows.view_as(noise)

    def value(self, said: object) -> float:
        """Parse a value.

        Raises:
            OptionError: not a number, or not allowed for this code.
        """
        try:
            value = float(str(said))
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and self.allows(value)):
            raise OptionError(f"code '{self.name}' cannot be {typed(said)}: it is {self.takes}")
        return value

    def values(self, said: str) -> list[float]:
        """Parse values of the command line: `3`, `0,3,5`, `-1..1`, or `-1..1:7` for seven steps.

        Raises:
            OptionError: invalid values for this code.
        """
        values: list[float] = []
        for part in said.split(","):
            first, dots, rest = part.partition("..")
            if not dots:
                values.append(self.value(part))
                continue
            last, colon, steps = rest.partition(":")
            count = int(steps) if steps.isascii() and steps.isdecimal() and len(steps) < 9 else 0
            if colon and not 2 <= count <= MOST:
                raise OptionError(f"code '{self.name}' cannot be {typed(said)}: write 2 to {MOST} steps, as in -1..1:7")
            values += self.between(self.value(first), self.value(last), count or None)
        if len(values) > MOST:
            raise OptionError(f"code '{self.name}' cannot have {len(values)} values in one picture; at most {MOST}")
        return values


@dataclass(frozen=True)
class Category(Code):
    """Uniform category: the index of the largest of its entries."""

    count: int
    """Number of categories, numbered from 0."""

    @property
    def length(self) -> int:
        return self.count

    @property
    def takes(self) -> str:
        return f"a whole number from 0 to {self.count - 1}"

    def read(self, noise: Tensor) -> Tensor:
        return noise.flatten(1)[:, self.place].argmax(1)

    def entries(self, values: Tensor) -> Tensor:
        # Far above normal noise, so that it is the largest.
        return 4 * torch.eye(self.count, device=values.device)[values.long()]

    def allows(self, value: float) -> bool:
        return value.is_integer() and 0 <= value < self.count

    def between(self, low: float, high: float, steps: int | None) -> list[float]:
        if steps is not None:
            raise OptionError(f"code '{self.name}' has no steps between two values: it is {self.takes}")
        step = 1 if low <= high else -1
        return [float(value) for value in range(int(low), int(high) + step, step)]


@dataclass(frozen=True)
class Continuous(Code):
    """Uniform value from -1 to 1: the normal cumulative distribution function of its entry, doubled, minus 1."""

    @property
    def length(self) -> int:
        return 1

    @property
    def takes(self) -> str:
        return "a number from -1 to 1"

    def read(self, noise: Tensor) -> Tensor:
        return torch.erf(noise.flatten(1)[:, self.start] / 2**0.5)

    def entries(self, values: Tensor) -> Tensor:
        edge = 1 - 1e-6  # the entries of -1 and 1 are infinite
        return (torch.erfinv(values.double().clamp(-edge, edge)) * 2**0.5)[:, None]

    def allows(self, value: float) -> bool:
        return -1 <= value <= 1

    def between(self, low: float, high: float, steps: int | None) -> list[float]:
        return torch.linspace(low, high, steps or STEPS, dtype=torch.float64).tolist()


def settings(codes: Sequence[Code], name: str, asked: Mapping[str, object] | None) -> dict[Code, list[float]]:
    """Return the requested values of codes, one or several each.

    Args:
        codes: codes of the GAN.
        name: name of the GAN.
        asked: a value, several, or their text on a command line, by the name of the code.

    Raises:
        UserError: an unknown code, or a value that it cannot have.
    """
    if asked is None:
        return {}
    if not codes:
        raise UserError(f"'{name}' has no codes to set: leave them out")
    known = {code.name: code for code in codes}
    told: dict[Code, list[float]] = {}
    for label, said in asked.items():
        if label not in known:
            raise UnknownName(f"code of {name}", label, known)
        code = known[label]
        if isinstance(said, str):
            told[code] = code.values(said)
        elif isinstance(said, Sequence) and said:
            told[code] = [code.value(value) for value in said]
        else:
            told[code] = [code.value(said)]
    return told
