"""VGG16 and DINOv2: the networks that papers know, from files of weights in the form in which these are published.

The published weights are too large for tests: these are random ones of the same names and shapes, and, of DINOv2, of a
network that is less deep and wide.
"""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

import ganzoo
from ganzoo.contract.extractor import Extractor
from ganzoo.metrics.dinov2 import VITL14, DINOv2, positions
from ganzoo.metrics.published_weights import PublishedWeights
from ganzoo.metrics.vgg import TORCHVISION, VGG16
from ganzoo.testing import check_extractor

pytestmark = pytest.mark.slow

WIDTH, DEPTH, TRAINED = 128, 3, 37
"""Numbers of a patch, blocks, and patches of a side when DINOv2 was trained: 518 pixels."""


def saved(weights: dict[str, Tensor], file: Path) -> dict[str, object]:
    """Options of an extractor with those weights."""
    safetensors.torch.save_file({name: value.contiguous() for name, value in weights.items()}, file)
    return {"weights": file, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}


@pytest.fixture(scope="module")
def dino() -> dict[str, Tensor]:
    """Random weights under the names of `dinov2_vitl14_pretrain.pth`."""
    generator = torch.Generator().manual_seed(0)

    def drawn(*shape: int, spread: float = 0.1) -> Tensor:
        return spread * torch.randn(shape, generator=generator)

    found = {
        "cls_token": drawn(1, 1, WIDTH),
        "pos_embed": drawn(1, 1 + TRAINED**2, WIDTH),
        "mask_token": drawn(1, WIDTH),
        "patch_embed.proj.weight": drawn(WIDTH, 3, 14, 14),
        "patch_embed.proj.bias": drawn(WIDTH),
        "norm.weight": 1 + drawn(WIDTH),
        "norm.bias": drawn(WIDTH),
    }
    for number in range(DEPTH):
        for name, shape in {
            "norm1": (WIDTH,),
            "norm2": (WIDTH,),
            "attn.qkv": (3 * WIDTH, WIDTH),
            "attn.proj": (WIDTH, WIDTH),
            "mlp.fc1": (4 * WIDTH, WIDTH),
            "mlp.fc2": (WIDTH, 4 * WIDTH),
        }.items():
            found[f"blocks.{number}.{name}.weight"] = drawn(*shape, spread=0.2)
            found[f"blocks.{number}.{name}.bias"] = drawn(shape[0])
        for scale in ("ls1", "ls2"):
            found[f"blocks.{number}.{scale}.gamma"] = drawn(WIDTH, spread=1.0)
    return found


def written_out(weights: dict[str, Tensor], images: Tensor) -> Tensor:
    """The equations of DINOv2's vision transformer for images of 224 x 224, LayerScale where the paper has it."""
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    pixels = ((images + 1) / 2 - mean) / std
    patches = F.unfold(pixels, 14, stride=14).transpose(1, 2)
    x = patches @ weights["patch_embed.proj.weight"].flatten(1).T + weights["patch_embed.proj.bias"]
    x = torch.cat([weights["cls_token"].expand(len(x), -1, -1), x], 1) + positions(weights["pos_embed"], 16)
    for number in range(DEPTH):
        own = {
            name.removeprefix(f"blocks.{number}."): value
            for name, value in weights.items()
            if name.startswith(f"blocks.{number}.")
        }
        seen = F.layer_norm(x, (WIDTH,), own["norm1.weight"], own["norm1.bias"], 1e-6)
        q, k, v = (seen @ own["attn.qkv.weight"].T + own["attn.qkv.bias"]).split(WIDTH, 2)
        heads = []
        for head in range(WIDTH // 64):
            part = slice(64 * head, 64 * head + 64)
            share = (q[..., part] @ k[..., part].transpose(1, 2) / 8).softmax(2)
            heads.append(share @ v[..., part])
        x = x + own["ls1.gamma"] * (torch.cat(heads, 2) @ own["attn.proj.weight"].T + own["attn.proj.bias"])
        seen = F.layer_norm(x, (WIDTH,), own["norm2.weight"], own["norm2.bias"], 1e-6)
        hidden = F.gelu(seen @ own["mlp.fc1.weight"].T + own["mlp.fc1.bias"])
        x = x + own["ls2.gamma"] * (hidden @ own["mlp.fc2.weight"].T + own["mlp.fc2.bias"])
    return F.layer_norm(x, (WIDTH,), weights["norm.weight"], weights["norm.bias"], 1e-6)[:, 0]


def test_dinov2_is_the_network_of_its_equations(dino: dict[str, Tensor], tmp_path: Path) -> None:
    network = DINOv2.model_validate(saved(dino, tmp_path / "dino.safetensors")).build(tmp_path)
    images = torch.rand(2, 3, 224, 224, generator=torch.Generator().manual_seed(1)) * 2 - 1
    with torch.no_grad():
        found, expected = network(images), written_out(dino, images)
        assert found.shape == (2, WIDTH)
        torch.testing.assert_close(found, expected, atol=1e-3, rtol=1e-3)
    pixels = torch.randint(256, (2, 50, 40, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(2)).numpy()
    large = [np.asarray(Image.fromarray(each).resize((224, 224), Image.Resampling.BICUBIC)) for each in pixels]
    resized, small = (torch.tensor(np.stack(list(each))).permute(0, 3, 1, 2) / 127.5 - 1 for each in (large, pixels))
    with torch.no_grad():  # Pillow works with whole numbers, so that a pixel may be one off
        torch.testing.assert_close(network(small), written_out(dino, resized), atol=0.02, rtol=0.02)


def test_positions_are_resized_as_dinov2_does_it(dino: dict[str, Tensor]) -> None:
    """By (16 + 0.1) / 37, of which the 0.1 moves every place that is looked at."""
    embedding = dino["pos_embed"]
    found = positions(embedding, 16)
    assert found.shape == (1, 257, WIDTH)
    assert torch.equal(found[:, 0], embedding[:, 0])
    assert torch.equal(positions(embedding, TRAINED), embedding)
    across = torch.arange(float(TRAINED)).expand(TRAINED, -1).flatten()
    ramp = torch.cat([torch.zeros(1), across]).view(1, -1, 1).expand(-1, -1, 2)
    inside = positions(ramp, 16)[0, 1:, 0].view(16, 16)[8, 1:-1]
    expected = (torch.arange(1.0, 15) + 0.5) * TRAINED / 16.1 - 0.5
    without = (torch.arange(1.0, 15) + 0.5) * TRAINED / 16 - 0.5
    torch.testing.assert_close(inside, expected, atol=0.05, rtol=0)  # the cubic kernel bends a ramp by so much
    assert (inside - without).abs().max() > 0.15


def test_vgg16_is_torchvisions_up_to_its_second_dense_layer(tmp_path: Path) -> None:
    from torchvision.models import vgg16

    torch.manual_seed(0)
    whole = vgg16(init_weights=False).eval()
    network = VGG16.model_validate(saved(whole.state_dict(), tmp_path / "vgg.safetensors")).build(tmp_path)
    pixels = torch.randint(256, (1, 3, 224, 224), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    with torch.no_grad():
        found = network(pixels.float() / 127.5 - 1)
        maps = whole.avgpool(whole.features((pixels / 255 - mean) / std)).flatten(1)
        expected = F.relu(whole.classifier[3](F.relu(whole.classifier[0](maps))))
    assert found.shape == (1, 4096)
    assert expected.std() > 0
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-3)


def test_dinov2_keeps_the_contract(dino: dict[str, Tensor], tmp_path: Path) -> None:
    check_extractor(DINOv2.model_validate(saved(dino, tmp_path / "dino.safetensors")), tmp_path)


@pytest.mark.parametrize(("kind", "published"), [(VGG16, TORCHVISION), (DINOv2, VITL14)])
def test_weights_of_another_network_are_refused(
    kind: type[Extractor], published: PublishedWeights, tmp_path: Path
) -> None:
    other = saved({"a": torch.zeros(2)}, tmp_path / "other.safetensors")
    with pytest.raises(ganzoo.DataError, match=r"other\.safetensors' holds the weights of another network"):
        kind.model_validate(other).build(tmp_path)
    with pytest.raises(ganzoo.DataError, match=f"does not hold the weights of {published.title}"):
        kind.model_validate({"weights": other["weights"]}).build(tmp_path)


@pytest.mark.parametrize(("kind", "published"), [(VGG16, TORCHVISION), (DINOv2, VITL14)])
def test_without_the_net_it_is_said_where_to_put_them(
    kind: type[Extractor], published: PublishedWeights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*given: object, **named: object) -> None:
        raise OSError("no way to the net")

    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    with pytest.raises(ganzoo.DataError) as told:
        kind().build(tmp_path)
    for part in (published.address, str(tmp_path / "weights"), "--weights FILE"):
        assert part in str(told.value)
