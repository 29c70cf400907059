"""Parts of a trainer: batches, noise, the evaluation, and clear errors for batches that do not fit."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from torch import Tensor

from ganzoo.base.system import lacks_memory
from ganzoo.contract.data_spec import DataSpec
from ganzoo.data.in_memory import InMemoryLoader, fixed_latents
from ganzoo.data.load import Data
from ganzoo.data.loader import BatchLoader
from ganzoo.data.stream_loader import StreamLoader
from ganzoo.distributed.context import DistributedContext
from ganzoo.errors import OptionError, OutOfMemory
from ganzoo.metrics.evaluation import Evaluation
from ganzoo.metrics.setup import make_ready
from ganzoo.options.evaluation import EvaluationOptions
from ganzoo.options.run import RunOptions


def build_loader(options: RunOptions, data: Data, distributed: DistributedContext) -> BatchLoader:
    """Return this process's loader, of data in memory or of a stream."""
    device, shape = options.resolve_device(), options.gan.noise_shape()
    own = distributed.rank, distributed.world_size
    if data.stream is None:
        return InMemoryLoader(data.streams, options.batch_size, shape, options.seed, device, *own)
    return StreamLoader(data.stream, options.batch_size, shape, options.seed, device, options.workers, *own)


def build_evaluation(options: RunOptions, spec: DataSpec, data_dir: Path | None) -> Evaluation:
    """Return the evaluation during training: all default metrics, with the one that selects the best weights first.

    Raises:
        UserError: if it cannot be measured here, or its requirements are not available.
    """
    metric = (options.metric,) if options.metric else ()
    asked = EvaluationOptions(metric=metric, extractor=options.extractor, split=options.evaluate_split)
    most = options.evaluate_samples
    return make_ready(options.gan, options, spec, asked, options.resolve_device(), data_dir, most, and_usual=True)


def fixed_noise(count: int, shape: tuple[int, ...], seed: int) -> dict[str, Tensor]:
    """Return fixed `noise` for a batch, if the GAN takes any: row n of a seed is the same for any count."""
    return {"noise": fixed_latents(count, shape, seed)} if shape else {}


@contextmanager
def sized_for(options: RunOptions) -> Iterator[None]:
    """Replace PyTorch's errors about batches that are too small or too large by errors with advice.

    Raises:
        OptionError: in place of PyTorch's error. OutOfMemory: if memory is full.
    """
    batch, (height, width) = options.batch_size, options.image_size
    work = f"a batch of {batch} images of {height}x{width}"
    try:
        yield
    except ValueError as error:
        if "more than 1" not in str(error):  # text of BatchNorm's and InstanceNorm's error
            raise
        raise OptionError(
            f"{work} leaves a network nothing to normalise over; try --batch-size 2 or a larger --image-size"
        ) from error
    except (RuntimeError, MemoryError) as error:
        if options.deterministic and "deterministic" in str(error):
            raise OptionError(f"{str(error).splitlines()[0]}; leave --deterministic out") from error
        if not lacks_memory(error):
            raise
        raise OutOfMemory(f"there is not enough memory for {work} and {options.gan.name}'s networks") from error
