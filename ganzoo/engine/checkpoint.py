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

from ganzoo.config import LIMIT
from ganzoo.engine.engine import Engine
from ganzoo.engine.folder import read_json
from ganzoo.errors import RunFolderError, typed

KEEP = 2
"""How many of the latest checkpoints stay: should the last be damaged, there is one before it."""


def save(engine: Engine, folder: Path) -> Path:
    """Writes the engine's whole state below `folder`, and removes old checkpoints. Returns where it is."""
    final = folder / f"{engine.iteration:08}"
    draft = folder / f".{final.name}.{os.getpid()}"
    for left_over in folder.glob(".*"):  # by a run that was killed while it wrote
        shutil.rmtree(left_over, ignore_errors=True)
    draft.mkdir(parents=True)
    _write(draft / "networks.safetensors", safetensors.torch.save(_plain(engine.nets.state_dict())))
    _write(
        draft / "training.safetensors",
        safetensors.torch.save(_plain(engine.optimizer_state() | _random_state(engine.device))),
    )
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
    """Puts the engine, and torch's random numbers, in the state that was saved.

    Raises:
        RunFolderError: a file is missing or damaged.
    """
    load_networks(engine.nets, checkpoint)
    training = _read(file := checkpoint / "training.safetensors")
    try:
        torch.set_rng_state(training.pop("random/cpu"))
        cuda = training.pop("random/cuda", None)
        if engine.device.type == "cuda" and cuda is not None:
            torch.cuda.set_rng_state(cuda, engine.device)
        engine.load_optimizer_state(training)
        engine.iteration = count(read_json(file := checkpoint / "state.json")["iteration"])
    except (OSError, ValueError, KeyError, TypeError, IndexError, RuntimeError) as error:
        raise _damaged(file, error) from error


def count(value: object) -> int:
    """A number of iterations.

    Raises:
        ValueError: it is none.
    """
    if type(value) is not int or not 0 <= value < LIMIT:
        raise ValueError(f"{typed(value)} is no number of iterations")
    return value


def load_networks(nets: nn.Module, checkpoint: Path) -> None:
    """Puts saved weights into networks built by the same configuration.

    Raises:
        RunFolderError: the file is damaged, or from other networks.
    """
    file = checkpoint / "networks.safetensors"
    try:
        nets.load_state_dict(_read(file))
    except RuntimeError as error:
        first = [line.strip() for line in str(error).splitlines()][1:2] or [str(error)]
        raise RunFolderError(f"{file} holds the weights of other networks: {first[0]}") from error


def _plain(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    # safetensors refuses channels_last tensors and tensors that share memory.
    return {
        name: tensor.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
        for name, tensor in tensors.items()
    }


def _random_state(device: torch.device) -> dict[str, Tensor]:
    state = {"random/cpu": torch.get_rng_state()}
    return state | {"random/cuda": torch.cuda.get_rng_state(device)} if device.type == "cuda" else state


def _read(file: Path) -> dict[str, Tensor]:
    try:
        # Not load_file: its tensors stay tied to the file, which is removed when it grows old.
        return safetensors.torch.load(file.read_bytes())
    except (OSError, SafetensorError) as error:
        raise _damaged(file, error) from error


def _damaged(file: Path, error: Exception) -> RunFolderError:
    folder = file.parent
    others = [path.name for path in checkpoints(folder.parent) if path != folder]
    advice = f"remove {folder} to go on from {others[-1]}" if others else "there is no other checkpoint"
    return RunFolderError(f"{file} cannot be read: {' '.join(str(error).split())}; {advice}")


def _write(file: Path, content: bytes) -> None:
    with file.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
