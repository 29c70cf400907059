"""What is kept of a GAN: a run that goes on from its folder is the same, and images need nothing but the folder."""

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

HALF = 2
"""Iterations before a checkpoint, and after it."""
IMAGES = 5


def check_keeping(gan: GAN, shape: tuple[int, int, int], place: Path) -> None:
    """Demands that a run goes on as if it had not been stopped, and that its folder is enough to make images.

    Args:
        gan: the configuration.
        shape: of the images to train on.
        place: takes a run folder.

    Raises:
        AssertionError: saying what is lost, or what images lack.
    """
    folder = RunFolder(place)
    check_resume(gan, shape, folder)
    check_images_without_data(gan, folder)


def check_resume(gan: GAN, shape: tuple[int, int, int], folder: RunFolder) -> None:
    """Demands that k iterations, a checkpoint and k more in another engine are 2 k straight, to the last bit."""
    changes = {"ema_images": 20, "lr_schedule": "cosine"}
    straight = trial(gan, shape, **changes)
    folder.create()
    write_down(straight, folder)
    steps(straight)
    checkpoint.write(folder.checkpoints, HALF, *straight.state_dict())
    expected = steps(straight)
    again = validate(type(gan), gan.model_dump(mode="json"))  # with nothing that the first one may have remembered
    resumed = trial(again, shape, **changes)
    resume_or_initialize(resumed, folder)
    found = steps(resumed)
    change = "a run that goes on from a checkpoint is another: keep what training changes in parameters and buffers "
    change += "of networks, and draw random numbers by torch"
    for term, value in expected.items():
        demand(torch.equal(found[term], value), f"the loss '{term}' differs, {found[term]} for {value}: {change}")
    after = kept(resumed)
    for name, value in kept(straight).items():
        demand(torch.equal(after[name], value), f"'{name}' differs: {change}")


def steps(trainer: Trainer) -> Losses:
    """Some iterations of all players; the last one's losses."""
    losses: Losses = {}
    for _ in range(HALF):
        losses = trainer.step(everyone=True)
        trainer.meter.add(losses, trainer.engine.iteration)
    return losses


def kept(trainer: Trainer) -> dict[str, Tensor]:
    """All that training changed."""
    engine = trainer.engine
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
