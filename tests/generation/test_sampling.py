"""The n-th image of a seed is the same however it is made: over the whole zoo, and in walks and sweeps."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import ganzoo
from ganzoo.config import build
from ganzoo.data.made_up import example_spec
from ganzoo.plugins import zoo

SPEC = ganzoo.DataSpec(dataset="x", shapes={"image": (1, 8, 8)})


def untrained(gan: type[ganzoo.GAN], **options: Any) -> ganzoo.TrainedGAN:
    torch.manual_seed(0)
    config = build(gan, options)
    data = example_spec(config.needs, (3, 32, 32), config.shrinks)
    nets = config.build(data)
    with torch.no_grad():
        for parameter in nets.parameters():  # none may hide by beginning at zero
            parameter.add_(0.02 * torch.randn_like(parameter))
    return ganzoo.TrainedGAN(Path(), config, data, nets.eval())


@pytest.mark.parametrize("name", sorted(zoo().gans))
def test_images_do_not_depend_on_the_batch_size(name: str) -> None:
    trained = untrained(zoo().gan(name))
    if trained.takes_images:
        images = torch.rand(9, *trained.data.source_shape, generator=torch.Generator().manual_seed(1)) * 2 - 1
        made = [trained.translate(images, batch_size=size) for size in (1, 7, 64)]
    else:
        asked: dict[str, Any] = {"text": ["a cat", "b"]} if trained.takes_text else {}
        made = [trained.generate(9, 3, size, **asked) for size in (1, 7, 64)]
        made.append(trained.generate(70, 3, **asked)[:9])
    for other in made[1:]:
        torch.testing.assert_close(other, made[0], rtol=0, atol=1e-4)
    assert (made[0][0] - made[0][1]).abs().max() > 1e-4, "all images are alike: nothing was tried"


@pytest.mark.parametrize("name", sorted(zoo().gans))
def test_truncation_and_walks_wherever_there_is_noise(name: str) -> None:
    trained = untrained(zoo().gan(name))
    if trained.takes_images:
        with pytest.raises(ganzoo.UserError, match="try translate"):
            trained.interpolate()
        return
    asked: dict[str, Any] = {"text": ["a cat"]} if trained.takes_text else {}
    asked |= {"classes": [1]} if trained.takes_classes else {}
    whole, cut = trained.generate(6, **asked), trained.generate(6, **asked, truncation=0.5)
    assert not torch.allclose(whole, cut, atol=1e-4)
    torch.testing.assert_close(trained.generate(6, 0, 1, **asked, truncation=0.5), cut, rtol=0, atol=1e-4)
    middle = trained.generate(2, **asked, truncation=0)
    torch.testing.assert_close(middle[0], middle[1], rtol=0, atol=1e-4)
    frames = torch.cat(list(trained.interpolate(3, 6, **asked)))
    torch.testing.assert_close(frames[::2], whole[:3], rtol=0, atol=1e-4)
    second = torch.stack([pair[1] for pair in trained.interpolate(3, 6, 0, 2, count=2, **asked)])
    torch.testing.assert_close(second[::2], whole[3:], rtol=0, atol=1e-4)


class Restless(ganzoo.Generator):
    """Noise to images, with noise of its own in evaluation too."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))
        self.calls = 0

    def forward(self, noise: Tensor) -> Tensor:
        self.calls += 1
        return torch.tanh(self.weight * noise[:, :1, None, None] + torch.randn(len(noise), 1, 8, 8))


class RestlessGAN(ganzoo.Adversarial):
    """Draws while it generates."""

    name = "restless"

    def networks(self, data: ganzoo.DataSpec) -> ganzoo.Networks:
        return ganzoo.Networks(generator=Restless(), discriminator=nn.Linear(1, 1))


def test_what_a_gan_draws_itself_belongs_to_the_image_not_to_the_batch() -> None:
    gan = RestlessGAN()
    trained = ganzoo.TrainedGAN(Path(), gan, SPEC, gan.networks(SPEC))
    made = [trained.generate(9, 1, size) for size in (1, 4, 64)]
    assert torch.equal(made[0], made[1])
    assert torch.equal(made[0], made[2])
    assert len(torch.unique(made[0], dim=0)) == 9
    assert not torch.allclose(trained.generate(9, 2), made[0])


def test_what_a_gan_draws_itself_stays_the_same_along_a_walk_and_a_row_of_a_sweep() -> None:
    class Coded(RestlessGAN):
        """Has a code, which its images show nothing of."""

        name = "coded"

        @property
        def codes(self) -> tuple[ganzoo.Code, ...]:
            return (ganzoo.Continuous("tilt", 1),)

        def sample(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> Tensor:
            return nets.generator(batch.noise) * 0 + torch.randn(len(batch.noise), 1, 8, 8)

    gan = Coded()
    trained = ganzoo.TrainedGAN(Path(), gan, SPEC, gan.networks(SPEC))
    for size in (1, 5, 64):
        walks = torch.stack(list(trained.interpolate(3, 6, 4, size, count=2)))
        assert (walks == walks[:1]).all(), "a walk is noise from frame to frame"
        assert not torch.equal(walks[0, 0], walks[0, 1])
        assert torch.equal(walks[0], trained.generate(4, 4)[::3])
        rows = torch.cat(list(trained.sweep({"tilt": [-1, 0, 1]}, 2, 4, size))).view(2, 3, 1, 8, 8)
        assert (rows == rows[:, :1]).all()
        assert torch.equal(rows[:, 0], trained.generate(2, 4))


@pytest.mark.parametrize("drawn", [lambda: float(np.random.normal()), random.random])
def test_what_is_drawn_from_numpy_or_python_belongs_to_the_image_too(drawn: Callable[[], float]) -> None:
    class Elsewhere(RestlessGAN):
        """Draws, but not from torch."""

        name = "elsewhere"

        def sample(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> Tensor:
            return torch.full((len(batch.noise), 1, 8, 8), drawn())

    gan = Elsewhere()
    trained = ganzoo.TrainedGAN(Path(), gan, SPEC, gan.networks(SPEC))
    made = [trained.generate(9, 1, size) for size in (1, 4, 64)]
    assert torch.equal(made[0], made[1])
    assert torch.equal(made[0], made[2])
    assert len(torch.unique(made[0], dim=0)) == 9


def test_a_gan_that_draws_nothing_makes_whole_batches() -> None:
    trained = untrained(zoo().gan("dcgan"))
    calls: list[int] = []
    trained.nets.generator.register_forward_hook(lambda module, given, made: calls.append(len(made)))
    trained.generate(20, batch_size=8)
    assert calls == [8, 8, 4]


def test_making_images_leaves_every_generator_of_random_numbers_alone_also_between_batches() -> None:
    gan = RestlessGAN()
    trained = ganzoo.TrainedGAN(Path(), gan, SPEC, gan.networks(SPEC))
    state, array = torch.get_rng_state(), repr(np.random.get_state(legacy=False))
    for _ in trained.generate_in_batches(6, batch_size=2):
        assert torch.equal(torch.get_rng_state(), state)
    assert repr(np.random.get_state(legacy=False)) == array


def test_classes_of_a_walk_change_midway() -> None:
    class Labelled(RestlessGAN):
        """Shows its label."""

        name = "labelled"
        needs = frozenset({"image", "label"})

        def sample(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> Tensor:
            return (batch.label / 10).view(-1, 1, 1, 1).expand(-1, 1, 8, 8)

    data = ganzoo.DataSpec(dataset="x", shapes={"image": (1, 8, 8), "label": ()}, classes=("a", "b", "c"))
    gan = Labelled()
    trained = ganzoo.TrainedGAN(Path(), gan, data, gan.networks(data))
    shown = [round(frame.mean().item() * 10) for frame in trained.interpolate(3, 12)]
    assert shown == [0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 0, 0]
    shown = [round(frame.mean().item() * 10) for frame in trained.interpolate(3, 5, closed=False, classes=["c", "a"])]
    assert shown == [2, 0, 0, 2, 2]


def test_sweeps_show_every_combination_and_settings_hold() -> None:
    trained = untrained(zoo().gan("infogan"))
    codes = {"category": [3, 4], "continuous-1": "-1..1:3", "continuous-2": 0}
    made = torch.cat(list(trained.sweep(codes, 2, batch_size=5)))
    assert made.shape == (12, 3, 32, 32)
    for row, (category, value) in ((0, (3, -1)), (1, (3, 0)), (5, (4, 1)), (10, (4, 0))):
        told = {"category": category, "continuous-1": value, "continuous-2": 0}
        alone = trained.generate(2, codes=told)[row // 6]
        torch.testing.assert_close(made[row], alone, rtol=0, atol=1e-4)
    with pytest.raises(ganzoo.UserError, match="'codes' is too high: 1000000 rows"):
        trained.sweep({"continuous-1": "-1..1:1000", "continuous-2": "-1..1:1000"})
    with pytest.raises(ganzoo.UserError, match="'count' is too high: 120000 rows"):
        trained.sweep(codes, 20_000)
    with pytest.raises(ganzoo.UserError, match="code 'category' has 2 values, where an image has one; try a sweep"):
        trained.generate(2, codes=codes)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"points": 1}, "'interpolate' cannot be 1: a walk leads through at least 2 points"),
        ({"points": 5, "frames": 4}, "'frames' cannot be 4: a walk through 5 points has at least 5"),
        ({"count": 0}, "'count' cannot be 0"),
        ({"points": 1000, "frames": 1000, "count": 1000}, "'count' is too high: 1000000 rows of noise"),
        ({"points": 200_000, "frames": 200_000}, "'interpolate' is too high: 200000 rows of noise"),
        ({"points": "8"}, "option 'interpolate' cannot be '8': it must be a whole number"),
        ({"frames": 12.5}, "option 'frames' cannot be '12.5': it must be a whole number"),
        ({"frames": 10**10}, "option 'frames' cannot be 10000000000: a walk has at most 1000000"),
        ({"truncation": -1}, "'truncation' cannot be '-1'"),
        ({"text": "cat"}, "leave the text out"),
    ],
)
def test_walks_that_cannot_be_are_refused_at_once(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(ganzoo.UserError, match=message):
        untrained(zoo().gan("dcgan")).interpolate(**asked)
