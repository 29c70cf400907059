"""Inception network for FID, KID and the Inception score."""

from io import BytesIO
from pathlib import Path

import torch
from pydantic import Field
from torch import Tensor, nn

from ganzoo.contract.extractor import Extractor
from ganzoo.errors import DataError
from ganzoo.metrics.library import library
from ganzoo.metrics.published_weights import PublishedWeights, Sha256

STANDARD = PublishedWeights(
    title="Inception",
    address="https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/"
    "weights-inception-2015-12-05-6726825d.pth",
    sha256="6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
    megabytes=96,
    by_place="--weights FILE",
    by_sha256="--extractor.sha256",
)
"""Weights of TensorFlow's network of 2015-12-05, converted: those of published figures."""


class InceptionV3(nn.Module):
    """torch-fidelity's network: 2,048 features before the last layer, and 1,008 logits without their bias."""

    def __init__(self, weights: dict[str, Tensor]) -> None:
        super().__init__()
        kind = library("torch_fidelity.feature_extractor_inceptionv3").FeatureExtractorInceptionV3
        # It unpickles any file it is given: here one just written, with tensors only.
        file = BytesIO()
        torch.save(weights, file)
        file.seek(0)
        self.network = kind("inception-v3-compat", ["2048", "logits_unbiased"], feature_extractor_weights_path=file)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return features and logits of images, N x 1, 3 or 4 x H x W in [-1, 1]; opacity is ignored."""
        colours = images.expand(-1, 3, -1, -1) if images.shape[1] == 1 else images[:, :3]
        features, logits = self.network(((colours + 1) * 127.5).round().to(torch.uint8))
        return features, logits


class Inception(Extractor):
    """Inception v3 with the standard weights, downloaded once (96 MB), unless `weights` names a file."""

    kind = "inception"
    resizer = "bilinear to 299 x 299 as TensorFlow 1 does it"
    places = frozenset({"weights", "sha256"})

    weights: Path | None = Field(None, description="file of the weights, .pth or .safetensors")
    sha256: Sha256 | None = Field(None, description="SHA-256 of that file, if it is not the standard one")

    def build(self, folder: Path) -> nn.Module:
        weights = STANDARD.load(folder, self.weights, self.sha256)
        try:
            return InceptionV3(weights).eval()
        except RuntimeError as error:  # PyTorch's, about names and shapes
            if self.weights is None:  # not the user's mistake
                raise
            reason = " ".join(str(error).split())[:120]
            raise DataError(f"'{self.weights}' holds the weights of another network: {reason}") from error
