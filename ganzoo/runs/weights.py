"""The files of a checkpoint, and networks with the weights that are in them.

networks.safetensors     what training changes of the networks: weights, statistics, pools of earlier fakes
average.safetensors      the moving average of the weights, where one is kept
frozen.safetensors       weights that no player moves; written once for all checkpoints
optimizers.safetensors   the state of every optimizer
process-N.safetensors    what the N-th process has of its own: random generators, losses not yet logged, its place in
                         streamed data, and, but for the first, its own statistics and pools
state.json               iteration, images seen, learning rates' scale, best score; configuration and versions
"""

from collections.abc import Collection, Container, Mapping
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, nn

from ganzoo.base.io import parse_json
from ganzoo.config import LIMIT
from ganzoo.errors import RunFolderError, typed
from ganzoo.runs.checkpoint import STATE

NETWORKS, FROZEN, AVERAGE, OPTIMIZERS = (
    "networks.safetensors",
    "frozen.safetensors",
    "average.safetensors",
    "optimizers.safetensors",
)
MODEL = "model.safetensors"
"""Of an export, in place of all these: those networks that make images, as they make them."""
WEIGHTS = (NETWORKS, FROZEN, AVERAGE)
"""What networks are made of that make images."""


def iteration_of(files: Mapping[str, bytes], source: object) -> int:
    """Iteration of a checkpoint's files, or an export's.

    Raises:
        RunFolderError: they do not say.
    """
    try:
        return to_iteration(parse_json(files[STATE])["iteration"])
    except (LookupError, TypeError, ValueError) as error:
        raise RunFolderError(f"{source} cannot be read: it does not say of which iteration it is") from error


def best_of(files: Mapping[str, bytes], source: object) -> int:
    """Iteration of the best weights, as a checkpoint's files say.

    Raises:
        RunFolderError: none was, or they do not say.
    """
    try:
        best = best_in(parse_json(files[STATE]))
    except (LookupError, TypeError, ValueError) as error:
        raise RunFolderError(f"{source} cannot be read: {STATE} does not say which checkpoint is the best") from error
    if best is None:
        raise RunFolderError(
            "no checkpoint of this run was judged; train with --evaluate-every, or take --checkpoint newest"
        )
    return best[0]


def best_in(state: Mapping[str, Any]) -> tuple[int, float] | None:
    """Iteration and score of the best weights that a state.json knows of.

    Raises:
        LookupError, TypeError, ValueError: it does not say.
    """
    return None if state["best"] is None else (to_iteration(state["best"][0]), float(state["best"][1]))


def load_networks(
    nets: nn.Module, files: Mapping[str, bytes], source: object = "the checkpoint", besides: Collection[str] = ()
) -> None:
    """Load the weights of a checkpoint's files into networks: the moving average's, if it is among the files.

    Args:
        nets: take them.
        files: of the checkpoint, with `AVERAGE` where images are to be made.
        source: where it came from, for messages.
        besides: names of networks that stay as they are, whatever the files have of them.

    Raises:
        RunFolderError: they are of other networks; it says where they differ first.
    """
    weights = unpack(files, MODEL if MODEL in files else NETWORKS)
    for part in (FROZEN, AVERAGE):
        weights |= unpack(files, part) if part in files else {}
    own = nets.state_dict()
    if besides:
        weights = {name: value for name, value in weights.items() if network_of(name) not in besides}
        weights |= {name: value for name, value in own.items() if network_of(name) in besides}
    if MODEL in files:
        own = _without(nets, set(map(network_of, weights)))
    for name in dict.fromkeys([*own, *weights]):
        theirs, ours = (
            f"of shape {tuple(place[name].shape)}" if name in place else "not there" for place in (weights, own)
        )
        if theirs != ours:
            raise RunFolderError(f"{source} holds the weights of other networks: '{name}' is {theirs}, not {ours}")
    nets.load_state_dict(weights, strict=MODEL not in files)


def _without(nets: nn.Module, there: Container[str]) -> dict[str, Tensor]:
    """Empty the networks that an export has no weights of, so that they cannot be used; the state of the others."""
    for name, network in nets.named_children():
        if name not in there:  # a network without weights has none to lose
            for tensor in (*network.parameters(), *network.buffers()):
                tensor.data = tensor.data.new_empty(0)
    return {name: value for name, value in nets.state_dict().items() if network_of(name) in there}


def networks_in(files: Mapping[str, bytes]) -> set[str]:
    """Names of the networks that an export's files hold weights of.

    Raises:
        RunFolderError: they are not readable.
    """
    return set(map(network_of, unpack(files, MODEL)))


def network_of(name: str) -> str:
    """The network that a tensor belongs to, by its name: `generator` of `generator.0.weight`."""
    return name.partition(".")[0]


def to_iteration(value: object) -> int:
    """Return a number of iterations as it was read.

    Raises:
        ValueError: it is none.
    """
    if type(value) is not int or not 0 <= value < LIMIT:
        raise ValueError(f"{typed(value)} is no number of iterations")
    return value


def process_file(rank: int) -> str:
    """Name of the file that one process has of its own."""
    return f"process-{rank}.safetensors"


def pack(tensors: Mapping[str, Tensor]) -> bytes:
    """Return named tensors as a safetensors file."""
    # safetensors refuses channels_last tensors and tensors that share memory.
    plain = {
        name: tensor.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
        for name, tensor in tensors.items()
    }
    return safetensors.torch.save(plain)


def unpack(files: Mapping[str, bytes], name: str) -> dict[str, Tensor]:
    """Return the tensors of one of a checkpoint's files.

    Raises:
        RunFolderError: there is no such file, or it is no safetensors file.
    """
    if name not in files:
        raise RunFolderError(f"the checkpoint has no {name}")
    try:
        return safetensors.torch.load(files[name])
    except Exception as error:  # what does not keep to the format trips the library up in many ways
        raise RunFolderError(f"{name} is no safetensors file: {' '.join(str(error).split())}") from error
