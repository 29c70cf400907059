"""Figures of pairs: against torchmetrics' and lpips' own, and on images whose figures are known."""

import hashlib
import math
import warnings
from pathlib import Path

import lpips
import pytest
import torch
from torch import Tensor, nn
from torchmetrics.image import PeakSignalNoiseRatio, StructuralSimilarityIndexMeasure

import ganzoo
from ganzoo.contract.metric import PairMetric
from ganzoo.metrics.pairs import (
    LPIPS,
    AbsoluteDifference,
    LuminanceSignalToNoise,
    LuminanceSimilarity,
    SignalToNoise,
    StructuralSimilarity,
    luminance,
)


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


def written_out(made: Tensor, target: Tensor, edge: int) -> float:
    """PSNR of luminance, pair by pair, as MATLAB's rgb2ycbcr and scripts of super-resolution papers count it."""
    found = []
    for pair in zip(made, target, strict=True):
        first, second = (
            [[16 + (65.481 * r + 128.553 * g + 24.966 * b) for r, g, b in row] for row in image]
            for image in (((one + 1) / 2)[:, edge:-edge, edge:-edge].permute(1, 2, 0).tolist() for one in pair)
        )
        squares = [(x - y) ** 2 for a, b in zip(first, second, strict=True) for x, y in zip(a, b, strict=True)]
        found.append(10 * math.log10(255**2 / (math.fsum(squares) / len(squares))))
    return math.fsum(found) / len(found)


def test_luminance_is_counted_as_in_papers_on_super_resolution(pairs: tuple[Tensor, Tensor], tmp_path: Path) -> None:
    made, target = pairs
    made = torch.cat([made[:-1], target[-1:] * 0.9])  # one far better than the others
    metric = LuminanceSignalToNoise(border=4)
    assert figure(metric, made, target, tmp_path) == pytest.approx(written_out(made, target, 4), abs=1e-3)
    assert abs(figure(metric, made, target, tmp_path) - figure(SignalToNoise(), made, target, tmp_path)) > 1
    inner = LuminanceSimilarity(border=4)
    one = StructuralSimilarityIndexMeasure(data_range=255.0)
    expected = [
        float(one(luminance(a[None, :, 4:-4, 4:-4]), luminance(b[None, :, 4:-4, 4:-4])))
        for a, b in zip(made, target, strict=True)
    ]
    assert figure(inner, made, target, tmp_path) == pytest.approx(sum(expected) / len(expected), abs=1e-5)


def test_luminance_of_known_colors() -> None:
    colors = torch.tensor([[-1.0, -1, -1], [1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])[:, :, None, None]
    expected = torch.tensor([16, 235, 81.481, 144.553, 40.966])
    torch.testing.assert_close(luminance(colors).flatten(), expected, atol=1e-3, rtol=0)
    opaque = torch.cat([colors, colors[:, :1]], 1)
    torch.testing.assert_close(luminance(opaque), luminance(colors))
    grey = torch.tensor([-1.0, 0, 1]).view(3, 1, 1, 1)
    assert luminance(grey).flatten().tolist() == [0, 127.5, 255]


def test_the_border_is_the_factor_of_enlargement_and_does_not_count(tmp_path: Path) -> None:
    for kind in (LuminanceSignalToNoise, LuminanceSimilarity):
        assert [kind().suited(scale).border for scale in (1, 2, 4)] == [0, 2, 4]
        assert kind(border=1).suited(4).border == 1
        target = torch.rand(3, 3, 24, 24, generator=torch.Generator().manual_seed(0)) - 0.5
        made, framed = target + 0.1, target + 0.1
        framed[:, :, :2], framed[:, :, :, -2:] = 1, -1
        assert figure(kind(border=2), framed, target, tmp_path) == pytest.approx(
            figure(kind(border=2), made, target, tmp_path)
        )
        assert figure(kind(border=1), framed, target, tmp_path) < figure(kind(border=1), made, target, tmp_path)
        with pytest.raises(ganzoo.UserError, match=r"option 'border' of '.*-y' leaves"):
            figure(kind(border=12), made, target, tmp_path)


def test_what_enlarges_is_measured_by_luminance_too(place: Path) -> None:
    trained = ganzoo.run("srgan", image_size=32, limit=4, batch_size=2, epochs=1, perceptual="pixel", out=place / "run")
    line = ganzoo.evaluate(trained, samples=3)
    scale = trained.gan.scale_factor
    assert {"psnr", "ssim", "psnr-y", "ssim-y", "color-frechet"} <= line["figures"].keys()
    assert line["protocol"]["metrics"]["psnr-y"] == {"border": scale}
    assert scale > 1


@pytest.fixture(scope="module")
def alexnet(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A file of random weights such as torchvision's, without the dense layers, and its SHA-256."""
    from torchvision.models import alexnet

    torch.manual_seed(0)
    features = {name: value for name, value in alexnet().state_dict().items() if name.startswith("features.")}
    file = tmp_path_factory.mktemp("weights") / "alexnet.pth"
    torch.save(features, file)
    return file, hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.mark.slow
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
