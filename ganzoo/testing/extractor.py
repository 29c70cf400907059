"""`check_extractor`: checks of extractors."""

from pathlib import Path

import torch
from torch import Tensor, nn

from ganzoo.base.rng import seeded
from ganzoo.contract.extractor import Extractor
from ganzoo.data.load import data_folder
from ganzoo.metrics.features import FeatureBuffer
from ganzoo.testing.configuration import check_configuration, configured
from ganzoo.testing.demands import complaining, contract, demand
from ganzoo.testing.drawing import drawing

__tracebackhide__ = True

SHAPES = ((1, 28, 28), (3, 40, 32), (4, 32, 32))
IMAGES = 3


def check_extractor(extractor: type[Extractor] | Extractor, folder: Path | None = None) -> None:
    """Check everything that is expected of an extractor.

    Name, documentation and options; features, and logits if any, for images of any size with 1, 3 or 4 channels; the
    same every time, independent of the batch; evaluation mode.

    Args:
        extractor: class, checked with its default options, or a configuration.
        folder: download directory, also of weights (default: the usual one).

    Raises:
        AssertionError: if it breaks the contract; the message says what to change.
        UserError: if its weights are not available.
    """
    with drawing(), contract(), torch.no_grad():
        chosen = configured(extractor, Extractor)
        check_configuration(chosen)
        resizer = getattr(chosen, "resizer", "")
        demand(resizer, f"{type(chosen).__name__} has no `resizer`: say in words how it brings images to its size")
        network = chosen.build(data_folder(folder))
        demand(not network.training, "build() gives a network in training mode: return network.eval()")
        for shape in SHAPES:
            check_features(network, torch.rand((IMAGES, *shape), generator=seeded("seen")) * 2 - 1)


def check_features(network: nn.Module, images: Tensor) -> None:
    """Check that features are finite and independent of the rest of the batch."""
    form = " x ".join(map(str, images.shape))
    with complaining(f"fails on images of {form} ({{}}): it takes any size, and 1, 3 or 4 channels"):
        seen, alone = FeatureBuffer(network), FeatureBuffer(network)
        seen.look(images)
        for image in images:
            alone.look(image[None])
    for what in seen.kinds:
        rows = seen.of(what)
        demand(rows.isfinite().all(), f"its {what} of images of {form} are not finite")
        demand(
            torch.allclose(rows, alone.of(what), rtol=1e-3, atol=1e-3),
            f"its {what} of an image depend on the images beside it, or on chance: leave BatchNorm in evaluation mode, "
            "and draw nothing",
        )
