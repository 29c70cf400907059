"""InfoGAN: codes that follow from the noise, what their information moves, and how they are laid out."""

from pathlib import Path

import pytest
import torch
from ganzoo_infogan import InfoGAN
from PIL import Image

import ganzoo
from ganzoo import Batch, Networks
from ganzoo.data.example import example_batch, example_spec
from ganzoo.data.in_memory import fixed_latents

PIXELS, PADDING = 16, 2


def ready(gan: InfoGAN) -> tuple[Networks, Batch]:
    torch.manual_seed(0)
    data = example_spec(gan.needs, (1, PIXELS, PIXELS))
    nets = gan.networks(data)
    return nets, gan.generate(nets, example_batch(data, gan.noise_shape(), rows=8))


def test_codes_are_drawn_evenly() -> None:
    gan = InfoGAN(categories=4, continuous=3)
    category, values = gan.read(fixed_latents(8000, gan.noise_shape(), seed=0))
    assert (category.bincount(minlength=4) / 8000).tolist() == pytest.approx([0.25] * 4, abs=0.02)
    assert values.shape == (8000, 3)
    for cut in (-0.5, 0.0, 0.5):
        assert (values < cut).float().mean(0).tolist() == pytest.approx([(1 + cut) / 2] * 3, abs=0.02)


@pytest.mark.parametrize("term", ["category", "continuous"])
def test_information_is_in_both_losses_and_moves_generator_and_recogniser(term: str) -> None:
    gan = InfoGAN()
    nets, batch = ready(gan)
    generator, discriminator = (list(getattr(nets, name).parameters()) for name in ("generator", "discriminator"))
    moved = torch.autograd.grad(gan.generator_loss(nets, batch)[term], generator, retain_graph=True)
    assert all(gradient.any() for gradient in moved[:2])
    *body, head, bias = torch.autograd.grad(gan.discriminator_loss(nets, batch)[term], discriminator)
    assert body[0].any()  # the body is shared ...
    own = slice(1, 11) if term == "category" else slice(11, 15)
    assert head[own].any()  # ... the last layer is not
    rest = torch.ones(15, dtype=torch.bool)
    rest[own] = False
    assert not head[rest].any()
    assert not bias[rest].any()


def test_information_is_highest_where_the_codes_are_found() -> None:
    gan = InfoGAN(category_weight=2.0, continuous_weight=0.5)
    noise = fixed_latents(16, gan.noise_shape(), seed=0)
    category, values = gan.read(noise)
    found = torch.cat([20 * torch.eye(10)[category], values, torch.full_like(values, -10.0)], 1)
    right, wrong = gan.information(found, noise), gan.information(found.roll(1, 0), noise)
    assert right["category"].item() == pytest.approx(0, abs=1e-5)
    assert right["continuous"].item() == pytest.approx(0.5 * torch.tensor(0.01).log().item(), rel=0.02)
    assert all(right[term] < wrong[term] - 1 for term in right)


def test_a_picture_shows_the_codes() -> None:
    gan = InfoGAN(categories=4)
    noise = fixed_latents(25, gan.noise_shape(), seed=0)
    laid_out = gan.grid_noise(noise)
    assert laid_out.shape == (4 * 10, *gan.noise_shape())
    category, values = gan.read(laid_out)
    assert category.tolist() == [row for row in range(4) for _ in range(10)]
    rows = values.view(4, 10, 2)
    assert (rows[:, 1:, 0] > rows[:, :-1, 0]).all()
    assert torch.allclose(rows[..., 0], rows[:1, :, 0])
    assert -1 < rows.min() < -0.8
    assert 0.8 < rows.max() < 1
    assert not rows[..., 1].any()
    assert torch.equal(laid_out[:, : gan.latent_dim], noise[:1, : gan.latent_dim].expand(40, -1))


def test_a_run_saves_that_picture(place: Path) -> None:
    trained = ganzoo.run("infogan", out=place / "run", image_size=PIXELS, limit=8, batch_size=4, epochs=1)
    for file in (place / "run" / "samples").glob("*.png"):
        side = 10 * (PIXELS + PADDING) + PADDING
        with Image.open(file) as picture:
            assert picture.size == (side, side)
    few, many = trained.generate(3, seed=5), trained.generate(70, seed=5)
    assert torch.allclose(few, many[:3], atol=1e-5)


def test_one_category_is_none(place: Path) -> None:
    with pytest.raises(ganzoo.UserError, match="option 'categories' cannot be '1': it must be at least 2"):
        ganzoo.run("infogan", out=place / "run", categories=1)
