"""`check_gan`: what every GAN of the zoo is held to."""

import tempfile
from pathlib import Path

import torch

from ganzoo.data.batches import seeded
from ganzoo.data.made_up import example_spec
from ganzoo.errors import SizeError, UserError
from ganzoo.gan import GAN
from ganzoo.options import resolve
from ganzoo.testing.configuration import check_configuration, configured
from ganzoo.testing.demands import complaining, contract, demand
from ganzoo.testing.drawing import drawing
from ganzoo.testing.keeping import check_keeping
from ganzoo.testing.networks import check_other_shapes, check_sample, check_taken
from ganzoo.testing.players import check_training
from ganzoo.testing.trial import made_up

__tracebackhide__ = True

ROWS = 16
"""Of noise, in which codes are looked for."""


def check_gan(gan: type[GAN] | GAN, shape: tuple[int, int, int] = (1, 32, 32)) -> None:
    """Trains a GAN for a few iterations on random images and holds it to all that the zoo's own are held to.

    Its name, docs, options and recipes; the state of its networks; other sizes and channels; images from its inputs
    alone; finite losses and gradients, and that only declared networks move; the same when iterations are captured as
    CUDA graphs; bf16; going on from a checkpoint to the last bit; images from the run folder without any data.
    Takes seconds on a CPU; nothing is left on the disk, and no random number is missed afterwards.

    Args:
        gan: the class, checked with its default options, or a configuration: a smaller one takes less time.
        shape: channels, height and width of the images to try it on.

    Raises:
        AssertionError: it does not keep the contract; the message says what to change.
    """
    with drawing(), contract(), tempfile.TemporaryDirectory() as place:
        config = configured(gan, GAN)
        check_configuration(config)
        check_declarations(config, shape)
        check_codes(config)
        check_taken(config, shape)
        check_sample(config, shape)
        check_training(config, shape)
        check_keeping(config, shape, Path(place) / "run")
        check_other_shapes(config, shape)


def check_declarations(config: GAN, shape: tuple[int, int, int]) -> None:
    """Demands that what the class says of itself goes together, and that its recipes can be followed."""
    kind, fields = type(config), type(config).model_fields
    unknown = sorted(kind.may_change - fields.keys())
    demand(not unknown, f"may_change names {', '.join(unknown)}, which is no option of {kind.__name__}")
    for recipe in kind.recipes:
        change = f"the recipe '{recipe}' of {kind.__name__} cannot be followed: {{}}"
        with complaining(change, UserError, RuntimeError, ValueError):
            check_recipe(config, recipe, shape)


def check_recipe(config: GAN, recipe: str, shape: tuple[int, int, int]) -> None:
    """Has a recipe's players and networks made, for images of its own shape where it names one.

    Raises:
        RuntimeError, UserError, ValueError: they cannot be.
    """
    options = resolve(type(config), {"recipe": recipe, "data": made_up(config.needs)})
    options.players()
    named, gan = "image_size" in config.recipes[recipe], options.gan
    height, width = options.image_size if named else shape[1:]
    try:
        gan.build(example_spec(gan.needs, (options.channels or shape[0], height, width), gan.shrinks))
    except SizeError:
        if named:  # else it is no more than the shape that everything else is to be checked with
            raise


def check_codes(config: GAN) -> None:
    """Demands that named codes of the noise are each in a place of their own, and read back as they were put."""
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
