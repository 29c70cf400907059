"""Perceptual features: a pretrained network as a measure of similarity."""

import logging
import zipfile
from pathlib import Path
from typing import Literal, TypeAlias
from urllib.error import URLError

import torch
from torch import Tensor, nn

from ganzoo.blocks.sizes import check_size
from ganzoo.contract.networks import Pretrained
from ganzoo.errors import DataError

log = logging.getLogger(__name__)

VGGLayer: TypeAlias = Literal["2_2", "5_4"]
"""Layer of VGG19: the second convolution before the second pooling, or the fourth before the fifth."""

STAGES = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))
"""Channels and number of VGG19's convolutions before each pooling (Simonyan and Zisserman, 2014, arXiv:1409.1556)."""


class VGGFeatures(Pretrained):
    """VGG19's features of images, pretrained on ImageNet, up to a layer (Ledig et al., 2016, arXiv:1609.04802, eq. 5).

    The weights are read from torchvision's file. If it is missing, they are random until `fetch` downloads it.

    Args:
        shape: channels, height and width of the images. Gray images are repeated to three channels; opacity is ignored.
        layer: layer of the features.
        otherwise: alternative to a failed download, for the end of a message.

    Raises:
        SizeError: the images are too small for the layer.
        DataError: the file exists, but has other content.
    """

    def __init__(self, shape: tuple[int, int, int], layer: VGGLayer = "5_4", *, otherwise: str = "") -> None:
        super().__init__()
        self.otherwise = otherwise
        stage, convolutions = map(int, layer.split("_"))
        check_size(f"VGG19 up to layer {layer}", shape, multiple=1, least=2 ** (stage - 1))
        layers: list[nn.Module] = []
        channels = 3
        for number, (features, count) in enumerate(STAGES[:stage], 1):
            for _ in range(convolutions if number == stage else count):
                layers += [nn.Conv2d(channels, features, 3, padding=1), nn.ReLU()]
                channels = features
            if number < stage:
                layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1))
        self.mean: Tensor
        self.std: Tensor
        self._is_read = False
        if vgg_is_at_hand():
            self._read()

    def forward(self, image: Tensor) -> Tensor:
        """Map images, N x C x H x W in [-1, 1], to features after the activation, N x channels x h x w."""
        colours = image.expand(-1, 3, -1, -1) if image.shape[1] == 1 else image[:, :3]
        return self.features(((colours + 1) / 2 - self.mean) / self.std)

    def fetch(self) -> None:
        """Download the weights, 548 MiB, if not read yet.

        Raises:
            DataError: they are not available.
        """
        if self._is_read:
            return
        if vgg_is_at_hand():  # another process has downloaded it
            self._read()
            return
        file = vgg_file()
        log.info("downloading the weights of VGG19 to %s", file)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(_address(), str(file), file.stem.partition("-")[2], progress=False)
        except (URLError, OSError, RuntimeError) as error:
            raise DataError(
                f"the weights of VGG19 cannot be downloaded from {_address()} ({' '.join(str(error).split())}); "
                f"put the file into {file.parent}{self.otherwise}"
            ) from error
        self._read()

    def _read(self) -> None:
        file, own = vgg_file(), self.features.state_dict()
        # 548 MiB, most of them in linear layers. Only torch's zip format can be read in part.
        in_part = zipfile.is_zipfile(file)
        try:
            held = torch.load(file, map_location="cpu", weights_only=True, mmap=in_part)
            self.features.load_state_dict({name: held[f"features.{name}"] for name in own})
            self._is_read = True
        except Exception as error:  # torch raises many kinds of errors on other files
            reason = " ".join(str(error).split())[:120]
            raise DataError(f"{file} does not hold the weights of VGG19 ({reason}); remove it") from error


def vgg_file() -> Path:
    """Return torchvision's file of VGG19's weights, in $TORCH_HOME/hub/checkpoints."""
    return Path(torch.hub.get_dir()) / "checkpoints" / Path(_address()).name


def vgg_is_at_hand() -> bool:
    """Whether the weights of VGG19 are already downloaded."""
    return vgg_file().is_file()


def _address() -> str:
    from torchvision.models import VGG19_Weights  # on demand, as importing all models is slow

    return str(VGG19_Weights.IMAGENET1K_V1.url)
