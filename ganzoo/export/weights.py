"""Weights as one safetensors file: what `ganzoo.load` needs to make images, and no more."""

from collections.abc import Container
from pathlib import Path

import safetensors.torch
import torch

from ganzoo.engine.state import MODEL
from ganzoo.generation.trained import TrainedGAN


def write_weights(trained: TrainedGAN, networks: Container[str], folder: Path) -> None:
    """Writes the weights of some networks into a folder, each under the name that it has in `trained.nets`."""
    tensors = {
        name: value.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
        for name, value in trained.nets.state_dict().items()
        if name.partition(".")[0] in networks
    }
    (folder / MODEL).write_bytes(safetensors.torch.save(tensors, metadata={"format": "pt"}))
