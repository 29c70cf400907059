"""`check_gan`: checks of GANs."""

import tempfile
from pathlib import Path

import torch

from ganzoo.base.rng import seeded
from ganzoo.contract.gan import GAN
from ganzoo.data.example import example_spec
from ganzoo.errors import SizeError, UserError
from ganzoo.options.run import resolve
from ganzoo.testing.configuration import check_configuration, configured
from ganzoo.testing.demands import complaining, contract, demand
from ganzoo.testing.drawing import drawing
from ganzoo.testing.keeping import check_keeping
from ganzoo.testing.networks import check_other_shapes, check_sample, check_taken
from ganzoo.testing.players import check_training
from ganzoo.testing.trial import made_up

__tracebackhide__ = True

ROWS = 16
"""Rows of noise for checking codes."""


def check_gan(gan: type[GAN] | GAN, shape: tuple[int, int, int] = (1, 32, 32), *, thorough: bool = False) -> None:
    """Train a GAN for a few iterations on random images and check everything that is expected of a GAN.

    Name, documentation, options and recipes; registered state of its networks; other sizes and channels; samples that
    depend only on its inputs; finite losses and gradients; no updates of networks without a player; the same results
    with CUDA graphs; bf16; bit-exact resuming; sampling from the run folder without data. Takes seconds on a CPU,
    leaves no files and does not affect random numbers.

    Args:
        gan: class, checked with its default options, or a configuration: a smaller one takes less time.
        shape: channels, height and width of the images.
        thorough: more iterations in bf16, around a checkpoint and before a capture, and a capture of every set of
            players that move together (default: the same checks in about half the time, with iterations in which every
            player moves at least once; a mistake that takes several iterations to show may be missed).

    Raises:
        AssertionError: if it breaks the contract; the message says what to change.
    """
    with drawing(), contract(), tempfile.TemporaryDirectory() as place:
        config = configured(gan, GAN)
        check_configuration(config)
        check_declarations(config, shape)
        check_codes(config)
        check_taken(config, shape)
        check_sample(config, shape)
        check_training(config, shape, thorough=thorough)
        check_keeping(config, shape, Path(place) / "run", thorough=thorough)
        check_other_shapes(config, shape)


def check_declarations(config: GAN, shape: tuple[int, int, int]) -> None:
    """Check that the declarations of the class are consistent, and that its recipes work."""
    kind, fields = type(config), type(config).model_fields
    unknown = sorted(kind.may_change - fields.keys())
    demand(not unknown, f"may_change names {', '.join(unknown)}, which is no option of {kind.__name__}")
    for recipe in kind.recipes:
        change = f"the recipe '{recipe}' of {kind.__name__} cannot be followed: {{}}"
        with complaining(change, UserError, RuntimeError, ValueError):
            check_recipe(config, recipe, shape)


def check_recipe(config: GAN, recipe: str, shape: tuple[int, int, int]) -> None:
    """Build the players and networks of a recipe, for its own image size if it has one.

    Raises:
        RuntimeError, UserError, ValueError: if that fails.
    """
    options = resolve(type(config), {"recipe": recipe, "data": made_up(config.needs)})
    options.players()
    named, gan = "image_size" in config.recipes[recipe], options.gan
    height, width = options.image_size if named else shape[1:]
    try:
        gan.build(example_spec(gan.needs, (options.channels or shape[0], height, width), gan.scale_factor))
    except SizeError:
        if named:  # else the size is only that of the other checks
            raise


def check_codes(config: GAN) -> None:
    """Check that the codes of the noise do not overlap, and read back the values put into them."""
    codes, shape = config.codes, (ROWS, *config.noise_shape())
    noise, other_noise = (torch.randn(shape, generator=seeded("codes", seed)) for seed in range(2))
    names = [code.name for code in codes]
    demand(len(set(names)) == len(names), f"two of its codes have one name: {', '.join(names)}")
    for code in codes:
        places = set(range(code.start, code.start + code.length))
        demand(
            places <= set(range(noise[0].numel())),
            f"the code '{code.name}' lies outside of its noise: see its start, and noise_shape()",
        )
    before = [code.read(other_noise) for code in codes]
    for number, code in enumerate(codes):
        told = code.read(noise)
        after = [other.read(code.put(other_noise, told)) for other in codes]
        demand(
            torch.allclose(after[number].double(), told.double(), rtol=0, atol=1e-4),
            f"the code '{code.name}' does not read what was put: read() must be the inverse of entries()",
        )
        for other in range(len(codes)):
            demand(
                other == number or torch.equal(after[other], before[other]),
                f"'{code.name}' lies where '{codes[other].name}' does: give each a start of its own",
            )
