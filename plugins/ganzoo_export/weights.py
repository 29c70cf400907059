"""The weights of an export: which networks go with it, in which precision, and how they are written."""

import copy
from collections.abc import Callable, Container
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from ganzoo import RunFolder, TrainedGAN
from ganzoo.errors import RunFolderError, UserError

COMPARED = 16
"""Images on which half precision is compared with full."""
GREY_LEVEL = 2 / 255
"""One step of an 8-bit image, in [-1, 1]."""


@dataclass(frozen=True)
class Rounding:
    """How far images of half-precision weights are from those of the full ones, of the 2 between black and white."""

    largest: float
    mean: float
    images: int = COMPARED
    """On how many images that was measured."""


def trained_networks(trained: TrainedGAN) -> frozenset[str]:
    """The names of the networks that players train, discriminators among them; not pools and frozen networks.

    Raises:
        RunFolderError: they are of an export that has not all of them.
    """
    names = frozenset(name for player in trained.gan.players() for name in player.networks)
    networks = dict(trained.nets.named_children())
    if empty := sorted(name for name in names if any(not weight.numel() for weight in networks[name].parameters())):
        raise RunFolderError(
            f"{trained.folder} is an export without {', '.join(empty)}; leave --all-networks out, or export the run "
            "that it was made from"
        )
    return names


def write_weights(trained: TrainedGAN, networks: Container[str], folder: Path, *, half: bool = False) -> None:
    """Writes the weights of some networks as one safetensors file, each under the name it has in `trained.nets`.

    Args:
        trained: has them.
        networks: the names of those to write.
        folder: takes the file.
        half: store in half precision what `half_precision` rounded.
    """
    rounded = _parameters_to_round(trained) if half else {}
    tensors = {
        name: value.detach().to(
            "cpu", torch.float16 if name in rounded else value.dtype, copy=True, memory_format=torch.contiguous_format
        )
        for name, value in trained.nets.state_dict().items()
        if name.partition(".")[0] in networks
    }
    RunFolder(folder).model.write_bytes(safetensors.torch.save(tensors, metadata={"format": "pt"}))


def half_precision(
    trained: TrainedGAN, images: Callable[[TrainedGAN, int, int], Tensor]
) -> tuple[TrainedGAN, Rounding]:
    """The same GAN with parameters rounded to half precision, and how far its images are from the original's.

    Buffers stay as they are: statistics of BatchNorm can be too small for half precision, and weigh little.

    Args:
        trained: has the full weights.
        images: makes images of a GAN, given a seed and how many.

    Raises:
        UserError: images differ by more than a grey level on average.
    """
    rounded = TrainedGAN(trained.folder, trained.gan, trained.data, copy.deepcopy(trained.nets), trained.iteration)
    with torch.no_grad():
        for weight in _parameters_to_round(rounded).values():
            weight.copy_(weight.half())
    apart = (images(trained, 0, COMPARED) - images(rounded, 0, COMPARED)).abs()
    rounding = Rounding(apart.max().item(), apart.mean().item())
    if not rounding.mean <= GREY_LEVEL:
        raise UserError(
            f"'{trained.gan.name}' was not exported: in half precision its images differ by {rounding.mean:.2g} on "
            "average, which is more than one grey level of 256; leave --half out"
        )
    return rounded, rounding


def _parameters_to_round(trained: TrainedGAN) -> dict[str, torch.nn.Parameter]:
    """The parameters, by name, that half precision has room for."""
    largest = torch.finfo(torch.float16).max
    return {
        name: weight
        for name, weight in trained.nets.named_parameters(remove_duplicate=False)
        if weight.dtype == torch.float32 and weight.numel() and weight.abs().max() <= largest
    }
