"""What is kept of a GAN: a run that goes on from its folder is the same, and images need nothing but the folder."""

from pathlib import Path

import torch
from torch import Tensor

from ganzoo.api import load
from ganzoo.config import build
from ganzoo.engine import checkpoint, state
from ganzoo.engine.folder import RunFolder
from ganzoo.engine.resume import begin
from ganzoo.engine.run import write_down
from ganzoo.engine.training import Training
from ganzoo.errors import UserError
from ganzoo.gan import GAN
from ganzoo.generation.trained import TrainedGAN
from ganzoo.losses import Losses
from ganzoo.testing.demands import complaining, demand
from ganzoo.testing.trial import trial

__tracebackhide__ = True

HALF = 1, 2
"""Iterations before a checkpoint, and after it; the second number is that of a thorough check."""
IMAGES = 5


def check_keeping(gan: GAN, shape: tuple[int, int, int], place: Path, *, thorough: bool) -> None:
    """Demands that a run goes on as if it had not been stopped, and that its folder is enough to make images.

    Args:
        gan: the configuration.
        shape: of the images to train on.
        place: takes a run folder.
        thorough: make more than one iteration before and after the checkpoint.

    Raises:
        AssertionError: saying what is lost, or what images lack.
    """
    folder = RunFolder(place)
    check_resume(gan, shape, folder, HALF[thorough])
    check_images_without_data(gan, folder)


def check_resume(gan: GAN, shape: tuple[int, int, int], folder: RunFolder, half: int) -> None:
    """Demands that k iterations, a checkpoint and k more in another engine are 2 k straight, to the last bit."""
    changes = {"ema_images": 20, "lr_schedule": "cosine"}
    straight = trial(gan, shape, **changes)
    folder.create()
    write_down(straight, folder)
    steps(straight, half)
    checkpoint.write(folder.checkpoints, half, *state.capture(straight))
    expected = steps(straight, half)
    again = build(type(gan), gan.model_dump(mode="json"))  # with nothing that the first one may have remembered
    resumed = trial(again, shape, **changes)
    begin(resumed, folder)
    found = steps(resumed, half)
    change = "a run that goes on from a checkpoint is another: keep what training changes in parameters and buffers "
    change += "of networks, and draw random numbers by torch"
    for term, value in expected.items():
        demand(torch.equal(found[term], value), f"the loss '{term}' differs, {found[term]} for {value}: {change}")
    after = kept(resumed)
    for name, value in kept(straight).items():
        demand(torch.equal(after[name], value), f"'{name}' differs: {change}")


def steps(training: Training, iterations: int) -> Losses:
    """Iterations of all players; the last one's losses."""
    losses: Losses = {}
    for _ in range(iterations):
        losses = training.step(everyone=True)
        training.meter.add(losses, training.engine.iteration)
    return losses


def kept(training: Training) -> dict[str, Tensor]:
    """All that training changed."""
    engine = training.engine
    average = engine.average.state() if engine.average else {}
    return {**engine.nets.state_dict(), **engine.optimizers.state(), **{f"average {n}": v for n, v in average.items()}}


def check_images_without_data(gan: GAN, folder: RunFolder) -> None:
    """Demands images of the right form from the run folder alone, the same whatever the batch size."""
    change = "makes no images from its run folder alone ({}): networks() and sample() may look at the DataSpec, the "
    with complaining(f"{change}options and the inputs, not at files or data"):
        trained = load(folder.path, device="cpu", gan=type(gan))
        with complaining("{}", UserError):  # there is no way to ask for its images: no mistake of the plugin's
            together = images(trained, IMAGES)
            apart = images(trained, 2)
    check_form(together, (IMAGES, *trained.data.shape))
    demand(
        torch.allclose(together, apart, rtol=0, atol=1e-3),
        "an image depends on those made beside it: in evaluation mode each may depend on its own inputs alone",
    )


def images(trained: TrainedGAN, batch_size: int) -> Tensor:
    """Five images, made so many at a time."""
    if trained.takes_images:
        sources = torch.rand(IMAGES, *trained.data.source_shape, generator=torch.Generator().manual_seed(2)) * 2 - 1
        return trained.translate(sources, batch_size=batch_size)
    return trained.generate(IMAGES, batch_size=batch_size, text="a thing" if trained.takes_text else None)


def check_form(made: Tensor, expected: tuple[int, ...]) -> None:
    """Demands images of that shape in [-1, 1]."""
    demand(tuple(made.shape) == expected, f"sample() gives {tuple(made.shape)}; expected {expected}")
    low, high = made.min().item(), made.max().item()
    demand(
        -1 <= low <= high <= 1,
        f"sample() gives values from {low:.2f} to {high:.2f}; images are in [-1, 1]: end the generator in tanh",
    )
