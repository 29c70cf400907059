"""From a trained GAN to one graph of tensors: what makes images, as other programs can run it.

The graph computes `gan.sample` in evaluation mode, for any number of images. What depends on weights alone is computed
here, once and for all; random numbers that `sample` draws by itself become inputs; and what makes no images, such as
the discriminator, is not in it.
"""

import io
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from ganzoo import GAN, Batch, Discriminator, Networks, TrainedGAN
from ganzoo.data import example_batch
from ganzoo.errors import UserError
from ganzoo_export.fold import RANDOM, changes_in_place, draws, fold, give_random_numbers, trim

OUTPUT = "image"
"""What the graph's result is called: N x C x H x W in [-1, 1]."""
TRACED = 3
"""Images of the batch that is traced: 0 and 1 are special to torch, as tensors of one row can be repeated."""
NOISE = "noise"


class ImageMaker(nn.Module):
    """What makes a GAN's images, as a module of tensors.

    Args:
        gan: whose `sample` it is.
        nets: with its weights; in evaluation mode.
    """

    def __init__(self, gan: GAN, nets: Networks) -> None:
        super().__init__()
        self.gan = gan
        self.nets = nets

    def forward(self, **fields: Tensor) -> Tensor:
        """The fields of a batch, by name, to images, N x C x H x W in [-1, 1]."""
        return self.gan.sample(self.nets, Batch(**fields, step=torch.zeros((), dtype=torch.int64))).float()


@dataclass(frozen=True)
class Parts:
    """What a GAN's images are made of."""

    shapes: dict[str, tuple[int | None, ...]]
    """Of the inputs, by name and in order: None is how many images are made."""
    networks: frozenset[str]
    """The networks that have a part in it."""

    @property
    def drawn(self) -> tuple[str, ...]:
        """Inputs that stand for random numbers that the GAN draws as it makes images."""
        return tuple(name for name in self.shapes if name.startswith(RANDOM))

    def inputs(self, trained: TrainedGAN, count: int) -> dict[str, Tensor]:
        """Made-up inputs for so many images."""
        given = made_up(trained, count)
        return {
            name: given[name] if name in given else _drawn(name, [count if side is None else side for side in shape])
            for name, shape in self.shapes.items()
        }


@dataclass(frozen=True)
class Traced(Parts):
    """The graph of a GAN's images."""

    program: ExportedProgram
    """Takes the inputs by name."""


def input_names(gan: GAN) -> list[str]:
    """What its images are made from, as fields of a batch."""
    return [*([NOISE] if gan.noise_shape() else []), *sorted(gan.needs & gan.inputs)]


def made_up(trained: TrainedGAN, count: int) -> dict[str, Tensor]:
    """Random inputs for so many images, by name, and not of what else the data has, of any size."""
    names = input_names(trained.gan)
    shapes = {name: trained.data.shapes[name] for name in names if name != NOISE}
    given = example_batch(trained.data.model_copy(update={"shapes": shapes}), trained.gan.noise_shape(), count)
    return {name: given[name] for name in names}


def untraced(trained: TrainedGAN) -> Parts:
    """Inputs and networks of a GAN that cannot be traced.

    They are all networks but discriminators, which may be more than its images take.
    """
    networks = (name for name, network in trained.nets.named_children() if not isinstance(network, Discriminator))
    return Parts(_shapes(made_up(trained, TRACED)), frozenset(networks))


def trace(trained: TrainedGAN) -> Traced:
    """The graph of what a GAN makes images with; it is left on the CPU.

    Raises:
        UserError: it cannot be had, and why.
    """
    maker = ImageMaker(trained.gan, trained.nets).cpu().eval()
    inputs = made_up(trained, TRACED)
    shapes = _shapes(inputs)
    with torch.no_grad(), quiet(), _explained(trained.gan):
        captured = torch.export.export(maker, (), inputs, dynamic_shapes={"fields": _dynamic(shapes)})
        if changes_in_place(captured.graph):
            captured = captured.run_decompositions({})
        module = captured.module(check_guards=False)
        needed = trim(module)
        shapes |= give_random_numbers(module.graph)
        module = fold(module)
        if drawn := draws(module.graph):
            raise UserError(
                f"'{trained.gan.name}' cannot be exported as a graph: it draws random numbers as it makes images, by "
                f"{drawn[0]}; a GAN's `sample` is to take them from `batch.noise`. The weights can be: --format "
                "safetensors"
            )
        inputs |= {
            name: _drawn(name, [TRACED if side is None else side for side in shape])
            for name, shape in shapes.items()
            if name not in inputs
        }
        program = torch.export.export(module, (), inputs, dynamic_shapes=_dynamic(shapes))
    networks = {name.split(".")[1] for name in needed if name.startswith("nets.")}
    return Traced(shapes, frozenset(networks), program)


@contextmanager
def quiet() -> Iterator[None]:
    """Within, exporters do not talk of themselves: what they have to say that matters is an exception."""
    said = io.StringIO()
    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), redirect_stdout(said), redirect_stderr(said):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)


def _shapes(inputs: Mapping[str, Tensor]) -> dict[str, tuple[int | None, ...]]:
    return {name: (None, *value.shape[1:]) for name, value in inputs.items()}


def _dynamic(shapes: Mapping[str, Sequence[int | None]]) -> dict[str, dict[int, Dim]]:
    batch = Dim("batch")
    return {name: {place: batch for place, side in enumerate(shape) if side is None} for name, shape in shapes.items()}


def _drawn(name: str, shape: Sequence[int]) -> Tensor:
    return torch.randn(*shape) if "normal" in name else torch.rand(*shape)


@contextmanager
def _explained(gan: GAN) -> Iterator[None]:
    """Within, says what it means that something cannot be traced; torch's own words come after that."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:  # a plugin's code under torch's tracer raises anything
        words = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise UserError(
            f"'{gan.name}' cannot be exported as a graph for any number of images: {words.strip()}\n"
            "its `sample` must not ask how many rows a tensor has by len(), but by .shape[0], nor look at values; "
            "the weights can be exported: --format safetensors"
        ) from error
