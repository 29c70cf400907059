"""What a run is at one moment, as files, and a run put back to that moment.

networks.safetensors     what training changes of the networks: weights, statistics, pools of earlier fakes
average.safetensors      the moving average of the weights, where one is kept
frozen.safetensors       weights that no player moves; written once for all checkpoints
optimizers.safetensors   the state of every optimizer
process-N.safetensors    what the N-th process has of its own: random generators, losses not yet logged, its place in
                         streamed data, and, but for the first, its own statistics and pools
state.json               iteration, images seen, learning rates' scale, best score; configuration and versions
"""

import json
import logging
from collections.abc import Collection, Container, Mapping
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, nn

from ganzoo.config import LIMIT
from ganzoo.engine.checkpoint import STATE
from ganzoo.engine.folder import MODEL as MODEL
from ganzoo.engine.ranks import Ranks
from ganzoo.engine.training import Training
from ganzoo.environment import versions
from ganzoo.errors import RunFolderError, typed
from ganzoo.files import parse_json
from ganzoo.options import RunOptions
from ganzoo.rng import random_state, seed_apart, set_random_state

log = logging.getLogger(__name__)

NETWORKS, FROZEN, AVERAGE, OPTIMIZERS = (
    "networks.safetensors",
    "frozen.safetensors",
    "average.safetensors",
    "optimizers.safetensors",
)
WEIGHTS = (NETWORKS, FROZEN, AVERAGE)
"""What networks are made of that make images."""


def capture(training: Training) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """The files of a checkpoint: its own, and those that all checkpoints of the run share.

    All processes must call it; it gives nothing to those that do not lead.
    """
    engine, ranks = training.engine, training.engine.ranks
    own = ranks.gather(_packed(_own(training)))
    if not ranks.leads:
        return {}, {}
    training.settle()
    networks, frozen = engine.nets.state_dict(), engine.frozen
    moved = {name: value for name, value in networks.items() if name not in frozen}
    still = {name: value for name, value in networks.items() if name in frozen}
    state = {
        "iteration": engine.iteration,
        "images": engine.iteration * training.options.batch_size,
        "lr_scale": engine.optimizers.scale,
        "best": training.best,
        "rows": training.rows,
        "config": training.options.model_dump(mode="json"),
        "versions": versions(),
    }
    files = {
        NETWORKS: _packed(moved),
        OPTIMIZERS: _packed(engine.optimizers.state()),
        **({AVERAGE: _packed(engine.average.state())} if engine.average else {}),
        **{_process(rank): content for rank, content in enumerate(own)},
        STATE: json.dumps(state, indent=2).encode(),
    }
    return files, {FROZEN: _packed(still)} if still else {}


def restore(training: Training, files: Mapping[str, bytes]) -> None:
    """Puts a run, and the random numbers of this process, in the state that was captured.

    A process that had no part in it, as there were fewer, draws random numbers of its own.

    Raises:
        RunFolderError: the files are of other networks, or not of a checkpoint.
    """
    engine = training.engine
    load_networks(engine.nets, {name: content for name, content in files.items() if name != AVERAGE})
    try:
        state = parse_json(files[STATE])
        check_rows(training, state["rows"])
        made_with = dict(state["versions"])
        is_new = _process(engine.ranks.rank) not in files
        own = _unpacked(files, _process(0 if is_new else engine.ranks.rank))
        engine.nets.load_state_dict(_part(own, "networks/"), strict=False)
        engine.load_optimizer_state(_unpacked(files, OPTIMIZERS))
        if engine.average:
            engine.average.load_state(_unpacked(files, AVERAGE))
        engine.iteration, training.settled = count(state["iteration"]), -1
        engine.optimizers.scale = float(state["lr_scale"])
        training.best = _best(state) if _judged_alike(state["config"], training.options) else None
        training.batches.load_state({name: value.tolist() for name, value in _part(own, "data/").items()})
        training.meter.load_state(_part(own, "losses/"), engine.device)
        set_random_state(_part(own, "random/"), engine.device)
        if is_new:
            seed_apart(training.options.seed, engine.ranks.rank, engine.iteration)
    except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
        raise RunFolderError(f"the checkpoint is not of this run: {' '.join(str(error).split())}") from error
    now = versions()
    if changed := [
        f"{name} {typed(made_with.get(name))}, now {now[name]}" for name in now if made_with.get(name) != now[name]
    ]:
        log.warning("the checkpoint was made with other versions, so numbers may differ: %s", "; ".join(changed))


def iteration_of(files: Mapping[str, bytes], source: object) -> int:
    """The iteration that a checkpoint's files, or an export's, are of.

    Raises:
        RunFolderError: they do not say.
    """
    try:
        return count(parse_json(files[STATE])["iteration"])
    except (LookupError, TypeError, ValueError) as error:
        raise RunFolderError(f"{source} cannot be read: it does not say of which iteration it is") from error


def best_of(files: Mapping[str, bytes], source: object) -> int:
    """The iteration that a checkpoint's files say was judged best.

    Raises:
        RunFolderError: none was, or they do not say.
    """
    try:
        best = _best(parse_json(files[STATE]))
    except (LookupError, TypeError, ValueError) as error:
        raise RunFolderError(f"{source} cannot be read: {STATE} does not say which checkpoint is the best") from error
    if best is None:
        raise RunFolderError(
            "no checkpoint of this run was judged; train with --evaluate-every, or take --checkpoint newest"
        )
    return best[0]


def _best(state: Mapping[str, Any]) -> tuple[int, float] | None:
    return None if state["best"] is None else (count(state["best"][0]), float(state["best"][1]))


def _judged_alike(then: Mapping[str, Any], options: RunOptions) -> bool:
    """Whether scores of then and now can be compared."""
    now = options.model_dump(mode="json")
    return all(then.get(name) == now[name] for name in ("metric", "extractor", "evaluate_samples", "evaluate_split"))


def check_rows(training: Training, then: object) -> None:
    """Refuses to go on with other data: its order, and what has been seen of it, would mean something else.

    Raises:
        RunFolderError: with both numbers of images.
    """
    if then != training.rows:
        raise RunFolderError(
            f"the data has {_numbers(training.rows)} images, and had {_numbers(then)} when the run was saved: put it "
            "back as it was, or begin a new run with --init-from"
        )


def _numbers(rows: object) -> str:
    return " and ".join(map(str, rows)) if isinstance(rows, list) else typed(rows)


def sent_to_all(files: Mapping[str, bytes], ranks: Ranks) -> dict[str, bytes]:
    """The files that the process that leads has read, in every process."""
    if ranks.count == 1:
        return dict(files)
    packed = {name: torch.frombuffer(bytearray(content), dtype=torch.uint8) for name, content in files.items()}
    received = safetensors.torch.load(ranks.tell(safetensors.torch.save(packed)))
    return {name: values.numpy().tobytes() for name, values in received.items()}


def load_networks(
    nets: nn.Module, files: Mapping[str, bytes], source: object = "the checkpoint", besides: Collection[str] = ()
) -> None:
    """Puts the weights of a checkpoint's files into networks; averaged ones in place of those that trained, if given.

    Args:
        nets: take them.
        files: of the checkpoint, with `AVERAGE` where images are to be made.
        source: where it came from, for messages.
        besides: names of networks that stay as they are, whatever the files have of them.

    Raises:
        RunFolderError: they are of other networks; it says where they differ first.
    """
    weights = _unpacked(files, MODEL if MODEL in files else NETWORKS)
    for part in (FROZEN, AVERAGE):
        weights |= _unpacked(files, part) if part in files else {}
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
    """Empties the networks that an export has no weights of, so that they cannot be used; the state of the others."""
    for name, network in nets.named_children():
        if name not in there:  # a network without weights has none to lose
            for tensor in (*network.parameters(), *network.buffers()):
                tensor.data = tensor.data.new_empty(0)
    return {name: value for name, value in nets.state_dict().items() if network_of(name) in there}


def networks_in(files: Mapping[str, bytes]) -> set[str]:
    """The names of the networks that an export's files hold weights of.

    Raises:
        RunFolderError: they are not readable.
    """
    return set(map(network_of, _unpacked(files, MODEL)))


def network_of(name: str) -> str:
    """The network that a tensor belongs to, by its name: `generator` of `generator.0.weight`."""
    return name.partition(".")[0]


def count(value: object) -> int:
    """A number of iterations.

    Raises:
        ValueError: it is none.
    """
    if type(value) is not int or not 0 <= value < LIMIT:
        raise ValueError(f"{typed(value)} is no number of iterations")
    return value


def _own(training: Training) -> dict[str, Tensor]:
    """What this process has of its own."""
    engine = training.engine
    own = {f"random/{name}": value for name, value in random_state(engine.device).items()}
    own |= {f"data/{name}": torch.tensor(numbers) for name, numbers in training.batches.state().items()}
    own |= {f"losses/{name}": value for name, value in training.meter.state().items()}
    if not engine.ranks.leads:  # whose statistics and pools are those that samples are made with
        own |= {f"networks/{name}": value for name, value in engine.nets.named_buffers() if name not in engine.frozen}
    return own


def _process(rank: int) -> str:
    return f"process-{rank}.safetensors"


def _part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _packed(tensors: Mapping[str, Tensor]) -> bytes:
    # safetensors refuses channels_last tensors and tensors that share memory.
    plain = {
        name: tensor.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
        for name, tensor in tensors.items()
    }
    return safetensors.torch.save(plain)


def _unpacked(files: Mapping[str, bytes], name: str) -> dict[str, Tensor]:
    if name not in files:
        raise RunFolderError(f"the checkpoint has no {name}")
    try:
        return safetensors.torch.load(files[name])
    except Exception as error:  # what does not keep to the format trips the library up in many ways
        raise RunFolderError(f"{name} is no safetensors file: {' '.join(str(error).split())}") from error
