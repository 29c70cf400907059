"""Checks that every GAN of the zoo passes, for a plugin's own tests: `check_gan(MyGAN)`."""

import json

import torch
from torch import Tensor

from ganzoo.config import build
from ganzoo.data.batch import Batch
from ganzoo.data.example import example, example_spec
from ganzoo.data.spec import DataSpec
from ganzoo.engine.engine import Engine
from ganzoo.engine.graph import WARM_UP, Graphs
from ganzoo.engine.speed import Speed
from ganzoo.engine.tape import Tape
from ganzoo.gan import GAN

__all__ = ["check_gan"]


def check_gan(gan: type[GAN], shape: tuple[int, int, int] = (1, 32, 32)) -> None:
    """Builds a GAN with its default options, trains it for a few iterations and samples from it.

    Args:
        gan: the class.
        shape: channels, height and width of the images to try it on.

    Raises:
        AssertionError: it does not keep the contract; the message says what to change.
        ContractError: likewise, found by the engine.
    """
    torch.manual_seed(0)
    config = build(gan, {})
    spec = example_spec(gan.needs, shape, config.shrinks)
    _check_configuration(config)
    _check_codes(config)
    nets = config.build(spec)
    engine = Engine(config, nets, speed=Speed.plain())
    before = {name: value.clone() for name, value in nets.named_parameters()}
    for iteration in _rhythm(engine):
        engine.iteration = iteration
        losses = engine.step(example(spec, config.noise_shape()))
        for term, value in losses.items():
            assert torch.isfinite(value), f"the loss '{term}' is {value.item()} on random images"
    _check_moved(engine, before)
    _check_sample(engine, example(spec, config.noise_shape()), spec)
    _check_recorded(config, spec)


def _rhythm(engine: Engine) -> list[int]:
    """For each set of players that move together the first iteration that they are due in: no two are alike."""
    firsts: dict[tuple[bool, ...], int] = {}
    for iteration in range(engine.cycle):
        firsts.setdefault(tuple((iteration + 1) % player.every == 0 for player in engine.players), iteration)
    return list(firsts.values())


def _check_configuration(config: GAN) -> None:
    kind = type(config)
    assert kind.summary(), f"{kind.__name__} has no docstring; its first line is what `ganzoo list` shows"
    values = json.loads(json.dumps(config.model_dump(mode="json")))
    assert build(kind, values) == config, f"{kind.__name__} is not the same after a round trip through JSON"


def _check_codes(config: GAN) -> None:
    codes, noise = config.codes, torch.randn(5, *config.noise_shape(), generator=torch.Generator().manual_seed(0))
    names = [code.name for code in codes]
    assert len(set(names)) == len(names), f"two of its codes have one name: {', '.join(names)}"
    before = [code.read(noise) for code in codes]
    for number, code in enumerate(codes):
        places = set(range(code.start, code.start + code.length))
        assert places <= set(range(noise[0].numel())), f"the code '{code.name}' lies outside of its noise"
        told = code.between(0, 1, None)[-1]
        after = [other.read(code.put(noise, torch.full((5,), told))) for other in codes]
        torch.testing.assert_close(after[number].double(), torch.full((5,), told).double(), rtol=0, atol=1e-4)
        for other in range(len(codes)):
            assert other == number or torch.equal(after[other], before[other]), (
                f"'{code.name}' lies where '{codes[other].name}' does"
            )


def _check_moved(engine: Engine, before: dict[str, Tensor]) -> None:
    moved = {name for player in engine.players for name in player.networks}
    for network in engine.nets:
        weights = [name for name in before if name.partition(".")[0] == network]
        after = dict(engine.nets.named_parameters())
        changed = any(not torch.equal(after[name], before[name]) for name in weights)
        assert changed or network not in moved, f"no weight of '{network}' moved, although a player trains it"
        assert not changed or network in moved, f"'{network}' moved, although no player trains it"


def _check_sample(engine: Engine, batch: Batch, spec: DataSpec) -> None:
    before = {name: value.clone() for name, value in engine.nets.state_dict().items()}
    inputs = (engine.gan.needs & engine.gan.inputs) | {"noise", "step"}
    try:
        images = engine.sample(Batch(**{name: value for name, value in batch.items() if name in inputs}))
    except AttributeError as error:
        raise AssertionError(
            f"sample() reads more than its inputs: {error}; define sample(), or name them in `inputs`"
        ) from error
    expected = (len(next(value for value in batch.values() if value.ndim)), *spec.shape)
    assert tuple(images.shape) == expected, f"sample() gives {tuple(images.shape)}; expected {expected}"
    low, high = images.min().item(), images.max().item()
    assert -1 <= low <= high <= 1, f"sample() gives values from {low:.2f} to {high:.2f}; images are in [-1, 1]"
    after = engine.nets.state_dict()
    changed = [name for name, value in before.items() if not torch.equal(value, after[name])]
    assert not changed, f"sampling changed {', '.join(changed)}; in evaluation mode nothing may change"


def _check_recorded(config: GAN, spec: DataSpec) -> None:
    engines, speed = [], Speed(device="cpu", precision="fp32", keep_memory=False)
    for recorder in (None, Tape()):
        torch.manual_seed(1)
        engine = Engine(config, config.build(spec), speed=speed)
        engine.graphs = Graphs(recorder, engine.device, engine.state) if recorder else None
        batches = [example(spec, config.noise_shape()) for _ in range(3)]
        for index, iteration in enumerate(_rhythm(engine) * (WARM_UP + 3)):
            engine.iteration = iteration
            engine.step(batches[index % 3].replace(step=torch.tensor(index)))
        assert not (engine.graphs and engine.graphs.refusal), f"cannot be a CUDA graph: {engine.graphs.refusal}"
        engines.append(engine)
    eager, recorded = (engine.nets.state_dict() for engine in engines)
    for name, value in eager.items():
        torch.testing.assert_close(
            recorded[name],
            value,
            rtol=1e-4,
            atol=1e-5,
            msg=f"'{name}' trains otherwise when an iteration is recorded and replayed: what a player computes must "
            "depend on no Python value that changes, but on tensors: batch.step, buffers of networks",
        )
