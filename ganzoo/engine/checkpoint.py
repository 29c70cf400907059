"""Checkpoints: weights and training state in safetensors and JSON. Reading one runs no code from it.

A checkpoint is a folder named after its iteration. It is written under another name, flushed to the disk and renamed,
so that a folder with a number for a name is always whole.
"""

import json
import os
import shutil
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from ganzoo.engine.engine import Engine
from ganzoo.errors import RunFolderError

KEEP = 2
"""How many of the latest checkpoints stay: should the last be damaged, there is one before it."""


def save(engine: Engine, folder: Path) -> Path:
    """Writes the engine's whole state below `folder`, and removes old checkpoints. Returns where it is."""
    final = folder / f"{engine.iteration:08}"
    draft = folder / f".{final.name}.{os.getpid()}"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    _write(draft / "networks.safetensors", safetensors.torch.save(_plain(engine.nets.state_dict())))
    _write(draft / "training.safetensors", safetensors.torch.save(_plain(engine.optimizer_state() | _random_state())))
    _write(draft / "state.json", json.dumps({"iteration": engine.iteration}).encode())
    shutil.rmtree(final, ignore_errors=True)
    draft.replace(final)
    for old in checkpoints(folder)[:-KEEP]:
        shutil.rmtree(old)
    return final


def checkpoints(folder: Path) -> list[Path]:
    """The whole checkpoints below `folder`, oldest first."""
    return sorted(path for path in folder.glob("*") if path.name.isdecimal()) if folder.is_dir() else []


def resume(engine: Engine, checkpoint: Path) -> None:
    """Puts the engine, and torch's random numbers, in the state that was saved."""
    load_networks(engine.nets, checkpoint)
    training = _read(checkpoint / "training.safetensors")
    torch.set_rng_state(training.pop("random/cpu"))
    cuda = training.pop("random/cuda", None)
    if cuda is not None and torch.cuda.is_available():
        torch.cuda.set_rng_state(cuda)
    engine.load_optimizer_state(training)
    engine.iteration = json.loads((checkpoint / "state.json").read_text())["iteration"]


def load_networks(nets: nn.Module, checkpoint: Path) -> None:
    """Puts saved weights into networks built by the same configuration.

    Raises:
        RunFolderError: the file is damaged, or from other networks.
    """
    file = checkpoint / "networks.safetensors"
    try:
        nets.load_state_dict(_read(file))
    except RuntimeError as error:
        raise RunFolderError(f"{file} holds the weights of other networks: {error}") from error


def _plain(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    # safetensors refuses channels_last tensors and tensors that share memory.
    return {
        name: tensor.detach().contiguous(memory_format=torch.contiguous_format).clone()
        for name, tensor in tensors.items()
    }


def _random_state() -> dict[str, Tensor]:
    state = {"random/cpu": torch.get_rng_state()}
    return state | {"random/cuda": torch.cuda.get_rng_state()} if torch.cuda.is_available() else state


def _read(file: Path) -> dict[str, Tensor]:
    try:
        return safetensors.torch.load_file(file)
    except (OSError, SafetensorError) as error:
        raise RunFolderError(f"{file} cannot be read: {error}") from error


def _write(file: Path, content: bytes) -> None:
    with file.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
