"""The reference does the same work as we do: same networks, same step. A ratio of anything else would mean nothing."""

from collections.abc import Mapping

import pytest
import torch
from ganzoo_bench.setting import Setting
from torch import Tensor, nn

from benchmarks.reference import LOOPS, Loop
from ganzoo.contract.batch import Batch
from ganzoo.contract.networks import Networks
from ganzoo.data.example import example_batch
from ganzoo.data.load import describe
from ganzoo.engine.engine import Engine
from ganzoo.options.run import RunOptions

PARAMETERS = {("dcgan", 64): (2_352_513, 99_649), ("pix2pix", 256): (54_409_603, 2_767_809)}
INPUTS = {"dcgan": ("image", "noise"), "pix2pix": ("source", "target")}
"""The fields of a batch that a reference step takes."""
NETWORKS = ("generator", "discriminator")


def options_of(setting: Setting, gan: str, size: int) -> RunOptions:
    """In full size, in a smoke pass too."""
    full = Setting(setting.device, setting.data)
    return full.options(gan, recipe="chapter", image_size=size, batch_size=2, limit=4, precision="fp32")


def our_networks(options: RunOptions) -> Networks:
    torch.manual_seed(0)
    return options.gan.build(describe(options, options.gan.needs)).to(options.resolve_device())


def reference_with(nets: Networks, setting: Setting, gan: str, size: int) -> Loop:
    """A reference loop with our weights: its layers come in our order, and load_state_dict compares the shapes."""
    loop = LOOPS[gan](Setting(setting.device, setting.data), size, batch_size=2)
    for name in NETWORKS:
        network, ours = getattr(loop, name), getattr(nets, name).state_dict()
        network.load_state_dict(dict(zip(network.state_dict(), ours.values(), strict=True)))
    return loop


def batch_for(options: RunOptions, dtype: torch.dtype = torch.float32) -> Batch:
    torch.manual_seed(1)
    batch = example_batch(describe(options, options.gan.needs), options.gan.noise_shape(), rows=2)
    return Batch(**{name: _to(value, options.resolve_device(), dtype) for name, value in batch.items()})


def _to(value: Tensor, device: torch.device, dtype: torch.dtype) -> Tensor:
    return value.to(device, dtype if value.is_floating_point() else None)


def forward(gan: str, generator: nn.Module, discriminator: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
    """Fakes, and what the discriminator says of them."""
    if gan == "dcgan":
        fake = generator(batch.noise)
        return fake, discriminator(fake)
    fake = generator(batch.source)
    return fake, discriminator(fake, batch.source)


@pytest.mark.parametrize(("gan", "size"), PARAMETERS)
def test_the_reference_has_our_networks(setting: Setting, gan: str, size: int) -> None:
    options = options_of(setting, gan, size)
    nets = our_networks(options)
    loop, batch = reference_with(nets, setting, gan, size), batch_for(options)
    for name, count in zip(NETWORKS, PARAMETERS[gan, size], strict=True):
        network = getattr(loop, name)
        assert sum(weight.numel() for weight in network.parameters()) == count
        assert [(type(layer), layer.p) for layer in dropouts(network)] == [
            (type(layer), layer.p) for layer in dropouts(getattr(nets, name))
        ]
        network.eval()
    nets.eval()
    with torch.no_grad(), options.arithmetic(setting.device):
        fake, score = forward(gan, nets.generator, nets.discriminator, batch)
        their_fake, their_score = forward(gan, loop.generator, loop.discriminator, batch)
    torch.testing.assert_close(their_fake, fake, rtol=0, atol=1e-4)
    score = score.sigmoid() if gan == "dcgan" else score  # the chapter's discriminator ends in a sigmoid
    torch.testing.assert_close(their_score, score, rtol=0, atol=1e-4)


@pytest.mark.parametrize("gan", LOOPS)
def test_a_step_of_the_reference_is_a_step_of_ours(setting: Setting, gan: str) -> None:
    """In float64: Adam's first step is as long for a gradient that is rounding alone as for any other.

    Without dropout: the switches that are timed lay images out otherwise in memory, which draws the same numbers for
    other pixels.
    """
    options = options_of(setting, gan, size=32)
    nets = our_networks(options).double()
    loop, batch = reference_with(nets, setting, gan, size=32), batch_for(options, torch.float64)
    for network in (nets, loop.generator.double(), loop.discriminator.double()):
        for layer in dropouts(network):
            layer.p = 0.0
    before = {name: weight.clone() for name, weight in nets.state_dict().items()}

    Engine(options.gan, nets, options.players(), options).step(batch)
    loop.step(*(batch[name] for name in INPUTS[gan]))

    for name in NETWORKS:
        ours, theirs = getattr(nets, name).state_dict(), getattr(loop, name).state_dict()
        torch.testing.assert_close(dict(zip(ours, theirs.values(), strict=True)), dict(ours), rtol=0, atol=1e-9)
    assert moved(before, nets.state_dict()) > 0.5  # the outer taps of Pix2Pix's inner kernels see no pixel


def dropouts(network: nn.Module) -> list[nn.Dropout | nn.Dropout2d]:
    return [layer for layer in network.modules() if isinstance(layer, nn.Dropout | nn.Dropout2d)]


def moved(before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> float:
    """The share of numbers that are no longer what they were."""
    changed = sum(int((after[name] != value).sum()) for name, value in before.items())
    return changed / sum(value.numel() for value in before.values())
