"""DINOv2 network for FD-DINOv2, as a vision transformer of torchvision."""

from pathlib import Path

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from ganzoo.contract.extractor import Extractor
from ganzoo.errors import DataError
from ganzoo.metrics.published_weights import PublishedWeights, Sha256

VITL14 = PublishedWeights(
    title="DINOv2",
    address="https://dl.fbaipublicfiles.com/dinov2/dinov2_vitl14/dinov2_vitl14_pretrain.pth",
    sha256="d5383ea8f4877b2472eb973e0fd72d557c7da5d3611bd527ceeb1d7162cbf428",
    megabytes=1218,
    by_place="--weights FILE",
    by_sha256="--extractor.sha256",
)
"""Official weights of the large network (ViT-L/14) without registers."""

PATCH, SIDE, HEAD = 14, 224, 64
"""Sides of a patch and of the input in pixels, and width of an attention head."""
OFFSET = 0.1
"""Offset that DINOv2's code adds to the number of patches per side when it resizes position embeddings."""


class DINOv2Features(nn.Module):
    """Class token of DINOv2 after the last normalization: 1,024 features of the large network.

    DINOv2 scales the output of each attention and each MLP by a learned vector (LayerScale), which torchvision's
    `VisionTransformer` lacks. As each such output is that of a linear layer, the vector is multiplied into that layer's
    weights: g (W x + b) = (g W) x + g b.

    Args:
        weights: weights by their names in DINOv2's code, which determine depth and width.

    Raises:
        KeyError, RuntimeError, ValueError: if they belong to another network.
    """

    def __init__(self, weights: dict[str, Tensor]) -> None:
        super().__init__()
        from torchvision.models import VisionTransformer  # slow: torchvision imports all models

        width = weights["cls_token"].shape[-1]
        depth = sum(name.endswith(".ls1.gamma") for name in weights)
        if width % HEAD or not depth:
            raise ValueError(f"it is no vision transformer with heads of {HEAD} and LayerScale")
        self.network = VisionTransformer(
            SIDE, PATCH, depth, width // HEAD, width, len(weights["blocks.0.mlp.fc1.bias"])
        )
        self.network.heads = nn.Identity()
        self.network.load_state_dict(renamed(weights, depth))
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1), persistent=False)
        self.mean: Tensor
        self.std: Tensor

    def forward(self, images: Tensor) -> Tensor:
        """Return the features, N x D, of images, N x 1, 3 or 4 x H x W in [-1, 1]; opacity is ignored."""
        colors = images.expand(-1, 3, -1, -1) if images.shape[1] == 1 else images[:, :3]
        if colors.shape[2:] != (SIDE, SIDE):
            colors = F.interpolate(colors, (SIDE, SIDE), mode="bicubic", antialias=True).clamp(-1, 1)
            colors = ((colors + 1) * 127.5).round() / 127.5 - 1  # to 8 bits, as in the paper's code
        features: Tensor = self.network(((colors + 1) / 2 - self.mean) / self.std)
        return features


def renamed(weights: dict[str, Tensor], depth: int) -> dict[str, Tensor]:
    """Rename DINOv2's weights to those of torchvision's `VisionTransformer`, with LayerScale multiplied in."""
    found = {
        "class_token": weights["cls_token"],
        "conv_proj.weight": weights["patch_embed.proj.weight"],
        "conv_proj.bias": weights["patch_embed.proj.bias"],
        "encoder.pos_embedding": positions(weights["pos_embed"], SIDE // PATCH),
        "encoder.ln.weight": weights["norm.weight"],
        "encoder.ln.bias": weights["norm.bias"],
    }
    for number in range(depth):
        theirs, own = f"blocks.{number}", f"encoder.layers.encoder_layer_{number}"
        attention, perceptron = (weights[f"{theirs}.{scale}.gamma"] for scale in ("ls1", "ls2"))
        for end in ("weight", "bias"):
            found[f"{own}.ln_1.{end}"] = weights[f"{theirs}.norm1.{end}"]
            found[f"{own}.ln_2.{end}"] = weights[f"{theirs}.norm2.{end}"]
            found[f"{own}.self_attention.in_proj_{end}"] = weights[f"{theirs}.attn.qkv.{end}"]
            found[f"{own}.mlp.0.{end}"] = weights[f"{theirs}.mlp.fc1.{end}"]
            for layer, scale, name in (
                ("attn.proj", attention, "self_attention.out_proj"),
                ("mlp.fc2", perceptron, "mlp.3"),
            ):
                held = weights[f"{theirs}.{layer}.{end}"]
                found[f"{own}.{name}.{end}"] = scale[:, None] * held if end == "weight" else scale * held
    return found


def positions(embedding: Tensor, side: int) -> Tensor:
    """Resize position embeddings to `side` patches per side, 1 x (1 + side^2) x D, the class token's first.

    Bicubic, as in DINOv2's code.
    """
    trained = round((embedding.shape[1] - 1) ** 0.5)
    if trained == side:
        return embedding
    grid = embedding[:, 1:].unflatten(1, (trained, trained)).permute(0, 3, 1, 2)
    scale = (side + OFFSET) / trained
    resized = F.interpolate(grid.float(), scale_factor=(scale, scale), mode="bicubic")
    return torch.cat([embedding[:, :1], resized.permute(0, 2, 3, 1).flatten(1, 2)], 1)


class DINOv2(Extractor):
    """DINOv2 (ViT-L/14), whose features match human judgment better than Inception's: FD-DINOv2 is their `fid`.

    Stein et al., 2023, arXiv:2306.04675; the network is that of Oquab et al., 2023, arXiv:2304.07193. Its weights are
    downloaded once (1.2 GB), unless `weights` names a file.
    """

    kind = "dinov2"
    resizer = f"bicubic, antialiased, to {SIDE} x {SIDE}, in 8 bits"
    places = frozenset({"weights", "sha256"})

    weights: Path | None = Field(None, description="file of the weights, .pth or .safetensors")
    sha256: Sha256 | None = Field(None, description="SHA-256 of that file, if it is not the standard one")

    def build(self, folder: Path) -> nn.Module:
        weights = VITL14.load(folder, self.weights, self.sha256)
        try:
            return DINOv2Features(weights).eval()
        except (KeyError, IndexError, RuntimeError, ValueError) as error:  # from names and shapes
            if self.weights is None:  # not the user's mistake
                raise
            reason = " ".join(str(error).split())[:120]
            raise DataError(f"'{self.weights}' holds the weights of another network: {reason}") from error
