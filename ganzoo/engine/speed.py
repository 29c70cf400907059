"""Speed switches: precision, memory format, fused optimizers. None of them changes what a plugin's author sees."""

from types import MethodType
from typing import Any, Literal, TypeAlias

import torch
from pydantic import Field
from torch import Tensor, nn

from ganzoo.config import Config
from ganzoo.errors import OptionError

Precision: TypeAlias = Literal["auto", "fp32", "bf16"]


class Speed(Config):
    """How fast, at which precision. `Speed.plain()` switches everything off."""

    device: str = Field("auto", description="cpu, cuda, cuda:1, ...; auto: CUDA if there is one")
    precision: Precision = Field("auto", description="of the networks' arithmetic; auto: bf16 where it is fast")
    channels_last: bool = Field(True, description="keep images as N x H x W x C in memory")
    fused: bool = Field(True, description="update all weights in one kernel where the optimizer has one")

    @staticmethod
    def plain() -> "Speed":
        """Every switch off: float32 on the CPU, the arithmetic of a plain loop."""
        return Speed(device="cpu", precision="fp32", channels_last=False, fused=False)

    def place(self) -> torch.device:
        """The device to train on.

        Raises:
            OptionError: there is no such device on this machine.
        """
        if self.device == "auto":
            return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
        try:
            device = torch.device(self.device)
        except RuntimeError:
            raise OptionError(f"option 'device' cannot be '{self.device}'; write cpu, cuda or cuda:N") from None
        if device.type not in ("cpu", "cuda"):
            raise OptionError(f"option 'device' cannot be '{self.device}'; write cpu, cuda or cuda:N")
        if device.type == "cpu" and device.index:
            raise OptionError(f"option 'device' cannot be '{self.device}': there is one cpu; write cpu")
        if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
            found = torch.cuda.device_count()
            raise OptionError(
                f"option 'device' cannot be '{self.device}': this machine has {found} CUDA devices; try cpu"
            )
        return torch.device("cuda", device.index or 0) if device.type == "cuda" else torch.device("cpu")

    def dtype(self, device: torch.device) -> torch.dtype:
        """What the networks compute in."""
        if self.precision == "auto":
            return torch.bfloat16 if _bfloat16_is_fast(device) else torch.float32
        return torch.bfloat16 if self.precision == "bf16" else torch.float32

    def apply(self, nets: nn.Module, device: torch.device) -> None:
        """Moves the networks to the device and has each compute in the chosen precision."""
        nets.to(device)
        if self.channels_last:
            nets.to(memory_format=torch.channels_last)
        for network in nets.children():
            vars(network).pop("forward", None)  # from an earlier engine, which may have computed otherwise
            if self.dtype(device) == torch.bfloat16 and any(True for _ in network.parameters()):
                # A method of the instance, not a closure over it: a deep copy then computes with its own weights.
                network.forward = MethodType(_forward_in_bfloat16, network)


def _bfloat16_is_fast(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    return bool(torch.cpu.get_capabilities().get("avx512_bf16"))


def _forward_in_bfloat16(self: nn.Module, *args: Any, **kwargs: Any) -> Any:
    """A network's own forward under autocast, its outputs in float32 again: losses never see the difference in type."""
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
