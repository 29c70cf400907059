"""Iterations recorded once and replayed: on a GPU, one CUDA graph for each set of players that are due.

Launched one by one, the few hundred kernels of a small GAN's iteration keep the GPU waiting for Python for most of the
time. A graph launches all of them at once. It runs the same kernels on the same memory every time, so nothing in an
iteration may depend on a Python value that changes, and nothing may wait for the GPU.
"""

import logging
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

import torch
from torch import Tensor

from ganzoo.data.batch import Batch, reachable
from ganzoo.losses import Losses
from ganzoo.rng import preserve_rng_state

log = logging.getLogger(__name__)

WARM_UP = 3
"""Iterations of each set that are made as usual first: they allocate optimizer state, choose algorithms, compile."""

Iteration: TypeAlias = Callable[[], Losses]


@dataclass(frozen=True)
class Recording:
    """An iteration that can be made again."""

    losses: Losses
    """What it gives; overwritten by every replay."""
    replay: Callable[[], object]

    def make(self) -> Losses:
        """The iteration, once more."""
        self.replay()
        return self.losses


class Recorder(Protocol):
    """A way to record."""

    def rehearse(self, iteration: Iteration) -> tuple[Losses, str]:
        """Makes the iteration as it will be recorded: its losses, and what keeps it from being so, if anything."""

    def record(self, iteration: Iteration) -> Recording:
        """Records the iteration; the first replay is the first that counts."""


class Graphs:
    """Replaces iterations by recordings of them, where that can be done."""

    def __init__(self, recorder: Recorder, device: torch.device, state: Callable[[], Iterable[Tensor]]) -> None:
        self.refusal = ""
        """Why iterations are not recorded after all."""
        self._recorder, self._device, self._state = recorder, device, state
        self.forget()

    def forget(self) -> None:
        """Drops all recordings: memory that they use is no longer what trains."""
        self._made: Counter[tuple[str, ...]] = Counter()
        self._recordings: dict[tuple[str, ...], Recording] = {}
        self._inputs = Batch()

    def make(self, due: tuple[str, ...], batch: Batch, iterate: Callable[[Batch], Losses]) -> Losses:
        """One iteration: as usual at first, then recorded, from then on replayed.

        Args:
            due: the names of the players that move: each set has a recording of its own.
            batch: its inputs, on any device.
            iterate: makes the iteration of these players, on a batch on the device.
        """
        if self.refusal or not self._fits(batch):
            return iterate(batch.to(self._device))
        self._made[due] += 1
        if self._made[due] <= WARM_UP:
            losses, complaint = self._recorder.rehearse(lambda: iterate(batch.to(self._device)))
            if complaint and self._made[due] == WARM_UP:
                self._refuse(complaint)
            return losses
        self._take(batch)
        if due not in self._recordings and not self._record(due, iterate):
            return iterate(batch.to(self._device))
        if self._made[due] == WARM_UP + 2 and not self._agrees(due, batch, iterate):
            return iterate(batch.to(self._device))
        return {name: value.clone() for name, value in self._recordings[due].make().items()}

    def _fits(self, batch: Batch) -> bool:
        """Whether a batch has the form of those recorded; the first one sets it."""
        if not self._inputs:
            room = {name: torch.empty_like(value, device=self._device) for name, value in batch.items()}
            self._inputs = Batch(**room)
        forms = [{name: (value.shape, value.dtype) for name, value in each.items()} for each in (batch, self._inputs)]
        return forms[0] == forms[1]

    def _take(self, batch: Batch) -> None:
        for name, value in batch.items():
            self._inputs[name].copy_(reachable(value, self._device), non_blocking=True)

    def _record(self, due: tuple[str, ...], iterate: Callable[[Batch], Losses]) -> bool:
        try:
            self._recordings[due] = self._recorder.record(lambda: iterate(self._inputs))
        except Exception as error:  # whatever it was that a plugin did: unrecorded it may work
            self._refuse(_first_cause(error))
        return not self.refusal

    def _agrees(self, due: tuple[str, ...], batch: Batch, iterate: Callable[[Batch], Losses]) -> bool:
        """Whether a replay gives what the iteration itself gives, on a batch after the one that was recorded.

        It does not where something that changes lives in Python. Weights and all else are as before afterwards.
        """
        ways: tuple[Iteration, ...] = (lambda: iterate(batch.to(self._device)), self._recordings[due].make)
        results = []
        for make in ways:
            with restored(self._state(), self._device):
                results.append({name: value.clone() for name, value in make().items()})
        expected, found = results
        agrees = expected.keys() == found.keys() and all(
            torch.allclose(found[name], value, rtol=0.02, atol=0.001, equal_nan=True)
            for name, value in expected.items()
        )
        if not agrees:
            self._refuse("they give other losses: something that changes lives in Python, not in tensors")
        return agrees

    def _refuse(self, reason: str) -> None:
        self.forget()
        self.refusal = reason
        log.warning("iterations are not replayed as CUDA graphs, which would be faster: %s", reason)


class CudaRecorder:
    """CUDA graphs, all in one pool of memory: they never run side by side."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._seen: dict[str | tuple[str, type[Warning], int], int] = {}  # warnings that were passed on
        with torch.cuda.device(device):
            self._pool = torch.cuda.graph_pool_handle()
            self._stream = torch.cuda.Stream()

    def rehearse(self, iteration: Iteration) -> tuple[Losses, str]:
        """On a side stream, as a capture does; what waits for the GPU is noticed by torch itself."""
        with torch.cuda.device(self._device), warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            before = torch.cuda.get_sync_debug_mode()
            self._stream.wait_stream(torch.cuda.current_stream())
            torch.cuda.set_sync_debug_mode("warn")
            try:
                with torch.cuda.stream(self._stream):
                    losses = iteration()
            finally:
                torch.cuda.set_sync_debug_mode(before)
                torch.cuda.current_stream().wait_stream(self._stream)
        waits = [warning for warning in caught if "synchronizing" in str(warning.message)]
        for warning in caught:
            if warning not in waits:
                place = warning.filename, warning.lineno
                warnings.warn_explicit(warning.message, warning.category, *place, registry=self._seen)
        if not waits:
            return losses, ""
        return losses, f"line {waits[0].lineno} of {Path(waits[0].filename).name} waits for the GPU"

    def record(self, iteration: Iteration) -> Recording:
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.device(self._device), torch.cuda.graph(graph, pool=self._pool, stream=self._stream):
            losses = iteration()
        return Recording(losses, graph.replay)


@contextmanager
def restored(state: Iterable[Tensor], device: torch.device) -> Iterator[None]:
    """What takes place within is undone: these tensors, and random numbers, are as before afterwards."""
    kept = [(value, value.detach().clone()) for value in state]
    with preserve_rng_state(device):
        try:
            yield
        finally:
            with torch.no_grad():
                for value, before in kept:
                    value.copy_(before)


def _first_cause(error: Exception) -> str:
    """The first line of what was wrong: a capture that broke off raises an error of its own on its way out."""
    if isinstance(error, torch.AcceleratorError | RuntimeError) and isinstance(error.__context__, Exception):
        error = error.__context__
    return next(iter(str(error).splitlines()), "") or type(error).__name__
