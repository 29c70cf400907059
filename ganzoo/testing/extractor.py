"""`check_extractor`: what every extractor of the zoo is held to."""

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
    """Holds an extractor to all that the zoo's own are held to.

    Its name, docs and options; features, and logits if it gives any, for images of any size with 1, 3 or 4 channels;
    the same every time, each image for itself; evaluation mode.

    Args:
        extractor: the class, checked with its default options, or a configuration.
        folder: where downloads are kept, weights among them; None: as everywhere.

    Raises:
        AssertionError: it does not keep the contract; the message says what to change.
        UserError: its weights cannot be had.
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
    """Demands features of each image, finite and the same whatever stands beside it."""
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
