"""Performance options: precision, memory, compilation, threads. All are transparent to plugins."""

import logging
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from types import MethodType
from typing import Any, Literal, TypeAlias

import torch
from pydantic import Field
from torch import Tensor, nn

from ganzoo.base.system import available_cores, keep_freed_memory
from ganzoo.base.torchrun import local_rank, rank_and_count
from ganzoo.config import Config
from ganzoo.errors import OptionError

log = logging.getLogger(__name__)

Precision: TypeAlias = Literal["auto", "fp32", "tf32", "bf16"]


class PerformanceOptions(Config):
    """Speed and precision. `PerformanceOptions.plain()` disables every optimization."""

    device: str = Field("auto", description="cpu, cuda, cuda:1, ...; auto: CUDA if there is one")
    precision: Precision = Field(
        "auto", description="precision of the networks: auto is bf16 where it is fast; tf32 is for CUDA"
    )
    channels_last: bool | None = Field(
        None, description="channels-last memory format, N x H x W x C (default: where it is faster)"
    )
    fused: bool = Field(True, description="optimizer steps in a single kernel, where available")
    graphs: bool = Field(True, description="CUDA graphs: record an iteration once and replay it")
    deterministic: bool = Field(False, description="deterministic algorithms only; slower on CUDA")
    compile: bool = Field(False, description="compilation of the networks, for long runs: it takes a minute or more")
    threads: int | None = Field(
        None,
        gt=0,
        description="number of CPU threads, at most one per core (default: torch's own number)",
    )
    keep_memory: bool = Field(True, description="reuse of freed memory in the next iteration, on the CPU")

    @staticmethod
    def plain() -> "PerformanceOptions":
        """Return options without optimizations: float32 on the CPU, as in a plain training loop."""
        return PerformanceOptions(
            device="cpu", precision="fp32", channels_last=False, fused=False, graphs=False, keep_memory=False
        )

    def resolve_device(self) -> torch.device:
        """Return the device for training; of several processes on a machine, each has its own GPU.

        Raises:
            OptionError: this machine has no such device.
        """
        name = self.device
        if name == "auto":
            name = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            device = torch.device(name)
        except RuntimeError:
            raise OptionError(f"option 'device' cannot be '{self.device}'; write cpu, cuda or cuda:N") from None
        if device.type not in ("cpu", "cuda") or str(device) != name:  # torch takes cuda:256 for cuda:0
            raise OptionError(f"option 'device' cannot be '{self.device}'; write cpu, cuda or cuda:N")
        if device.type == "cpu" and device.index:
            raise OptionError(f"option 'device' cannot be '{self.device}': there is one cpu; write cpu")
        if device.index is not None and device.type == "cuda" and rank_and_count()[1] > 1:
            raise OptionError(f"option 'device' cannot be '{self.device}' for several processes; write cuda")
        index = local_rank() if device.index is None else device.index
        if device.type == "cuda" and index >= torch.cuda.device_count():
            found = torch.cuda.device_count()
            if local_rank():
                raise OptionError(f"each process needs a GPU of its own: this machine has {found}; try fewer processes")
            raise OptionError(
                f"option 'device' cannot be '{self.device}': this machine has {found} CUDA devices; try cpu"
            )
        return torch.device("cuda", index) if device.type == "cuda" else torch.device("cpu")

    def dtype(self, device: torch.device) -> torch.dtype:
        """Return the data type for the networks.

        Raises:
            OptionError: the device does not support the precision.
        """
        if self.precision == "auto":
            return torch.bfloat16 if bfloat16_is_fast(device) else torch.float32
        if self.precision == "tf32" and device.type != "cuda":
            raise OptionError("option 'precision' cannot be 'tf32' on the cpu: it is CUDA's; try fp32")
        return torch.bfloat16 if self.precision == "bf16" else torch.float32

    def use_channels_last(self, device: torch.device) -> bool:
        """Whether images and weights are N x H x W x C in memory.

        On a processor without bf16, slower gradients of the weights outweigh faster images: measured with AVX2
        (torch 2.15), DCGAN takes as long either way and Pix2Pix a fifth longer.
        """
        if self.channels_last is None:
            return device.type == "cuda" or self.dtype(device) == torch.bfloat16
        return self.channels_last

    def captures(self, device: torch.device) -> bool:
        """Whether iterations become CUDA graphs."""
        return self.graphs and device.type == "cuda"

    def set_up_process(self) -> None:
        """Set threads, and memory reuse on the CPU, for the whole process: best before its first tensor."""
        cores = available_cores()
        if self.threads is not None and self.threads > cores:
            warn_once(f"{self.threads} threads were asked for; this process may use {cores} cores, so {cores} it is")
        threads = min(self.threads or torch.get_num_threads(), cores)
        if threads != torch.get_num_threads():
            torch.set_num_threads(threads)
        if self.deterministic:
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read by cuBLAS on first use
        if self.keep_memory and self.resolve_device().type == "cpu":
            keep_freed_memory()

    def apply(self, nets: nn.Module, device: torch.device) -> None:
        """Move the networks to the device and set precision, memory format and compilation.

        Raises:
            OptionError: the device does not support the precision.
        """
        self.set_up_process()
        in_bfloat16 = self.dtype(device) == torch.bfloat16
        if in_bfloat16 and not bfloat16_is_fast(device):
            warn_once(f"this {device.type} has no bf16 arithmetic: it is emulated, and slower than fp32")
        nets.to(device)
        if self.use_channels_last(device):
            nets.to(memory_format=torch.channels_last)
        for network in nets.children():
            for trace in ("forward", "_compiled_call_impl"):
                vars(network).pop(trace, None)  # from an earlier engine, perhaps with other options
            if not any(True for _ in network.parameters()):
                continue
            if in_bfloat16:
                # A bound method, not a closure: a deep copy then uses its own weights.
                network.forward = MethodType(_forward_in_bfloat16, network)
            if self.compile:
                network.compile(dynamic=False)

    def eager_mode(self, when: bool = True) -> AbstractContextManager[object]:
        """Context without compilation, for rare or uncompilable operations."""
        return torch.compiler.set_stance("force_eager") if self.compile and when else nullcontext()

    @contextmanager
    def arithmetic(self, device: torch.device) -> Iterator[None]:
        """Context with the requested float32 precision on a GPU, and the fastest convolution algorithms.

        With `deterministic`, a nondeterministic operation raises an error.
        """
        algorithms = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
        backends: Any = torch.backends  # its types are incomplete
        precision = "ieee" if self.precision == "fp32" else "tf32"
        switches: list[tuple[Any, str, object]] = [
            (backends.cudnn, "benchmark", not self.deterministic),
            (backends.cudnn.conv, "fp32_precision", precision),
            (backends.cuda.matmul, "fp32_precision", precision),
        ]
        switches = switches if device.type == "cuda" else []
        before = [getattr(place, name) for place, name, _ in switches]
        try:
            if self.deterministic:
                torch.use_deterministic_algorithms(True)
            for place, name, value in switches:
                setattr(place, name, value)
            yield
        finally:
            for (place, name, _), value in zip(switches, before, strict=True):
                setattr(place, name, value)
            torch.use_deterministic_algorithms(algorithms[0], warn_only=algorithms[1])


@cache
def warn_once(message: str) -> None:
    """Log a warning once: engines are built several times during a search for the largest batch."""
    log.warning(message)


def bfloat16_is_fast(device: torch.device) -> bool:
    """Whether the device has bf16 instructions."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    return bool(torch.cpu.get_capabilities().get("avx512_bf16"))


def _forward_in_bfloat16(self: nn.Module, *args: Any, **kwargs: Any) -> Any:
    """Run a network's forward under autocast and return float32, so that losses are always computed in float32."""
    with torch.autocast(next(self.parameters()).device.type, torch.bfloat16):
        outputs = type(self).forward(self, *args, **kwargs)
    return _to_float32(outputs)


def _to_float32(outputs: Any) -> Any:
    if isinstance(outputs, Tensor):
        return outputs.float() if outputs.dtype == torch.bfloat16 else outputs
    if isinstance(outputs, tuple | list):
        parts = [_to_float32(output) for output in outputs]
        return type(outputs)(*parts) if hasattr(outputs, "_fields") else type(outputs)(parts)
    if isinstance(outputs, dict):
        return {name: _to_float32(output) for name, output in outputs.items()}
    return outputs
