"""VGG16 network for precision and recall."""

from io import BytesIO
from pathlib import Path

import torch
from pydantic import Field
from torch import Tensor, nn

from ganzoo.contract.extractor import Extractor
from ganzoo.errors import DataError
from ganzoo.metrics.library import library
from ganzoo.metrics.published_weights import PublishedWeights, Sha256

TORCHVISION = PublishedWeights(
    title="VGG16",
    address="https://download.pytorch.org/models/vgg16-397923af.pth",
    sha256="397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
    megabytes=553,
    by_place="--weights FILE",
    by_sha256="--extractor.sha256",
)
"""torchvision's weights, trained on ImageNet."""


class VGGFeatures(nn.Module):
    """torch-fidelity's network: 4,096 features of the second dense layer, after the activation."""

    def __init__(self, weights: dict[str, Tensor]) -> None:
        super().__init__()
        kind = library("torch_fidelity.feature_extractor_vgg16").FeatureExtractorVGG16
        # It unpickles any file it is given: here one just written, with tensors only.
        file = BytesIO()
        torch.save(weights, file)
        file.seek(0)
        self.network = kind("vgg16", ["fc2_relu"], feature_extractor_weights_path=file)

    def forward(self, images: Tensor) -> Tensor:
        """Return features of images, N x 1, 3 or 4 x H x W in [-1, 1]; opacity is ignored."""
        colors = images.expand(-1, 3, -1, -1) if images.shape[1] == 1 else images[:, :3]
        (features,) = self.network(((colors + 1) * 127.5).round().to(torch.uint8))
        return features


class VGG16(Extractor):
    """VGG16 up to its second dense layer, for precision and recall as in papers, with torchvision's weights.

    Kynkäänniemi et al., 2019, arXiv:1904.06991, and NVIDIA's code use these 4,096 features, with the original weights;
    torchvision's were trained independently, so figures are close, but not the same. They are downloaded once (553 MB),
    unless `weights` names a file.
    """

    kind = "vgg16"
    resizer = "bilinear to 224 x 224 as TensorFlow 1 does it"
    places = frozenset({"weights", "sha256"})

    weights: Path | None = Field(None, description="file of the weights, .pth or .safetensors")
    sha256: Sha256 | None = Field(None, description="SHA-256 of that file, if it is not the standard one")

    def build(self, folder: Path) -> nn.Module:
        weights = TORCHVISION.load(folder, self.weights, self.sha256)
        try:
            return VGGFeatures(weights).eval()
        except RuntimeError as error:  # PyTorch's, about names and shapes
            if self.weights is None:  # not the user's mistake
                raise
            reason = " ".join(str(error).split())[:120]
            raise DataError(f"'{self.weights}' holds the weights of another network: {reason}") from error
