"""Checks of a GAN's networks: registered state, and images of any size, or an error with sizes that work."""

import re
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn

from ganzoo.contract.batch import Batch
from ganzoo.contract.data_spec import DataSpec
from ganzoo.contract.gan import GAN
from ganzoo.contract.networks import Networks
from ganzoo.data.example import example_batch, example_spec
from ganzoo.engine.engine import Engine
from ganzoo.errors import SizeError
from ganzoo.options.performance import PerformanceOptions
from ganzoo.testing.demands import brief, complaining, demand
from ganzoo.testing.keeping import check_form

__tracebackhide__ = True

SIZE = r"\d+(?:x\d+)?"
SIZES = re.compile(rf"--image-size {SIZE}(?:(?:, | or |, or ){SIZE})*")
"""Sizes in a SizeError: `--image-size 32x64`, `--image-size 48 or 64`."""


def check_other_shapes(gan: GAN, shape: tuple[int, int, int]) -> None:
    """Check that images of other sizes and channels work, or raise an error with sizes that do.

    Raises:
        AssertionError: naming the shape.
    """
    channels, height, width = shape
    unit = gan.scale_factor
    for other in (
        (3 if channels == 1 else 1, height, 2 * width),
        (4, 2 * height, width),
        (channels, max(1, height // unit - 2) * unit, width + 6 * unit),
    ):
        check_shape(gan, other)


def check_registered(nets: Networks) -> None:
    """Check that all tensors and layers are registered, so that they are moved to the device and saved."""
    known = {*nets.modules(), *nets.parameters(), *nets.buffers()}
    for path, module in nets.named_modules():
        if type(module).__module__.partition(".")[0] == "torch":
            continue
        for name, value in vars(module).items():
            if name in ("_parameters", "_buffers", "_modules"):
                continue
            held = list(_held(value))
            if isinstance(value, Tensor) or any(isinstance(part, Tensor) and part not in known for part in held):
                change = "self.register_buffer(...) for what stays, nn.Parameter for what is trained"
                demand(value in known if isinstance(value, Tensor) else False, _lost(path, name, "tensor", change))
            lost = any(isinstance(part, nn.Module) and part not in known for part in held)
            demand(not lost, _lost(path, name, "layer", "nn.ModuleList for a list of them, nn.ModuleDict for a dict"))


def _held(value: object) -> Iterator[object]:
    """Yield the contents of a plain container."""
    parts: Iterable[object] = value.values() if isinstance(value, dict) else ()
    return iter(value if isinstance(value, list | tuple | set) else parts)


def _lost(path: str, name: str, kind: str, change: str) -> str:
    return f"'{path}.{name}' holds a {kind} that is not registered, so it is neither saved nor moved to a GPU: {change}"


def check_shape(gan: GAN, shape: tuple[int, int, int]) -> None:
    """Check that a GAN trains on images of a shape and makes them, or that its SizeError names sizes that work."""
    said = "x".join(map(str, shape[1:]))
    fits = _built(gan, shape)
    if isinstance(fits, SizeError):
        advice = str(fits).partition("try --")[2]
        demand(advice, f"its SizeError for {said} does not say what to type: end it in 'try --image-size 64x64'")
        sizes = advised(fits)  # one network may not support a size that another suggests
        demand(
            not sizes or any(not isinstance(_built(gan, (shape[0], *size)), SizeError) for size in sizes),
            f"its SizeError for {said} advises {advice}, which it refuses as well",
        )
        return
    spec, nets = fits
    change = f"fails on images of {' x '.join(map(str, shape))} (channels, height, width; {{}}): build networks by "
    with complaining(
        f"{change}data.shape, or raise ganzoo.SizeError that names sizes that work", RuntimeError, ValueError
    ):
        engine = Engine(gan, nets, speed=PerformanceOptions.plain())
        engine.step(example_batch(spec, gan.noise_shape()), everyone=True)
        batch = example_batch(spec, gan.noise_shape())
        check_form(engine.sample(inputs(gan, batch)), (4, *shape))


def advised(error: SizeError) -> list[tuple[int, int]]:
    """Return the heights and widths that an error suggests, as in `--image-size`: 64 is 64x64."""
    found = [size.partition("x") for said in SIZES.findall(str(error)) for size in re.findall(SIZE, said)]
    return [(int(height), int(width or height)) for height, _, width in found]


def check_taken(gan: GAN, shape: tuple[int, int, int]) -> None:
    """Check that a GAN supports the shape used by the other checks."""
    try:
        gan.build(example_spec(gan.needs, shape, gan.scale_factor))
    except SizeError as error:
        other = (shape[0], *next(iter(advised(error)), (64, 64)))
        raise AssertionError(
            f"it takes no images of {' x '.join(map(str, shape))} ({brief(error)}): give check_gan a shape that it "
            f"takes, check_gan({type(gan).__name__}, {other})"
        ) from error


def _built(gan: GAN, shape: tuple[int, int, int]) -> tuple[DataSpec, Networks] | SizeError:
    spec = example_spec(gan.needs, shape, gan.scale_factor)
    change = f"fails to build networks for images of {' x '.join(map(str, shape))} (channels, height, width; {{}}): "
    try:
        with complaining(f"{change}raise ganzoo.SizeError that names sizes that work", RuntimeError, ValueError):
            return spec, gan.build(spec)
    except SizeError as error:
        return error


def inputs(gan: GAN, batch: Batch) -> Batch:
    """Return the fields of a batch that `sample` may read."""
    names = (gan.needs & gan.inputs) | {"noise", "step"}
    return Batch(**{name: value for name, value in batch.items() if name in names})


def check_sample(gan: GAN, shape: tuple[int, int, int]) -> None:
    """Check that state is registered, and that sampling needs only the inputs and changes nothing."""
    spec = example_spec(gan.needs, shape, gan.scale_factor)
    nets = gan.build(spec)
    check_registered(nets)
    engine = Engine(gan, nets, speed=PerformanceOptions.plain())
    batch = example_batch(spec, gan.noise_shape())
    before = {name: value.clone() for name, value in engine.nets.state_dict().items()}
    change = "sample() reads more than its inputs: {}; define sample(), or name them in `inputs`"
    with complaining(change, AttributeError, KeyError):
        made = engine.sample(inputs(gan, batch))
    check_form(made, (4, *spec.shape))
    after = engine.nets.state_dict()
    changed = [name for name, value in before.items() if not torch.equal(value, after[name])]
    demand(not changed, f"sampling changed {', '.join(changed)}; in evaluation mode nothing may change")
