"""Loss terms and speed, averaged between two readings; and the iteration at which a loss stopped being a number."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from ganzoo.losses import Losses


@dataclass
class _Sums:
    """Of terms that always come together."""

    count: int
    totals: Tensor
    broken: Tensor
    """The iteration at which each total was no longer finite; 0: it is."""


class Meter:
    """Means since the last reading. Terms are summed on the device and read all at once, so that only reading waits."""

    def __init__(self) -> None:
        self._reset()

    def add(self, losses: Losses, iteration: int) -> None:
        """Takes one iteration's terms."""
        self._iterations += 1
        names, values = tuple(losses), torch.stack(list(losses.values()))
        if names not in self._sums:
            zeros = torch.zeros_like(values)
            self._sums[names] = _Sums(0, zeros, zeros.to(torch.int64))
        sums = self._sums[names]
        sums.count += 1
        sums.totals = sums.totals + values
        # What is no number stays in the total, so that it is found whenever it is looked for.
        sums.broken = torch.where(sums.totals.isfinite() | (sums.broken > 0), sums.broken, iteration)

    def read(self) -> tuple[int, float, dict[str, float]]:
        """Iterations, seconds and the mean of each term over the iterations that had it, since the last reading."""
        totals, counts = dict[str, float](), dict[str, int]()
        for sums, name, total in self._numbers("totals"):
            totals[name] = totals.get(name, 0.0) + total
            counts[name] = counts.get(name, 0) + sums.count
        means = {name: total / counts[name] for name, total in totals.items()}
        reading = self._iterations, time.perf_counter() - self._since, means
        self._reset()
        return reading

    def broken(self) -> dict[str, int]:
        """The terms that were NaN or infinite since the last reading, and since which iteration."""
        return {name: int(since) for _, name, since in self._numbers("broken") if since}

    def _numbers(self, part: Literal["totals", "broken"]) -> Iterator[tuple[_Sums, str, float]]:
        """A number for each term of each group, all fetched from the device at once."""
        tensors = [getattr(sums, part) for sums in self._sums.values()]
        numbers = iter(torch.cat(tensors).tolist() if tensors else ())
        for names, sums in self._sums.items():
            for name, number in zip(names, numbers, strict=False):
                yield sums, name, number

    @contextmanager
    def paused(self) -> Iterator[None]:
        """What takes place inside does not count as training time."""
        since = time.perf_counter()
        try:
            yield
        finally:
            self._since += time.perf_counter() - since

    def state(self) -> dict[str, Tensor]:
        """The terms that were taken since the last reading: what a run that goes on must still log."""
        state: dict[str, Tensor] = {}
        for names, sums in self._sums.items():
            key = json.dumps(names)
            state |= {f"totals {key}": sums.totals, f"broken {key}": sums.broken}
            state[f"count {key}"] = torch.tensor(sums.count)
        return state

    def load_state(self, state: Mapping[str, Tensor], device: torch.device) -> None:
        """Goes on from what `state` gave; iterations and time are counted anew."""
        self._reset()
        for key in [name.removeprefix("count ") for name in state if name.startswith("count ")]:
            totals, broken = (state[f"{part} {key}"].to(device) for part in ("totals", "broken"))
            self._sums[tuple(json.loads(key))] = _Sums(int(state[f"count {key}"]), totals, broken)

    def _reset(self) -> None:
        self._iterations, self._since = 0, time.perf_counter()
        self._sums: dict[tuple[str, ...], _Sums] = {}
