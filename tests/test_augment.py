"""Augmentation: what it changes and what it leaves, that gradients pass it twice, and that it adapts."""

import json
import math
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import Tensor, nn
from trained import Send

import ganzoo
from ganzoo.base.signals import Interrupted
from ganzoo.config import validate
from ganzoo.contract.augment import (
    ADA,
    AdaptiveAugmenter,
    AnyAugmentation,
    Augmenter,
    Change,
    DiffAugment,
    NoAugmentation,
)
from ganzoo.data.example import example_batch, example_spec
from ganzoo.losses import WassersteinGP
from ganzoo.runs.checkpoint import checkpoints
from ganzoo.testing import check_gan

GEOMETRY: tuple[Change, ...] = (
    "flip",
    "rotate90",
    "integer-translation",
    "scale",
    "rotation",
    "stretch",
    "translation",
)
COLOURS: tuple[Change, ...] = ("brightness", "contrast", "luma-flip", "saturation", "hue")
SHARES = {"flip": 0.2, "luma-flip": 0.2, "rotate90": 0.2, "integer-translation": 0.4 * (1 - 1 / 15)}
"""Of images, 8 x 12, that a change touches where its probability is 0.4: mirrored one way of two, turned by 0 or 180
degrees, moved by -1 to 1 pixel down and -2 to 2 to the right."""
EVERYTHING = ADA(policy=(*GEOMETRY, *COLOURS, "cutout"))
GREEDY = ADA(images=100)
"""Adapts within a few iterations."""


def ada(p: float, *policy: str) -> AdaptiveAugmenter:
    torch.manual_seed(0)
    module = AdaptiveAugmenter(policy, 0.6, 500_000)
    module.p.fill_(p)
    return module


def images(channels: int = 3, rows: int = 4, height: int = 8, width: int = 12) -> Tensor:
    torch.manual_seed(1)
    return torch.rand(rows, channels, height, width) * 2 - 1


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_an_adaptive_augmentation_begins_by_changing_nothing_at_all(channels: int) -> None:
    module = EVERYTHING.build()
    assert isinstance(module, AdaptiveAugmenter)
    assert module.p.item() == 0
    assert torch.equal(module(images(channels)), images(channels))


@pytest.mark.parametrize("change", [*GEOMETRY, *COLOURS, "cutout"])
def test_each_change_comes_to_the_expected_share_of_images_and_to_no_other(change: str) -> None:
    before = images(rows=1000)
    after = ada(0.4, change)(before)
    share = (after != before).flatten(1).any(1).float().mean().item()
    assert share == pytest.approx(SHARES.get(change, 0.4), abs=0.05)


def test_whole_turns_and_whole_steps_invent_no_values() -> None:
    before = images(rows=200, height=8, width=8)
    turned = ada(1, "rotate90")(before)
    ways = [before.rot90(quarter, (2, 3)) for quarter in range(4)]
    found = torch.stack([(turned == way).flatten(1).all(1) for way in ways])
    assert found.any(0).all()
    assert found.float().mean(1).tolist() == pytest.approx([0.25] * 4, abs=0.1)
    moved = ada(1, "integer-translation")(before)[:, 0, 3, 3]
    near = before[:, 0, 2:5, 2:5].flatten(1)
    assert (near - moved[:, None]).abs().amin(1).max() < 1e-5


def test_a_luma_flip_makes_dark_light_and_keeps_the_tint() -> None:
    before = images(rows=200)
    after = ada(1, "luma-flip")(before)
    flipped = (after != before).flatten(1).any(1)
    assert flipped.float().mean() == pytest.approx(0.5, abs=0.1)
    torch.testing.assert_close(after.mean(1)[flipped], -before.mean(1)[flipped])
    chroma = [colours - colours.mean(1, keepdim=True) for colours in (before, after)]
    torch.testing.assert_close(*chroma)
    grey = ada(1, "luma-flip")(images(1, rows=50))
    assert ((grey == images(1, rows=50)) | (grey == -images(1, rows=50))).all()


def test_mirroring_is_asked_for_and_all_else_of_the_authors_changes_is_the_default() -> None:
    by_default = set(ADA().policy)
    assert by_default == {*GEOMETRY, *COLOURS} - {"flip"}
    module = ADA(flip=True).build()
    assert isinstance(module, AdaptiveAugmenter)
    assert module.policy == by_default | {"flip"}


def test_a_fixed_probability_stays() -> None:
    module = ADA(p=0.3, policy=("brightness",)).build()
    assert isinstance(module, AdaptiveAugmenter)
    for _ in range(8):
        module.adapt(torch.tensor(1.0), 100_000)
    assert module.p.item() == pytest.approx(0.3)
    before = images(rows=1000)
    assert (module(before) != before).flatten(1).any(1).float().mean() == pytest.approx(0.3, abs=0.05)


def test_everything_is_changed_at_the_end_each_image_in_its_own_way() -> None:
    after = ada(1, *GEOMETRY, *COLOURS)(images(rows=1).expand(6, -1, -1, -1))
    assert len({tuple(image.flatten().tolist()) for image in after}) == 6


@pytest.mark.parametrize("augmentation", [DiffAugment(), EVERYTHING], ids=lambda augmentation: augmentation.kind)
def test_images_are_left_alone_in_evaluation(augmentation: DiffAugment | ADA) -> None:
    module = augmentation.build()
    assert module is not None
    for buffer in module.buffers():
        buffer.fill_(1)
    assert not torch.equal(module(images()), images())
    assert torch.equal(module.eval()(images()), images())


@pytest.mark.parametrize("augmentation", [DiffAugment(), EVERYTHING], ids=lambda augmentation: augmentation.kind)
def test_gradients_flow_through_twice(augmentation: DiffAugment | ADA) -> None:
    module = augmentation.build()
    assert module is not None
    for buffer in module.double().buffers():
        buffer.fill_(0.8)

    def squared(inputs: Tensor) -> Tensor:
        torch.manual_seed(2)
        return module(inputs).square()

    inputs = images(4, rows=2, height=3, width=2).double().requires_grad_()
    assert torch.autograd.gradcheck(squared, inputs)
    assert torch.autograd.gradgradcheck(squared, inputs)


def test_diffaugment_moves_by_an_eighth_at_most_and_cuts_out_a_quarter_at_most() -> None:
    ones = torch.ones(200, 1, 16, 16)
    torch.manual_seed(0)
    moved = DiffAugment(policy=("translation",)).build()
    cut = DiffAugment(policy=("cutout",)).build()
    assert moved is not None
    assert cut is not None
    gone = 16 - moved(ones)[:, 0].amax(2).sum(1)
    assert sorted(set(gone.tolist())) == [0, 1, 2]
    holes = (cut(ones) == 0).flatten(1).sum(1)
    assert 16 <= holes.min() < 30
    assert holes.max() == 64


@pytest.mark.parametrize("module", [DiffAugment(policy=("color",)).build(), ada(1, *COLOURS)], ids=["diff", "ada"])
def test_changes_of_colour_leave_opacity_and_grey_images_their_kind(module: Augmenter) -> None:
    before = images(4)
    after = module(before)
    assert torch.equal(after[:, 3], before[:, 3])
    assert not torch.isclose(after[:, :3], before[:, :3]).all(dim=(1, 2, 3)).any()
    assert not torch.isclose(module(images(1)), images(1)).all(dim=(1, 2, 3)).any()


def test_hue_and_saturation_keep_the_mean_of_the_colours() -> None:
    before = images()
    after = ada(1, "hue", "saturation")(before)
    assert not torch.allclose(after, before, atol=0.1)
    torch.testing.assert_close(after.mean(1), before.mean(1))
    grey = images(1).expand(-1, 3, -1, -1)
    torch.testing.assert_close(ada(1, "hue", "saturation")(grey), grey)
    assert torch.equal(ada(1, "hue", "saturation")(images(1)), images(1))


def test_hue_turns_red_into_green_and_blue() -> None:
    red = torch.zeros(500, 3, 1, 1)
    red[:, 0] = 1
    strongest = ada(1, "hue")(red).flatten(1)
    torch.testing.assert_close(strongest.norm(dim=1), torch.ones(500))
    assert set(strongest.argmax(1).tolist()) == {0, 1, 2}


def test_the_probability_follows_the_discriminators_certainty_and_stays_in_its_bounds() -> None:
    module = ada(0.0, "scale")

    def after(count: int, *certainties: float) -> float:
        for overfitting_signal in certainties:
            module.adapt(torch.tensor(overfitting_signal), count)
        return module.p.item()

    assert after(25_000, *[0.5] * 4) == 0
    assert after(25_000, *[0.7] * 3) == 0
    assert after(25_000, 0.7) == pytest.approx(0.2)
    assert after(25_000, 1.0, 0.7, 0.4, 0.2) == pytest.approx(0.0)  # below the target in the mean
    assert after(25_000, 1.0, 0.7, 0.5, 0.5) == pytest.approx(0.2)
    assert after(5_000_000, *[1.0] * 4) == 1


class Small(ganzoo.Adversarial):
    """As little as can be a GAN of any shape."""

    name = "small"

    def networks(self, data: ganzoo.DataSpec) -> ganzoo.Networks:
        count = math.prod(data.shape)
        image = [nn.Linear(self.latent_dim, count), nn.Tanh(), nn.Unflatten(1, data.shape)]
        score = [nn.Flatten(), nn.Linear(count, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1)]
        return ganzoo.Networks(generator=nn.Sequential(*image), discriminator=nn.Sequential(*score))


class Adaptive(Small):
    """Adapts at once."""

    name = "adaptive"
    augment: AnyAugmentation = GREEDY


class AdaptiveCritic(Small):
    """With a penalty that differentiates through the augmentation."""

    name = "adaptive-critic"
    loss: ganzoo.Loss = WassersteinGP()
    augment: AnyAugmentation = ADA(images=100, policy=EVERYTHING.policy)


class Differentiable(Small):
    """With a penalty that differentiates through the augmentation."""

    name = "differentiable"
    loss: ganzoo.Loss = WassersteinGP()
    augment: AnyAugmentation = DiffAugment()


@pytest.mark.parametrize("gan", [Adaptive, AdaptiveCritic, Differentiable])
def test_a_gan_with_augmentation_keeps_the_contract(gan: type[ganzoo.GAN]) -> None:
    check_gan(gan, (3, 9, 7))


def test_the_state_of_the_augmentation_is_part_of_the_networks() -> None:
    spec = example_spec(frozenset({"image"}))
    assert "augment.p" in Adaptive().build(spec).state_dict()
    assert "augment" not in Small().build(spec)
    assert "augment" not in validate(Small, {"augment": "none"}).build(spec)
    assert validate(Small, {"augment": {"kind": "ada", "policy": "scale,hue"}}).augment == ADA(policy=("scale", "hue"))
    assert NoAugmentation().build() is None


def test_every_image_that_the_discriminator_sees_is_augmented() -> None:
    gan, spec = Adaptive(), example_spec(frozenset({"image"}))
    nets = gan.build(spec)
    seen: list[Tensor] = []
    nets.augment.register_forward_hook(lambda *call: seen.append(call[2]))
    shown: list[Tensor] = []
    nets.discriminator.register_forward_pre_hook(lambda _, inputs: shown.append(inputs[0]))
    batch = gan.generate(nets, example_batch(spec, gan.noise_shape()))
    gan.generator_loss(nets, batch)
    gan.discriminator_loss(nets, batch)
    assert len(shown) == 3
    assert all(one is other for one, other in zip(shown, seen, strict=True))


@pytest.mark.parametrize(("offset", "rises"), [(9.0, True), (-9.0, False)])
def test_a_sure_discriminator_raises_the_probability_and_no_gradient_comes_of_it(offset: float, rises: bool) -> None:
    gan, spec = Adaptive(), example_spec(frozenset({"image"}))
    nets = gan.build(spec)
    p = dict(nets.named_buffers())["augment.p"]
    p.fill_(0.5)
    logits = torch.randn(4, 1, requires_grad=True)
    for _ in range(4):
        gan.adapt(nets, logits + offset, logits)
    assert p.item() == pytest.approx(0.5 + (0.16 if rises else -0.16))
    assert not p.requires_grad


def test_the_probability_follows_the_images_of_all_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    gan, spec = Adaptive(), example_spec(frozenset({"image"}))
    nets = gan.build(spec)
    monkeypatch.setenv("WORLD_SIZE", "3")
    for _ in range(4):
        gan.adapt(nets, torch.full((4, 1), 9.0), torch.zeros(4, 1))
    assert dict(nets.named_buffers())["augment.p"].item() == pytest.approx(3 * 4 * 0.04)


def test_bf16_leaves_the_augmentation_in_float32() -> None:
    gan, spec = Differentiable(), example_spec(frozenset({"image"}))
    engine = ganzoo.Engine(gan, gan.build(spec), speed=ganzoo.PerformanceOptions(device="cpu", precision="bf16"))
    kinds: list[torch.dtype] = []
    engine.nets.augment.register_forward_hook(lambda *call: kinds.append(call[2].dtype))
    engine.step(example_batch(spec, gan.noise_shape()), everyone=True)
    assert kinds
    assert set(kinds) == {torch.float32}


def test_a_run_with_adaptive_augmentation_that_was_stopped_is_the_same_to_the_last_bit(tmp_path: Path) -> None:
    options: dict[str, Any] = {
        "augment": {"kind": "ada", "images": 10, "target": -0.9},
        "image_size": 32,
        "limit": 8,
        "batch_size": 2,
        "epochs": 3,
        "checkpoint_every": 4,
        "keep_every": 4,
        "precision": "fp32",
        "device": "cpu",
    }
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    ganzoo.run("dcgan", out=whole, **options)
    with pytest.raises(Interrupted):
        ganzoo.run("dcgan", out=stopped, callback=Send(5, signal.SIGTERM), **options)
    assert checkpoints(stopped / "checkpoints")[-1].name == "00000005"
    again = ganzoo.run("dcgan", out=stopped, **options)
    files = sorted(whole.glob("checkpoints/*/*"))
    assert len(files) >= 3
    for file in files:
        assert file.read_bytes() == (stopped / file.relative_to(whole)).read_bytes(), file
    strengths = [
        safetensors.torch.load_file(checkpoint / "networks.safetensors")["augment.p"].item()
        for checkpoint in checkpoints(whole / "checkpoints")
    ]
    assert strengths[0] > 0
    assert again.nets.state_dict()["augment.p"].item() == strengths[-1]
    assert json.loads((whole / "config.json").read_text())["gan"]["augment"]["kind"] == "ada"
    assert again.generate(2).shape == (2, 1, 32, 32)


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("--augment ado", "no augmentation is called 'ado'; did you mean 'ada'?"),
        ("--augment ada --augment.policy rotate", "option 'augment.policy' cannot be 'rotate': it must be 'flip'"),
        ("--augment diffaugment --augment.target 0.5", "this is an option of ada"),
        ("--augment ada --augment.target 2", "option 'augment.target' cannot be '2': it must be greater than -1"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(words: str, answer: str, command: Callable[..., Any]) -> None:
    said = command("run", "dcgan", *words.split())
    assert said.status == 2
    assert answer in said.err
    assert len(said.err.strip().splitlines()) == 1
