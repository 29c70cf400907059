"""Figures of pairs: against torchmetrics' and lpips' own, and on images whose figures are known."""

import hashlib
import warnings
from pathlib import Path

import lpips
import pytest
import torch
from torch import Tensor, nn
from torchmetrics.image import PeakSignalNoiseRatio, StructuralSimilarityIndexMeasure

import ganzoo
from ganzoo.metrics.metric import PairMetric
from ganzoo.metrics.pairs import LPIPS, AbsoluteDifference, SignalToNoise, StructuralSimilarity


def figure(metric: PairMetric, made: Tensor, target: Tensor, folder: Path) -> float:
    measure = metric.build(folder)
    return metric.combine(torch.cat([measure(*part) for part in zip(made.split(3), target.split(3), strict=True)]))


@pytest.fixture
def pairs() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    target = torch.rand(7, 3, 40, 40, generator=generator) * 2 - 1
    return (target + 0.3 * torch.randn(7, 3, 40, 40, generator=generator)).clamp(-1, 1), target


def test_psnr_and_ssim_are_torchmetrics_own_of_all_at_once(pairs: tuple[Tensor, Tensor], tmp_path: Path) -> None:
    made, target = pairs
    psnr = PeakSignalNoiseRatio(data_range=2.0)(made, target)
    assert figure(SignalToNoise(), made, target, tmp_path) == pytest.approx(float(psnr), abs=1e-4)
    ssim = StructuralSimilarityIndexMeasure(data_range=1.0)((made + 1) / 2, (target + 1) / 2)
    assert figure(StructuralSimilarity(), made, target, tmp_path) == pytest.approx(float(ssim), abs=1e-5)


def test_l1_and_psnr_are_shares_of_the_whole_range(tmp_path: Path) -> None:
    target = torch.zeros(4, 1, 16, 16)
    assert figure(AbsoluteDifference(), target + 0.2, target, tmp_path) == pytest.approx(0.1)
    assert figure(SignalToNoise(), target + 0.2, target, tmp_path) == pytest.approx(20, abs=1e-4)
    one_is_right = target + torch.tensor([0.2, 0.2, 0.2, 0]).view(4, 1, 1, 1)
    assert figure(SignalToNoise(), one_is_right, target, tmp_path) == pytest.approx(20 + 1.2494, abs=1e-3)
    assert figure(StructuralSimilarity(), target, target, tmp_path) == pytest.approx(1)


@pytest.fixture(scope="module")
def alexnet(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A file of random weights such as torchvision's, without the dense layers, and its SHA-256."""
    from torchvision.models import alexnet

    torch.manual_seed(0)
    features = {name: value for name, value in alexnet().state_dict().items() if name.startswith("features.")}
    file = tmp_path_factory.mktemp("weights") / "alexnet.pth"
    torch.save(features, file)
    return file, hashlib.sha256(file.read_bytes()).hexdigest()


def test_lpips_is_the_packages_own(alexnet: tuple[Path, str], pairs: tuple[Tensor, Tensor], tmp_path: Path) -> None:
    made, target = pairs
    metric = LPIPS(weights=alexnet[0], sha256=alexnet[1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)
    held = torch.load(alexnet[0])
    for slice_ in theirs.net.children():
        for number, layer in slice_.named_children():
            if isinstance(layer, nn.Conv2d):
                layer.load_state_dict({kind: held[f"features.{number}.{kind}"] for kind in ("weight", "bias")})
    expected = theirs(made, target).mean().item()
    assert figure(metric, made, target, tmp_path) == pytest.approx(expected, rel=1e-5)
    assert expected > 0
    assert figure(metric, target, target, tmp_path) == 0
    grey = target[:, :1]
    assert figure(metric, made[:, :1], grey, tmp_path) > 0


def test_lpips_takes_no_other_weights_and_says_where_to_get_its_own(
    alexnet: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ganzoo.DataError, match="does not hold the weights of AlexNet: its SHA-256 is"):
        LPIPS(weights=alexnet[0]).build(tmp_path)
    other = tmp_path / "other.pth"
    torch.save({"weight": torch.zeros(3)}, other)
    checksum = hashlib.sha256(other.read_bytes()).hexdigest()
    with pytest.raises(ganzoo.DataError, match="holds the weights of another network"):
        LPIPS(weights=other, sha256=checksum).build(tmp_path)

    def offline(*given: object, **named: object) -> None:
        raise OSError("no way to the net")

    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    with pytest.raises(ganzoo.DataError, match=r"(?s)no way to the net.*alexnet-owt-7be5be79.pth elsewhere") as told:
        LPIPS().build(tmp_path)
    assert str(tmp_path / "weights") in str(told.value)
