"""Checks of saved runs: resuming is exact, and sampling needs only the run folder."""

from pathlib import Path

import torch
from torch import Tensor

from ganzoo.api import load
from ganzoo.config import validate
from ganzoo.contract.gan import GAN
from ganzoo.errors import UserError
from ganzoo.losses import Losses
from ganzoo.runs import checkpoint
from ganzoo.runs.folder import RunFolder
from ganzoo.sampling.trained import TrainedGAN
from ganzoo.testing.demands import complaining, demand
from ganzoo.testing.trial import trial
from ganzoo.training.resume import resume_or_initialize
from ganzoo.training.run import write_down
from ganzoo.training.trainer import Trainer

__tracebackhide__ = True

HALF = 1, 2
"""Iterations before and after a checkpoint; the second number is that of a thorough check."""
IMAGES = 5


def check_keeping(gan: GAN, shape: tuple[int, int, int], place: Path, *, thorough: bool) -> None:
    """Check that a resumed run equals an uninterrupted one, and that its folder is enough for sampling.

    Args:
        gan: configuration of the GAN.
        shape: shape of the training images.
        place: path for a run folder.
        thorough: whether to make more than one iteration before and after the checkpoint.

    Raises:
        AssertionError: naming the difference, or the missing inputs of sampling.
    """
    folder = RunFolder(place)
    check_resume(gan, shape, folder, HALF[thorough])
    check_images_without_data(gan, folder)


def check_resume(gan: GAN, shape: tuple[int, int, int], folder: RunFolder, half: int) -> None:
    """Check that k iterations, a checkpoint and k more in another engine equal 2 k iterations, bit by bit."""
    changes = {"ema_images": 20, "lr_schedule": "cosine"}
    straight = trial(gan, shape, **changes)
    folder.create()
    write_down(straight, folder)
    steps(straight, half)
    checkpoint.write(folder.checkpoints, half, *straight.state_dict())
    expected = steps(straight, half)
    again = validate(type(gan), gan.model_dump(mode="json"))  # without any state of the first one
    resumed = trial(again, shape, **changes)
    resume_or_initialize(resumed, folder)
    found = steps(resumed, half)
    change = "a run that goes on from a checkpoint is another: keep what training changes in parameters and buffers "
    change += "of networks, and draw random numbers by torch"
    for term, value in expected.items():
        demand(torch.equal(found[term], value), f"the loss '{term}' differs, {found[term]} for {value}: {change}")
    after = kept(resumed)
    for name, value in kept(straight).items():
        demand(torch.equal(after[name], value), f"'{name}' differs: {change}")


def steps(trainer: Trainer, iterations: int) -> Losses:
    """Run a few iterations of all players and return the last losses."""
    losses: Losses = {}
    for _ in range(iterations):
        losses = trainer.step(everyone=True)
        trainer.meter.add(losses, trainer.engine.iteration)
    return losses


def kept(trainer: Trainer) -> dict[str, Tensor]:
    """Return all state that training changes."""
    engine = trainer.engine
    average = engine.average.state() if engine.average else {}
    return {**engine.nets.state_dict(), **engine.optimizers.state(), **{f"average {n}": v for n, v in average.items()}}


def check_images_without_data(gan: GAN, folder: RunFolder) -> None:
    """Check that the run folder alone gives images of the right form, whatever the batch size."""
    change = "makes no images from its run folder alone ({}): networks() and sample() may look at the DataSpec, the "
    with complaining(f"{change}options and the inputs, not at files or data"):
        trained = load(folder.path, device="cpu", gan=type(gan))
        with complaining("{}", UserError):  # its images cannot be requested: not the plugin's fault
            together = images(trained, IMAGES)
            apart = images(trained, 2)
    check_form(together, (IMAGES, *trained.data.shape))
    demand(
        torch.allclose(together, apart, rtol=0, atol=1e-3),
        "an image depends on those made beside it: in evaluation mode each may depend on its own inputs alone",
    )


def images(trained: TrainedGAN, batch_size: int) -> Tensor:
    """Return five images, made with this batch size."""
    if trained.takes_images:
        sources = torch.rand(IMAGES, *trained.data.source_shape, generator=torch.Generator().manual_seed(2)) * 2 - 1
        return trained.translate(sources, batch_size=batch_size)
    return trained.generate(IMAGES, batch_size=batch_size, text="a thing" if trained.takes_text else None)


def check_form(made: Tensor, expected: tuple[int, ...]) -> None:
    """Check that images have this shape and are in [-1, 1]."""
    demand(tuple(made.shape) == expected, f"sample() gives {tuple(made.shape)}; expected {expected}")
    low, high = made.min().item(), made.max().item()
    demand(
        -1 <= low <= high <= 1,
        f"sample() gives values from {low:.2f} to {high:.2f}; images are in [-1, 1]: end the generator in tanh",
    )
