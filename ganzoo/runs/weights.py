"""Files of a checkpoint, and networks with their weights.

networks.safetensors     state of the networks that changes in training: weights, statistics, pools of earlier fakes
average.safetensors      exponential moving average (EMA) of the weights, if enabled
frozen.safetensors       weights that no player trains; written once for all checkpoints
optimizers.safetensors   state of every optimizer
process-N.safetensors    state of the N-th process: random generators, losses not yet logged, position in streamed data,
                         and, except for the first, its own statistics and pools
state.json               iteration, images seen, learning rate factor, best score; configuration and versions
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
"""File of an export, in place of all these: the networks used in sampling, with the weights used there."""
WEIGHTS = (NETWORKS, FROZEN, AVERAGE)
"""Files of the weights used in sampling."""


def iteration_of(files: Mapping[str, bytes], source: object) -> int:
    """Return the iteration of a checkpoint's or an export's files.

    Raises:
        RunFolderError: they do not contain it.
    """
    try:
        return to_iteration(parse_json(files[STATE])["iteration"])
    except (LookupError, TypeError, ValueError) as error:
        raise RunFolderError(f"{source} cannot be read: it does not say of which iteration it is") from error


def best_of(files: Mapping[str, bytes], source: object) -> int:
    """Return the iteration of the best weights, according to a checkpoint's files.

    Raises:
        RunFolderError: training was not evaluated, or the files do not contain it.
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
    """Return iteration and score of the best weights in a state.json, if any.

    Raises:
        LookupError, TypeError, ValueError: invalid content.
    """
    return None if state["best"] is None else (to_iteration(state["best"][0]), float(state["best"][1]))


def load_networks(
    nets: nn.Module, files: Mapping[str, bytes], source: object = "the checkpoint", besides: Collection[str] = ()
) -> None:
    """Load the weights of a checkpoint's files into networks: those of the EMA, if among the files.

    Args:
        nets: networks to load into.
        files: files of the checkpoint, with `AVERAGE` for sampling.
        source: origin of the files, for messages.
        besides: names of networks to leave unchanged.

    Raises:
        RunFolderError: the weights do not fit the networks; the message names the first difference.
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
    """Empty the networks without weights in an export, so that they cannot be used; return the others' state."""
    for name, network in nets.named_children():
        if name not in there:  # including networks without any weights
            for tensor in (*network.parameters(), *network.buffers()):
                tensor.data = tensor.data.new_empty(0)
    return {name: value for name, value in nets.state_dict().items() if network_of(name) in there}


def networks_in(files: Mapping[str, bytes]) -> set[str]:
    """Return the names of the networks with weights in an export's files.

    Raises:
        RunFolderError: the files are not readable.
    """
    return set(map(network_of, unpack(files, MODEL)))


def network_of(name: str) -> str:
    """Return the network of a tensor, by its name: `generator` of `generator.0.weight`."""
    return name.partition(".")[0]


def to_iteration(value: object) -> int:
    """Check that a value read from a file is a number of iterations, and return it.

    Raises:
        ValueError: it is not.
    """
    if type(value) is not int or not 0 <= value < LIMIT:
        raise ValueError(f"{typed(value)} is not a number of iterations")
    return value


def process_file(rank: int) -> str:
    """Return the file name for the state of one process."""
    return f"process-{rank}.safetensors"


def pack(tensors: Mapping[str, Tensor]) -> bytes:
    """Return named tensors as a safetensors file."""
    # safetensors supports neither channels-last tensors nor tensors that share memory.
    plain = {
        name: tensor.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
        for name, tensor in tensors.items()
    }
    return safetensors.torch.save(plain)


def unpack(files: Mapping[str, bytes], name: str) -> dict[str, Tensor]:
    """Return the tensors of one of a checkpoint's files.

    Raises:
        RunFolderError: the file is missing or not a safetensors file.
    """
    if name not in files:
        raise RunFolderError(f"the checkpoint has no {name}")
    try:
        return safetensors.torch.load(files[name])
    except Exception as error:  # the library raises many kinds of errors on invalid files
        raise RunFolderError(f"{name} is no safetensors file: {' '.join(str(error).split())}") from error
