"""The processes that train one run together: who they are, and what they tell each other.

torchrun's elastic agents start them (`ganzoo run --processes` does so through the same library) and say in the
environment which is which. Here they join, over gloo on the host and NCCL between GPUs. A single process joins nobody:
then every method gives back what it was given.
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
from torch import Tensor
from torch.distributed.rendezvous import rendezvous

from ganzoo.base.system import end_with_parent
from ganzoo.base.torchrun import rank_and_count
from ganzoo.distributed.failures import speak_through
from ganzoo.errors import OptionError, PeerError

BACKENDS = {"cpu": "gloo", "cuda": "cpu:gloo,cuda:nccl"}
"""Who carries tensors, by the device that is trained on; what lies on the host always goes by gloo."""
GONE = "gloo/transport/"
"""Where gloo says, in a plain RuntimeError, that it raised it: on its way to another process."""
MISTAKEN = "enforce fail"
"""How gloo begins what it says of a mistake in what it was asked for."""


@dataclass(frozen=True)
class DistributedContext:
    """The processes of a run, as one of them sees them. All must call the same methods in the same order.

    Every method but those that say otherwise raises PeerError when another process is gone.
    """

    rank: int = 0
    """Which of them this is."""
    world_size: int = 1

    @staticmethod
    def alone() -> "DistributedContext":
        """One process, which asks nobody."""
        return DistributedContext()

    @staticmethod
    def join(device: torch.device) -> "DistributedContext":
        """Meets the other processes that torchrun started; without torchrun there are none.

        Args:
            device: what this process trains on.

        Raises:
            PeerError: the others did not come.
        """
        return _meet(device) if rank_and_count()[1] > 1 else DistributedContext.alone()

    @property
    def is_main_process(self) -> bool:
        """Whether this is the one process that writes."""
        return self.rank == 0

    def local_batch_size(self, batch_size: int) -> int:
        """How many images of a batch are each process's.

        Raises:
            OptionError: the batch cannot be divided evenly; it names one that can.
        """
        if batch_size % self.world_size:
            near = max(1, round(batch_size / self.world_size)) * self.world_size
            raise OptionError(
                f"a batch of {batch_size} images cannot be divided evenly among {self.world_size} processes; "
                f"try --batch-size {near}"
            )
        return batch_size // self.world_size

    def average(self, gradients: Sequence[Tensor | None]) -> Sequence[Tensor | None]:
        """Each gradient's mean over the processes, all of them sent at once.

        Which weights have one must be the same everywhere; it follows from the networks.
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
        """Their mean over the processes."""
        return values if self.world_size == 1 else self.total(values.detach()) / self.world_size

    def least(self, values: Tensor) -> Tensor:
        """The least of each over the processes."""
        if self.world_size == 1:
            return values
        least = values.clone()
        with _reaching_all():
            dist.all_reduce(least, dist.ReduceOp.MIN)
        return least

    def total(self, values: Tensor) -> Tensor:
        """Their sum over the processes; it can be differentiated, any number of times, if all of them do."""
        return values if self.world_size == 1 else _Total.apply(values)

    def broadcast_object(self, content: bytes) -> bytes:
        """Tells all what the process that leads gave, and gives it back in each."""
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
        """What each process gave, by rank, in the one that leads; nothing in the others."""
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
        """Whether one of them says yes; waits for all."""
        if self.world_size == 1:
            return flag
        asked = torch.tensor(int(flag))
        with _reaching_all():
            dist.all_reduce(asked, dist.ReduceOp.MAX)
        return bool(asked)

    def barrier(self) -> None:
        """Goes on once all are here."""
        self.any(False)

    def broadcast(self, tensors: Sequence[Tensor]) -> None:
        """Makes these tensors what they are in the process that leads."""
        if self.world_size == 1:
            return
        for tensor in tensors:
            values = tensor.detach().contiguous()
            with _reaching_all():
                dist.broadcast(values, 0)
            tensor.detach().copy_(values)

    def check_same(self, facts: Mapping[str, object]) -> None:
        """Refuses processes that were asked for different things.

        Args:
            facts: JSON values by name.

        Raises:
            OptionError: naming what differs.
        """
        mine = json.loads(json.dumps(facts))
        theirs = json.loads(self.broadcast_object(json.dumps(facts).encode()))
        if different := sorted(name for name in {*mine, *theirs} if mine.get(name) != theirs.get(name)):
            raise OptionError(
                f"the processes of a run must all be asked for the same: in process {self.rank} "
                f"{', '.join(f'{name} is {mine.get(name)}, not {theirs.get(name)}' for name in different)}"
            )

    def leave(self) -> None:
        """Parts from the others, for good."""
        if self.world_size > 1 and dist.is_initialized():
            dist.destroy_process_group()


class LaggedVote:
    """What any process asks for, told to all of them one call later: nobody waits, and all know it at once.

    Alone, the answer comes at once.
    """

    def __init__(self, distributed: DistributedContext) -> None:
        self._distributed = distributed
        self._asked: tuple[Tensor, Any] | None = None

    def vote(self, number: int) -> int:
        """Says what this process asks for now, and gives the largest number that any asked for at the call before."""
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
    # The sum over all processes of what each loss says of the total: the operation is its own transpose.
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
            raise  # a mistake of this process, or its memory
        raise PeerError(f"another process of this run cannot be reached: {' '.join(said.split())}") from error
