"""Recording and replay of iterations: on a GPU, one CUDA graph for each set of active players.

Launching the few hundred kernels of a small GAN's iteration one by one keeps the GPU waiting for Python most of the
time. A graph launches all of them at once. Every replay runs the same kernels on the same memory, so an iteration must
neither depend on Python values that change nor synchronize with the GPU.
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

from ganzoo.base.rng import preserve_rng_state
from ganzoo.contract.batch import Batch, reachable
from ganzoo.losses import Losses

log = logging.getLogger(__name__)

WARM_UP = 3
"""Eager iterations of each set before recording: they allocate optimizer state, choose algorithms and compile."""

Iteration: TypeAlias = Callable[[], Losses]


@dataclass(frozen=True)
class Recording:
    """Recorded iteration."""

    losses: Losses
    """Output, overwritten by every replay."""
    replay: Callable[[], object]

    def make(self) -> Losses:
        """Replay the iteration and return its losses."""
        self.replay()
        return self.losses


class Recorder(Protocol):
    """Backend that records iterations."""

    def rehearse(self, iteration: Iteration) -> tuple[Losses, str]:
        """Run the iteration under recording conditions; return its losses and why it cannot be recorded, if so."""

    def record(self, iteration: Iteration) -> Recording:
        """Record the iteration without running it."""


class CUDAGraphCache:
    """Replaces iterations by recordings where possible."""

    def __init__(
        self,
        recorder: Recorder,
        device: torch.device,
        state: Callable[[], Iterable[Tensor]],
        warm_up: int = WARM_UP,
    ) -> None:
        self.refusal = ""
        """Reason why iterations are not recorded; empty if they are."""
        self._recorder, self._device, self._state, self._warm_up = recorder, device, state, warm_up
        self.forget()

    def forget(self) -> None:
        """Drop all recordings, whose memory is no longer that of the training state."""
        self._made: Counter[tuple[str, ...]] = Counter()
        self._recordings: dict[tuple[str, ...], Recording] = {}
        self._inputs = Batch()

    def make(self, due: tuple[str, ...], batch: Batch, iterate: Callable[[Batch], Losses]) -> Losses:
        """Run one iteration: eagerly at first, then recorded, then replayed.

        Args:
            due: names of the active players; each set has its own recording.
            batch: inputs, on any device.
            iterate: runs an iteration of these players on a batch that is on the device.
        """
        if self.refusal or not self._fits(batch):
            return iterate(batch.to(self._device))
        self._made[due] += 1
        if self._made[due] <= self._warm_up:
            losses, complaint = self._recorder.rehearse(lambda: iterate(batch.to(self._device)))
            if complaint and self._made[due] == self._warm_up:
                self._refuse(complaint)
            return losses
        self._take(batch)
        if due not in self._recordings and not self._record(due, iterate):
            return iterate(batch.to(self._device))
        if self._made[due] == self._warm_up + 2 and not self._agrees(due, batch, iterate):
            return iterate(batch.to(self._device))
        return {name: value.clone() for name, value in self._recordings[due].make().items()}

    def _fits(self, batch: Batch) -> bool:
        """Whether a batch has the shapes and dtypes of the recordings, which the first batch sets."""
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
        except Exception as error:  # whatever a plugin raised: it may work unrecorded
            self._refuse(_first_cause(error))
        return not self.refusal

    def _agrees(self, due: tuple[str, ...], batch: Batch, iterate: Callable[[Batch], Losses]) -> bool:
        """Whether a replay gives the losses of an eager iteration, on a batch after the recorded one.

        It does not if state that changes lives in Python. Weights and all other state are restored afterwards.
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
    """Records CUDA graphs in one memory pool, as they never run concurrently."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._seen: dict[str | tuple[str, type[Warning], int], int] = {}  # warnings already shown
        with torch.cuda.device(device):
            self._pool = torch.cuda.graph_pool_handle()
            self._stream = torch.cuda.Stream()

    def rehearse(self, iteration: Iteration) -> tuple[Losses, str]:
        """Run on a side stream, as a capture does, with PyTorch reporting synchronizations."""
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
    """Restore these tensors and the random state on exit."""
    kept = [(value, value.detach().clone()) for value in state]
    with preserve_rng_state(device):
        try:
            yield
        finally:
            with torch.no_grad():
                for value, before in kept:
                    value.copy_(before)


def _first_cause(error: Exception) -> str:
    """Return the first line of the original error: a broken capture raises another error while unwinding."""
    if isinstance(error, torch.AcceleratorError | RuntimeError) and isinstance(error.__context__, Exception):
        error = error.__context__
    return next(iter(str(error).splitlines()), "") or type(error).__name__
