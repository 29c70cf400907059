"""Graphs as files, each compared with PyTorch before it is given to anybody."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor

from ganzoo import TrainedGAN
from ganzoo.errors import UserError, check_installed
from ganzoo_export.trace import OUTPUT, ImageMaker, Traced, quiet

ONNX, PT2 = "model.onnx", "model.pt2"
SIZES = (1, 5)
"""Batches that are compared; neither is the size that was traced."""
MOST = 1e-3
"""The largest difference of a value in [-1, 1] that is taken for rounding."""

Images = Callable[[dict[str, Tensor]], Tensor]
"""Inputs by name to images."""


def check_onnx() -> None:
    """Refuses to begin what could not be finished.

    Raises:
        UserError: a library is missing.
    """
    check_installed("--format onnx", "onnx", "onnx", "onnxruntime", "onnxscript")


def write_onnx(traced: Traced, trained: TrainedGAN, folder: Path) -> float:
    """Writes the graph as ONNX, and gives the largest difference between what onnxruntime and PyTorch make of it.

    Raises:
        UserError: it cannot be had, or differs too much.
    """
    import onnxruntime

    file = folder / ONNX
    names = list(traced.shapes)
    with quiet():
        try:
            exported = torch.onnx.export(
                traced.program, dynamo=True, verbose=False, input_names=names, output_names=[OUTPUT]
            )
        except Exception as error:  # it has no words of its own for what it cannot do
            reason = next(iter(str(error.__cause__ or error).splitlines()), "")
            raise UserError(
                f"'{trained.gan.name}' cannot be exported as ONNX: {reason}; --format torchexport may do"
            ) from error
        assert exported is not None  # noqa: S101 - with dynamo, it never is
        for value in (*exported.model.graph.inputs, *exported.model.graph.outputs):
            if value.shape is not None and traced.shapes.get(str(value.name), (None,))[0] is None:
                value.shape[0] = "batch"
        with _usable("onnxruntime"):
            exported.save(file, external_data=False)
            options = onnxruntime.SessionOptions()
            options.log_severity_level = 3  # errors
            session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])

    def run(inputs: dict[str, Tensor]) -> Tensor:
        (images,) = session.run([OUTPUT], {name: value.numpy() for name, value in inputs.items()})
        return torch.from_numpy(images)

    return compare("onnxruntime", run, traced, trained)


def write_torchexport(traced: Traced, trained: TrainedGAN, folder: Path) -> float:
    """Writes the graph as PyTorch's own archive, and gives the largest difference of what is read back from it.

    Raises:
        UserError: it differs.
    """
    with quiet(), _usable("the archive"):
        torch.export.save(traced.program, folder / PT2)
        module = torch.export.load(folder / PT2).module()
    return compare("the archive", lambda inputs: module(**inputs), traced, trained)


def compare(what: str, run: Images, traced: Traced, trained: TrainedGAN) -> float:
    """The largest difference between the images that a file and the GAN itself make, at batches of several sizes.

    A GAN that draws random numbers as it makes images is compared as the graph in which these are inputs.

    Raises:
        UserError: it is more than rounding, or the file cannot be run.
    """
    original = (lambda inputs: traced.program.module()(**inputs)) if traced.drawn else maker(trained)
    worst = 0.0
    for size in SIZES:
        inputs = traced.inputs(trained, size)
        with torch.no_grad(), quiet(), _usable(what):
            expected, made = original(inputs), run(inputs)
        if made.shape != expected.shape:
            raise UserError(f"{what} makes images of shape {tuple(made.shape)}, PyTorch of {tuple(expected.shape)}")
        difference = (made - expected).abs().max().item()
        # NaN is the worst of all, and max() would lose it.
        worst = difference if math.isnan(difference) else max(worst, difference)
        if not worst <= MOST:
            raise UserError(
                f"'{trained.gan.name}' was not exported: {what} and PyTorch differ by {worst:.2g}, more than the "
                f"{MOST:g} that is rounding. An operation of its networks is exported wrongly; --format safetensors "
                "exports the weights"
            )
    return worst


@contextmanager
def _usable(what: str) -> Iterator[None]:
    """Within, says what it means that a file cannot be written, read or run.

    Raises:
        UserError: in place of the runtime's own error.
    """
    try:
        yield
    except OSError:  # of the disk
        raise
    except Exception as error:  # of a runtime that cannot do what the file asks
        raise UserError(f"what was exported cannot be run by {what}: {' '.join(str(error).split())}") from error


def maker(trained: TrainedGAN) -> Images:
    """The GAN in PyTorch as a function of inputs by name: what a file is compared with.

    It gives N x C x H x W in [-1, 1].
    """
    module = ImageMaker(trained.gan, trained.nets)
    return lambda inputs: module(**inputs)


def shown(shapes: Mapping[str, tuple[int | None, ...]]) -> dict[str, list[int | str]]:
    """Shapes as JSON has them."""
    return {name: ["batch" if side is None else side for side in shape] for name, shape in shapes.items()}
