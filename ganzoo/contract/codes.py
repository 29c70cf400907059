"""Codes: entries of the noise that have a name and a meaning, so that they can be told and not only drawn."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ganzoo.errors import OptionError, UnknownName, UserError, typed

STEPS = 10
"""Values in a range of a continuous code, unless so many are asked for."""
MOST = 1000
"""Values of one code in one picture, at most."""


@dataclass(frozen=True)
class Code(ABC):
    """A named part of the noise, standard normal as all of it, and what is read from there.

    Reading and putting are inverse to each other, so that a network sees the same whether a code was drawn or told.
    """

    name: str
    """As in `--codes NAME=VALUE`."""
    start: int
    """The first of its entries in a row of noise, flattened."""

    @property
    @abstractmethod
    def length(self) -> int:
        """How many entries it has."""

    @property
    @abstractmethod
    def takes(self) -> str:
        """What its values may be, in words."""

    @abstractmethod
    def read(self, noise: Tensor) -> Tensor:
        """Its values, N, in rows of noise, N x ..."""

    @abstractmethod
    def entries(self, values: Tensor) -> Tensor:
        """Its entries, N x length, where it has those values, N."""

    @abstractmethod
    def allows(self, value: float) -> bool:
        """Whether it can have that value."""

    @abstractmethod
    def between(self, low: float, high: float, steps: int | None) -> list[float]:
        """Values from `low` to `high`, both included: `steps` of them, evenly spaced.

        None: a continuous code has STEPS, a category every whole number between.

        Raises:
            OptionError: a category was given steps.
        """

    @property
    def place(self) -> slice:
        """Where its entries are in a row of noise, flattened."""
        return slice(self.start, self.start + self.length)

    def put(self, noise: Tensor, values: Tensor) -> Tensor:
        """Rows of noise, N x ..., in which it has those values, N, and all else is the same."""
        rows = noise.flatten(1).clone()
        rows[:, self.place] = self.entries(values).to(rows)
        return rows.view_as(noise)

    def value(self, said: object) -> float:
        """The value as a number.

        Raises:
            OptionError: it is none, or not one that this code takes.
        """
        try:
            value = float(str(said))
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and self.allows(value)):
            raise OptionError(f"code '{self.name}' cannot be {typed(said)}: it is {self.takes}")
        return value

    def values(self, said: str) -> list[float]:
        """Values as they are said on a command line: `3`, `0,3,5`, `-1..1`, or `-1..1:7` for seven of them.

        Raises:
            OptionError: it cannot have them.
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
    """One of so many, drawn evenly: the number of the largest of its entries."""

    count: int
    """How many categories there are; they are numbered from 0."""

    @property
    def length(self) -> int:
        return self.count

    @property
    def takes(self) -> str:
        return f"a whole number from 0 to {self.count - 1}"

    def read(self, noise: Tensor) -> Tensor:
        return noise.flatten(1)[:, self.place].argmax(1)

    def entries(self, values: Tensor) -> Tensor:
        # Noise far above all others, so that it is the largest.
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
    """A value from -1 to 1, drawn evenly: the normal distribution's function of its entry, doubled, less 1."""

    @property
    def length(self) -> int:
        return 1

    @property
    def takes(self) -> str:
        return "a number from -1 to 1"

    def read(self, noise: Tensor) -> Tensor:
        return torch.erf(noise.flatten(1)[:, self.start] / 2**0.5)

    def entries(self, values: Tensor) -> Tensor:
        edge = 1 - 1e-6  # the entries of -1 and 1 themselves are infinite
        return (torch.erfinv(values.double().clamp(-edge, edge)) * 2**0.5)[:, None]

    def allows(self, value: float) -> bool:
        return -1 <= value <= 1

    def between(self, low: float, high: float, steps: int | None) -> list[float]:
        return torch.linspace(low, high, steps or STEPS, dtype=torch.float64).tolist()


def settings(codes: Sequence[Code], name: str, asked: Mapping[str, object] | None) -> dict[Code, list[float]]:
    """The values that codes were told to have: one or several each.

    Args:
        codes: those of the GAN.
        name: the GAN's.
        asked: a value, several, or, as on a command line, words for them, by the code's name.

    Raises:
        UserError: there is no such code, or it cannot have that value.
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
