"""Checks of training: finite losses and gradients, updates of the right networks, CUDA graphs and bf16."""

import torch
from torch import Tensor
from torch.nn import functional as F

from ganzoo.contract.gan import GAN
from ganzoo.engine.cuda_graphs import WARM_UP, CUDAGraphCache
from ganzoo.engine.engine import Engine
from ganzoo.losses import Losses
from ganzoo.testing.cpu_recorder import CPURecorder
from ganzoo.testing.demands import complaining, demand
from ganzoo.testing.trial import covering, rhythm, trial
from ganzoo.training.trainer import Trainer

__tracebackhide__ = True

LIKE = 0.5
"""Least cosine similarity between gradients in bf16 and float32."""
BFLOAT16 = 1, 2
"""Iterations in bf16; the second number is that of a thorough check, here and below."""
WARMED_UP = 1, WARM_UP
"""Iterations before one is recorded; on a GPU there are as many as in a thorough check."""

Gradients = dict[str, Tensor | None]


def check_training(gan: GAN, shape: tuple[int, int, int], *, thorough: bool) -> None:
    """Check that a GAN trains: each player alone, and all together in iterations.

    Raises:
        AssertionError: naming the player and the problem.
        ContractError: likewise, from the engine.
    """
    gradients, _ = differentiated(trial(gan, shape))
    check_gradients(gradients)
    check_moves_and_recording(gan, shape, thorough=thorough)
    check_bfloat16(gan, shape, gradients, BFLOAT16[thorough])


def differentiated(trainer: Trainer) -> tuple[dict[str, Gradients], set[str]]:
    """Return the gradients of each player's losses on the first batch by its own weights, without updates.

    The second result is the names of players that drew random numbers, which depend on the precision.
    """
    engine, found, drew = trainer.engine, dict[str, Gradients](), set[str]()
    names = {weight: name for name, weight in engine.nets.named_parameters()}
    for player in engine.players:
        begun = torch.manual_seed(1).get_state()
        batch = engine.generate((player,), trainer.batches.draw(0))
        losses, gradients = engine.differentiate(player, batch)
        if not torch.equal(torch.get_rng_state(), begun):
            drew.add(player.name)
        finite({f"{player.name}/{term}": value for term, value in losses.items()})
        own = (names[weight] for weight in engine.weights[player.name])
        found[player.name] = dict(zip(own, gradients, strict=True))
    return found, drew


def finite(losses: Losses, where: str = "") -> None:
    """Check that losses are finite."""
    for term, value in losses.items():
        demand(
            value.isfinite().all(),
            f"the loss '{term}' is {value.item()} on random images{where}: guard logarithms, roots and divisions in "
            "it, or begin with smaller weights",
        )


def check_gradients(gradients: dict[str, Gradients]) -> None:
    """Check that every trained weight has a gradient, and that all gradients are finite."""
    for player, own in gradients.items():
        for name, gradient in own.items():
            demand(
                gradient is None or gradient.isfinite().all(),
                f"the gradient of the player '{player}' by '{name}' is not finite: guard what has no slope where it "
                "is 0, such as a root (+ 1e-8)",
            )
    reached = {name for own in gradients.values() for name, gradient in own.items() if gradient is not None}
    for player, own in gradients.items():
        idle = next((name for name in own if name not in reached), "")
        demand(
            not idle,
            f"no loss of the player '{player}' depends on '{idle}', which it moves: use it in forward(), leave it out, "
            "or freeze it by requires_grad_(False)",
        )


def check_moves_and_recording(gan: GAN, shape: tuple[int, int, int], *, thorough: bool) -> None:
    """Check that iterations update the right networks, and do the same when recorded and replayed."""
    ended, warm_up = [], WARMED_UP[thorough]
    for recorder in (None, CPURecorder()):
        trainer = trial(gan, shape)
        engine = trainer.engine
        engine.graphs = CUDAGraphCache(recorder, engine.device, engine.state, warm_up) if recorder else None
        torch.manual_seed(1)
        before = {name: value.clone() for name, value in engine.nets.named_parameters()}
        iterations = list(rhythm(trainer) if thorough else covering(trainer))
        for index, iteration in enumerate(iterations * (warm_up + 2)):
            engine.iteration = iteration
            finite(engine.step(trainer.batches.draw(index)))
            if index == len(iterations) - 1 and not recorder:
                check_moved(engine, before)
        demand(
            not (engine.graphs and engine.graphs.refusal),
            f"cannot be a CUDA graph: {engine.graphs.refusal if engine.graphs else ''}; what a player computes may "
            "depend on tensors alone, such as batch.step and buffers, and read none of them in Python",
        )
        ended.append(engine.nets.state_dict())
    for name, value in ended[0].items():
        demand(
            torch.allclose(ended[1][name], value, rtol=1e-4, atol=1e-5, equal_nan=True),
            f"'{name}' trains otherwise when an iteration is recorded and replayed: what a player computes must "
            "depend on no Python value that changes, but on tensors: batch.step, buffers of networks",
        )


def check_moved(engine: Engine, before: dict[str, Tensor]) -> None:
    """Check that exactly the networks of players have changed."""
    moved = {name for player in engine.players for name in player.networks}
    after = dict(engine.nets.named_parameters())
    for network in engine.nets:
        changed = any(
            not torch.equal(after[name], value) for name, value in before.items() if name.partition(".")[0] == network
        )
        demand(
            changed or network not in moved,
            f"no weight of '{network}' moved, although a player trains it: does its loss depend on it, and is its "
            "learning rate above 0?",
        )
        demand(
            not changed or network in moved,
            f"'{network}' moved, although no player trains it: change no weights in a loss; name it in a player's "
            "`trains`",
        )


def check_bfloat16(gan: GAN, shape: tuple[int, int, int], expected: dict[str, Gradients], iterations: int) -> None:
    """Check training in bf16: finite, with float32 weights, and gradients of about the same direction."""
    trainer = trial(gan, shape, precision="bf16")
    change = "does not train in bf16 ({}): call networks as a whole, nets.generator(...), never their parts; compute "
    with complaining(f"{change}losses from what they give, which is float32 again", RuntimeError):
        found, drew = differentiated(trainer)
        for player, gradients in found.items():
            likeness = 1.0 if player in drew else cosine(gradients, expected[player])
            demand(
                likeness > LIKE,
                f"in bf16 the gradient of the player '{player}' points elsewhere than in float32 (cosine "
                f"{likeness:.2f}): keep what needs more than three digits out of the networks' forward",
            )
        torch.manual_seed(1)
        for iteration in range(iterations):
            finite(trainer.engine.step(trainer.batches.draw(iteration), everyone=True), " in bf16")
    moved = {weight for weights in trainer.engine.weights.values() for weight in weights}
    for name, weight in trainer.engine.nets.named_parameters():
        if weight not in moved:  # frozen weights may have half precision
            continue
        demand(
            weight.dtype == torch.float32,
            f"'{name}' is {weight.dtype}; weights that a player moves stay float32, and networks are cast as they are "
            "called",
        )
        demand(
            weight.isfinite().all(),
            f"trained in bf16, not all of '{name}' is finite: guard what grows large in forward(), or begin with "
            "smaller weights",
        )


def cosine(first: Gradients, second: Gradients) -> float:
    """Return the cosine similarity of two gradients; 1 if there is nothing to compare."""
    pairs = [
        (value.flatten(), other.flatten())
        for name, value in first.items()
        if value is not None and (other := second[name]) is not None
    ]
    one, two = (torch.cat(parts).double() for parts in zip(*pairs, strict=True))
    return F.cosine_similarity(one, two, dim=0).item() if one.any() and two.any() else 1.0
