"""What images are looked at with: whose weights these are is checked, and nothing in their files is run."""

import hashlib
import io
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import Tensor, nn
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

import ganzoo
from ganzoo.data.in_memory import to_float
from ganzoo.metrics.features import FeatureBuffer, fingerprint
from ganzoo.metrics.inception import STANDARD, Inception
from ganzoo.metrics.pairs import LPIPS
from ganzoo.metrics.published_weights import PublishedWeights
from ganzoo.plugins import zoo


class Unread(FeatureExtractorInceptionV3):  # type: ignore[misc]  # of a library without types
    """The network as it is before weights are read."""

    def load_state_dict(self, *given: object, **named: object) -> None:
        return


@pytest.fixture(scope="module")
def network() -> Unread:
    torch.manual_seed(0)
    empty = io.BytesIO()
    torch.save({}, empty)
    empty.seek(0)
    return Unread("random", ["2048", "logits_unbiased"], feature_extractor_weights_path=empty)


@pytest.fixture(scope="module")
def weights(network: Unread, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("weights") / "inception.pth"
    torch.save(network.state_dict(), file)
    return file


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.mark.slow
def test_inception_is_torch_fidelitys_on_the_bytes_of_the_images(
    network: Unread, weights: Path, tmp_path: Path
) -> None:
    built = Inception(weights=weights, sha256=sha256(weights)).build(tmp_path)
    pixels = torch.randint(256, (2, 3, 20, 20), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        for found, expected in zip(built(to_float(pixels)), network(pixels), strict=True):
            torch.testing.assert_close(found, expected)
        grey = to_float(pixels[:, :1])
        torch.testing.assert_close(built(grey)[0], network(pixels[:, :1].expand(-1, 3, -1, -1))[0])
        opaque = torch.cat([to_float(pixels), grey], 1)
        torch.testing.assert_close(built(opaque)[0], built(to_float(pixels))[0])
    assert built(grey)[0].shape == (2, 2048)
    assert not built.training
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_the_same_weights_are_the_same_whatever_file_they_came_from(
    network: Unread, weights: Path, tmp_path: Path
) -> None:
    other = tmp_path / "inception.safetensors"
    safetensors.torch.save_file({name: value.contiguous() for name, value in network.state_dict().items()}, other)
    first, second = (Inception(weights=file, sha256=sha256(file)).build(tmp_path) for file in (weights, other))
    assert fingerprint(first) == fingerprint(second)
    with torch.no_grad():
        next(second.parameters()).add_(1e-3)
    assert fingerprint(first) != fingerprint(second)


def test_weights_of_another_checksum_are_refused(weights: Path, tmp_path: Path) -> None:
    said = f"its SHA-256 is {sha256(weights)}, not {STANDARD.sha256}; give its SHA-256 by --extractor.sha256 to use"
    with pytest.raises(ganzoo.DataError, match=said):
        Inception(weights=weights).build(tmp_path)
    with pytest.raises(ganzoo.DataError, match="does not hold what was said"):
        Inception(weights=weights, sha256="0" * 64).build(tmp_path)
    with pytest.raises(ganzoo.UserError, match=r"name it, too, by --weights FILE$"):
        Inception(sha256="0" * 64).build(tmp_path)
    with pytest.raises(ganzoo.DataError, match="there are no weights of Inception in"):
        Inception(weights=tmp_path / "nowhere.pth").build(tmp_path)
    with pytest.raises(ValueError, match="sha256"):
        Inception(sha256="6726825d")
    kept = tmp_path / "weights" / STANDARD.name
    kept.parent.mkdir()
    kept.write_bytes(b"half a download")
    with pytest.raises(ganzoo.DataError, match="delete it and run again"):
        Inception().build(tmp_path)


NAMES = ("--weights FILE", "--extractor.sha256")
"""How they are named on a command line."""


class Trap:
    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[object, ...]:
        return open, (str(self.file), "w")


def test_nothing_in_a_file_of_weights_is_run(tmp_path: Path) -> None:
    for held in ({"Conv2d_1a_3x3.conv.weight": Trap(tmp_path / "sprung")}, [1, 2], {"a": 1}, {"a": torch.zeros(2)}):
        file = tmp_path / "weights.pth"
        torch.save(held, file)
        with pytest.raises(ganzoo.DataError, match=r"holds no weights that can be read|weights of another network"):
            Inception(weights=file, sha256=sha256(file)).build(tmp_path)
    assert not (tmp_path / "sprung").exists()


def test_without_the_net_it_is_said_what_to_get_and_where_to_put_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def offline(*given: object, **named: object) -> None:
        raise OSError("no way to the net")

    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    with pytest.raises(ganzoo.DataError) as told:
        Inception().build(tmp_path)
    for part in ("no way to the net", STANDARD.address, str(tmp_path / "weights"), "--weights FILE"):
        assert part in str(told.value)
    assert "downloading the weights of Inception, 96 MB, once" in caplog.text
    assert STANDARD.sha256.startswith(STANDARD.name.removesuffix(".pth").rpartition("-")[2])


def test_what_is_downloaded_is_checked_and_kept(tmp_path: Path) -> None:
    server, folder = tmp_path / "server.pth", tmp_path / "data"
    torch.save({"weight": torch.arange(3.0)}, server)
    published = PublishedWeights("a small network", server.as_uri(), sha256(server), 1, *NAMES)
    wrong = PublishedWeights("a small network", server.as_uri(), "0" * 64, 1, *NAMES)
    with pytest.raises(ganzoo.DataError, match="cannot be downloaded: invalid hash value"):
        wrong.load(folder)
    assert not list((folder / "weights").iterdir())
    assert torch.equal(published.load(folder)["weight"], torch.arange(3.0))
    server.unlink()
    assert torch.equal(published.load(folder)["weight"], torch.arange(3.0))
    assert [file.name for file in (folder / "weights").iterdir()] == ["server.pth"]


def test_weights_as_published_that_do_not_fit_are_no_mistake_of_who_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other(*given: object) -> dict[str, Tensor]:
        return {"a": torch.zeros(2)}

    monkeypatch.setattr(PublishedWeights, "load", other)
    with pytest.raises(RuntimeError):
        Inception().build(tmp_path)
    with pytest.raises(ganzoo.DataError, match=r"'mine\.pth' holds the weights of another network"):
        Inception(weights=Path("mine.pth")).build(tmp_path)
    with pytest.raises(KeyError):
        LPIPS().build(tmp_path)


def test_the_digits_extractor_sees_what_the_classifier_sees(tmp_path: Path) -> None:
    digits = zoo().extractors["digits"]().build(tmp_path)
    seen, images = FeatureBuffer(digits), torch.rand(5, 3, 32, 32) * 2 - 1
    seen.look(images[:3])
    seen.look(images[3:])
    assert seen.kinds == ("features", "logits")
    assert seen.of("features").shape == (5, 64)
    classifier = digits.classifier
    assert isinstance(classifier, nn.Module)
    torch.testing.assert_close(seen.of("logits"), classifier(images))
    assert not seen.of("logits").requires_grad


@pytest.mark.parametrize("answer", [torch.zeros(3, 2, 2), torch.zeros(2, 5), torch.zeros(3, 1), None, "x"])
def test_what_gives_no_features_is_no_extractor(answer: object) -> None:
    class Wrong(nn.Module):
        def forward(self, images: Tensor) -> object:
            return answer

    with pytest.raises(ganzoo.ContractError, match="expected N x D"):
        FeatureBuffer(Wrong()).look(torch.zeros(3, 1, 4, 4))
