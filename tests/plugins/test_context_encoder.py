"""The context encoder: what it takes for a hole, what it leaves alone, what it minimises."""

import pytest
import torch
from ganzoo_context_encoder import ContextEncoder, hole
from torch import Tensor

from ganzoo import Adam, Batch, DataSpec, Engine, PerformanceOptions, SizeError
from ganzoo.blocks.bottleneck import ChannelwiseLinear
from ganzoo.data.in_memory import to_float
from ganzoo.data.pair_transforms import HOLE

SPEC = DataSpec(dataset="x", shapes={"source": (3, 32, 32), "target": (3, 32, 32)})


def masked(rows: int = 4, channels: int = 3) -> Batch:
    """Random pictures as they come from data, each with a hole of 8 x 12 pixels."""
    target = torch.randint(128, 256, (rows, channels, 32, 32), dtype=torch.uint8)
    source = target.clone()
    source[:, :, 10:18, 6:18] = HOLE
    return Batch(source=to_float(source), target=to_float(target), step=torch.tensor(0))


def small(**options: object) -> ContextEncoder:
    return ContextEncoder.model_validate({"width": 4, **options})


def test_a_hole_is_where_all_channels_have_its_value_and_no_other() -> None:
    images = torch.full((1, 3, 2, 3), HOLE, dtype=torch.uint8)
    images[0, 0, 0, 0] = HOLE + 1
    images[0, :, 0, 1] = HOLE - 1
    assert hole(to_float(images)).tolist() == [[[[False, False, True], [True, True, True]]]]


@pytest.mark.parametrize("scale", [1.0, 1 + 1e-6])
def test_a_hole_is_found_though_numbers_were_rounded(scale: float) -> None:
    image = torch.full((1, 1, 1, 1), (HOLE / 255 * 2 - 1) * scale)
    assert bool(hole(image).item())


def test_known_pixels_stay_to_the_last_bit_and_the_hole_is_made() -> None:
    torch.manual_seed(0)
    gan, batch = small(), masked()
    engine = Engine(gan, gan.networks(SPEC), speed=PerformanceOptions.plain())
    for _ in range(3):
        engine.step(batch)
    made, missing = engine.sample(batch), hole(batch.source).expand_as(batch.source)
    assert int(missing[0, 0].sum()) == 8 * 12
    assert torch.equal(made[~missing], batch.target[~missing])
    assert not torch.isclose(made[missing], batch.source[missing]).any(dim=0).all()
    assert made.abs().max() <= 1


@pytest.mark.parametrize("distance", ["l1", "l2"])
def test_its_losses_are_weighed_as_its_options_say(distance: str) -> None:
    torch.manual_seed(0)
    weights = {"reconstruction": 0.9, "rim": 3.0, "known": 0.2, "adversarial": 0.1}
    gan, batch = small(distance=distance, mirror=False, **weights), masked()
    nets = gan.networks(SPEC)
    batch = gan.generate(nets, batch)
    losses = gan.generator_loss(nets, batch)
    error, missing = (batch.made - batch.target).abs(), hole(batch.source).expand_as(batch.target)
    error = error if distance == "l1" else error**2
    around = torch.zeros_like(missing)
    around[:, :, 9:19, 5:19] = True
    judged = gan.loss.generator(batch.fake[:0], gan.discriminate(nets, batch.fake, batch))
    assert losses.keys() == {"adversarial", "reconstruction", "rim", "known"}
    torch.testing.assert_close(losses["reconstruction"], 0.9 * error[missing].mean())
    torch.testing.assert_close(losses["rim"], 0.9 * 3 * error[around & ~missing].mean())
    torch.testing.assert_close(losses["known"], 0.9 * 0.2 * error[~missing].mean())
    assert losses["adversarial"].item() == pytest.approx(0.1 * judged.item(), rel=0.01)


def test_the_discriminator_learns_ten_times_slower() -> None:
    generator, discriminator = small(optimizer=Adam(lr=0.02, betas=(0.1, 0.9))).players()
    assert generator.optimizer == Adam(lr=0.02, betas=(0.1, 0.9))
    assert discriminator.optimizer == Adam(lr=0.002, betas=(0.1, 0.9))


def test_both_networks_are_told_where_the_hole_is() -> None:
    torch.manual_seed(0)
    gan = small(mirror=False)
    nets, seen = gan.networks(SPEC), list[Tensor]()
    for network in nets.children():
        network.register_forward_hook(lambda _, given, __: seen.append(given[0]))
    batch = gan.generate(nets, masked())
    gan.discriminate(nets, batch.fake, batch)
    for images, given in zip((batch.source, batch.fake), seen, strict=True):
        assert torch.equal(given, torch.cat([images, hole(batch.source).float()], 1))


def test_pictures_are_mirrored_in_training_with_their_holes_and_never_as_they_are_filled() -> None:
    torch.manual_seed(0)
    gan, batch = small(), masked(rows=32)
    nets = gan.networks(SPEC).eval()
    seen = gan.generate(nets, batch)
    same = [torch.equal(*pair) for pair in zip(seen.target, batch.target, strict=True)]
    assert 4 < sum(same) < 28
    for row, kept in enumerate(same):
        expected = batch.source[row] if kept else batch.source[row].flip(2)
        assert torch.equal(seen.source[row], expected)
    known = ~hole(batch.source).expand_as(batch.source)
    assert torch.equal(gan.sample(nets, batch)[known], batch.source[known])


def test_the_papers_networks_have_a_narrow_middle_and_judge_the_whole_image() -> None:
    with torch.device("meta"):
        gan = ContextEncoder.model_validate({"architecture": "paper", "width": 8})
        nets = gan.networks(DataSpec(dataset="x", shapes={"source": (3, 128, 128), "target": (3, 128, 128)}))
        image = torch.empty(2, 4, 128, 128)
        assert nets.generator(image).shape == (2, 3, 128, 128)
        assert nets.discriminator(image).shape == (2, 1)
    assert any(isinstance(layer, ChannelwiseLinear) for layer in nets.generator.modules())


@pytest.mark.parametrize("value", [-1.0, HOLE / 127.5 - 1])
def test_images_without_a_hole_or_with_nothing_else_do_no_harm(value: float) -> None:
    gan = small()
    engine = Engine(gan, gan.networks(SPEC), speed=PerformanceOptions.plain())
    image: Tensor = torch.full((2, 3, 32, 32), value)
    losses = engine.step(Batch(source=image, target=image, step=torch.tensor(0)))
    assert all(term.isfinite() for term in losses.values())


@pytest.mark.learns
def test_it_learns_to_fill_better_than_the_mean() -> None:
    torch.manual_seed(0)
    gan, batch = small(width=8), masked()
    colours = torch.rand(4, 3, 1, 1) * 2 - 1  # each picture has a colour of its own
    missing = hole(batch.source)
    batch = batch.replace(source=torch.where(missing, batch.source, colours), target=colours.expand_as(batch.target))
    engine = Engine(gan, gan.networks(SPEC), speed=PerformanceOptions.plain())
    for _ in range(150):
        engine.step(batch)
    error = ((engine.sample(batch) - batch.target).abs() * missing).sum() / missing.sum() / 3
    assert error < 0.85 * (colours - colours.mean(0)).abs().mean()


def test_images_of_another_shape_are_refused() -> None:
    spec = DataSpec(dataset="x", shapes={"source": (1, 32, 32), "target": (3, 32, 32)})
    with pytest.raises(SizeError, match=r"1 x 32 x 32 are no images of 3 x 32 x 32 .*; try --as masked$"):
        small().networks(spec)
    with pytest.raises(SizeError, match=r"try --image-size 32x32 or 48x48$"):
        small().networks(DataSpec(dataset="x", shapes={"source": (3, 40, 40), "target": (3, 40, 40)}))
