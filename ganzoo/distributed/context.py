"""Processes that train one run together, and their collective communication.

torchrun's elastic agents start them (`ganzoo run --processes` uses the same library) and set rank and world size in the
environment. They communicate by gloo on the host and NCCL between GPUs. With a single process, every method returns
its input.
"""

import atexit
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
import torch.distributed as dist
from pydantic import Field
from torch import Tensor
from torch.distributed.rendezvous import rendezvous

from ganzoo.base.system import end_with_parent
from ganzoo.base.torchrun import rank_and_count
from ganzoo.config import Config
from ganzoo.distributed.failures import speak_through
from ganzoo.errors import OptionError, PeerError

BACKENDS = {"cpu": "gloo", "cuda": "cpu:gloo,cuda:nccl"}
"""Backends by training device; host tensors always use gloo."""
GONE = "gloo/transport/"
"""Marker of a connection failure in gloo's plain RuntimeError."""
MISTAKEN = "enforce fail"
"""Marker of an invalid argument in gloo's RuntimeError."""


class DistributedOptions(Config):
    """Number of processes, and their cooperation."""

    processes: int = Field(
        1,
        gt=0,
        le=1024,
        description="number of processes on this machine, which share each batch; on CUDA, one per GPU",
    )
    sync_batchnorm: bool = Field(True, description="BatchNorm statistics over all processes instead of each one's own")
    restarts: int = Field(
        3, ge=0, description="maximum number of restarts of a killed process without a new checkpoint in between"
    )


@dataclass(frozen=True)
class DistributedContext:
    """Context of one process among those of a run. All must call the same methods in the same order.

    All communicating methods raise PeerError if another process is gone.
    """

    rank: int = 0
    """Rank of this process."""
    world_size: int = 1

    @staticmethod
    def alone() -> "DistributedContext":
        """Return the context of a single process, without communication."""
        return DistributedContext()

    @staticmethod
    def join(device: torch.device) -> "DistributedContext":
        """Connect to the other processes started by torchrun, if any.

        Args:
            device: training device of this process.

        Raises:
            PeerError: another process did not connect.
        """
        return _meet(device) if rank_and_count()[1] > 1 else DistributedContext.alone()

    @property
    def is_main_process(self) -> bool:
        """Whether this is the main process, the only one that writes."""
        return self.rank == 0

    def local_batch_size(self, batch_size: int) -> int:
        """Return the number of images per process.

        Raises:
            OptionError: the batch size is not divisible by the number of processes; the message suggests one that is.
        """
        if batch_size % self.world_size:
            near = max(1, round(batch_size / self.world_size)) * self.world_size
            raise OptionError(
                f"a batch of {batch_size} images cannot be divided evenly among {self.world_size} processes; "
                f"try --batch-size {near}"
            )
        return batch_size // self.world_size

    def average(self, gradients: Sequence[Tensor | None]) -> Sequence[Tensor | None]:
        """Average each gradient over the processes, in a single message.

        Every process must have gradients for the same weights, as follows from the networks.
        """
        present = [gradient for gradient in gradients if gradient is not None]
        if self.world_size == 1 or not present:
            return gradients
        flat = torch.cat([gradient.reshape(-1) for gradient in present])
        with _reaching_all():
            dist.all_reduce(flat)
        parts = iter(flat.div_(self.world_size).split([gradient.numel() for gradient in present]))
        return [
            None if gradient is None else next(parts).view(gradient.shape).to(gradient.dtype) for gradient in gradients
        ]

    def mean(self, values: Tensor) -> Tensor:
        """Return the mean over the processes."""
        return values if self.world_size == 1 else self.total(values.detach()) / self.world_size

    def least(self, values: Tensor) -> Tensor:
        """Return the elementwise minimum over the processes."""
        if self.world_size == 1:
            return values
        least = values.clone()
        with _reaching_all():
            dist.all_reduce(least, dist.ReduceOp.MIN)
        return least

    def total(self, values: Tensor) -> Tensor:
        """Return the sum over the processes, differentiable any number of times if all processes differentiate."""
        return values if self.world_size == 1 else _Total.apply(values)

    def broadcast_object(self, content: bytes) -> bytes:
        """Return the main process's content in every process."""
        if self.world_size == 1:
            return content
        length = torch.tensor(len(content))
        with _reaching_all():
            dist.broadcast(length, 0)
        received = bytearray(content if self.is_main_process else int(length))
        if received:
            with _reaching_all():
                dist.broadcast(torch.frombuffer(received, dtype=torch.uint8), 0)
        return bytes(received)

    def gather(self, content: bytes) -> list[bytes]:
        """Return the contents of all processes by rank in the main process, and nothing in the others."""
        if self.world_size == 1:
            return [content]
        lengths = [torch.tensor(0) for _ in range(self.world_size)]
        with _reaching_all():
            dist.all_gather(lengths, torch.tensor(len(content)))
        longest = max(1, *map(int, lengths))
        buffers = [bytearray(longest) for _ in range(self.world_size)] if self.is_main_process else []
        places = [torch.frombuffer(buffer, dtype=torch.uint8) for buffer in buffers]
        mine = torch.frombuffer(bytearray(content.ljust(longest, b"\0")), dtype=torch.uint8)
        with _reaching_all():
            dist.gather(mine, places if self.is_main_process else None, 0)
        return [bytes(buffer[: int(length)]) for buffer, length in zip(buffers, lengths, strict=False)]

    def any(self, flag: bool) -> bool:
        """Whether the flag is set in any process; blocks until all have called."""
        if self.world_size == 1:
            return flag
        asked = torch.tensor(int(flag))
        with _reaching_all():
            dist.all_reduce(asked, dist.ReduceOp.MAX)
        return bool(asked)

    def barrier(self) -> None:
        """Block until all processes arrive."""
        self.any(False)

    def broadcast(self, tensors: Sequence[Tensor]) -> None:
        """Copy the main process's tensors to all processes, in place."""
        if self.world_size == 1:
            return
        for tensor in tensors:
            values = tensor.detach().contiguous()
            with _reaching_all():
                dist.broadcast(values, 0)
            tensor.detach().copy_(values)

    def check_same(self, facts: Mapping[str, object]) -> None:
        """Check that all processes have the same values.

        Args:
            facts: JSON values by name.

        Raises:
            OptionError: names the differing values.
        """
        mine = json.loads(json.dumps(facts))
        theirs = json.loads(self.broadcast_object(json.dumps(facts).encode()))
        if different := sorted(name for name in {*mine, *theirs} if mine.get(name) != theirs.get(name)):
            raise OptionError(
                f"the processes of a run must all be asked for the same: in process {self.rank} "
                f"{', '.join(f'{name} is {mine.get(name)}, not {theirs.get(name)}' for name in different)}"
            )

    def leave(self) -> None:
        """Disconnect from the other processes."""
        if self.world_size > 1 and dist.is_initialized():
            dist.destroy_process_group()


class LaggedVote:
    """Maximum of the processes' votes, available one call later: no process waits, and all receive it together.

    With a single process, the result is immediate.
    """

    def __init__(self, distributed: DistributedContext) -> None:
        self._distributed = distributed
        self._asked: tuple[Tensor, Any] | None = None

    def vote(self, number: int) -> int:
        """Submit this process's vote, and return the largest vote of the previous call."""
        if self._distributed.world_size == 1:
            return number
        before = self._asked
        asked = torch.tensor(number)
        with _reaching_all():
            self._asked = asked, dist.all_reduce(asked, dist.ReduceOp.MAX, async_op=True)
            if before is None:
                return 0
            before[1].wait()
        return int(before[0])


class _Total(torch.autograd.Function):
    # All-reduce (sum), which is its own transpose.
    @staticmethod
    def forward(_: Any, values: Tensor) -> Tensor:
        total = values.clone(memory_format=torch.contiguous_format)
        with _reaching_all():
            dist.all_reduce(total)
        return total

    @staticmethod
    def backward(_: Any, gradient: Tensor) -> Tensor:
        return _Total.apply(gradient)


@cache
def _meet(device: torch.device) -> DistributedContext:
    end_with_parent()
    if device.type == "cuda":
        torch.cuda.set_device(device)
    if not dist.is_initialized():
        with _reaching_all():
            store, rank, count = next(rendezvous("env://"))
            dist.init_process_group(BACKENDS[device.type], store=store, rank=rank, world_size=count)
        speak_through(store)
    distributed = DistributedContext(dist.get_rank(), dist.get_world_size())
    atexit.register(distributed.leave)
    return distributed


@contextmanager
def _reaching_all() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        said = str(error)
        if not isinstance(error, dist.DistError) and (GONE not in said or MISTAKEN in said):
            raise  # an error of this process, or its memory
        raise PeerError(f"another process of this run cannot be reached: {' '.join(said.split())}") from error
