"""The plugins `mnist` and `fashion-mnist`."""

import gzip
import hashlib
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from torch import Tensor

from ganzoo.config import validate
from ganzoo.data.dataset import DataRequest, InMemoryData, Split
from ganzoo.data.load import DataOptions, describe, load
from ganzoo.errors import DataError

BOTH = frozenset({"image", "label"})
TRAIN = "train-images-idx3-ubyte"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


def read(
    name: str, folder: Path, fields: frozenset[str] = BOTH, split: Split = "train", limit: int | None = None
) -> InMemoryData:
    table = validate(DataOptions, {"data": name}).data.load(DataRequest(fields, (28, 28), 1, split, limit, folder))
    assert isinstance(table, InMemoryData)
    return table


def idx(raw: Path, prefix: str, images: Tensor, labels: list[int]) -> None:
    """Writes a data set of `images`, N x 28 x 28, as torchvision keeps it."""
    raw.mkdir(parents=True, exist_ok=True)
    header = struct.pack(">4i", 0x803, *images.shape)
    (raw / f"{prefix}-images-idx3-ubyte").write_bytes(header + bytes(images.flatten().tolist()))
    (raw / f"{prefix}-labels-idx1-ubyte").write_bytes(struct.pack(">2i", 0x801, len(labels)) + bytes(labels))


def test_the_whole_of_it(folder: Path) -> None:
    train, test = read("mnist", folder), read("mnist", folder, split="test")
    assert train.columns["image"].shape == (60_000, 1, 28, 28)
    assert test.columns["image"].shape == (10_000, 1, 28, 28)
    assert train.classes == tuple("0123456789")
    counts = train.columns["label"].bincount().tolist()
    assert counts == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert test.columns["label"].bincount().tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert train.columns["label"].dtype == torch.int64
    assert train.columns["image"].float().mean().item() / 255 == pytest.approx(0.1307, abs=1e-4)  # the known mean
    assert [path.name for path in (folder / "MNIST" / "raw").iterdir() if path.name.startswith(".")] == []


def test_load_and_describe(folder: Path) -> None:
    options = validate(DataOptions, {"data": "mnist", "image_size": "16x24", "limit": 100})
    data = load(options, BOTH, folder=folder)
    assert data.streams[0]["image"].shape == (100, 1, 16, 24)
    assert data.preview["image"].shape == (25, 1, 16, 24)
    assert data.spec == describe(options, BOTH)
    assert data.spec.classes == tuple("0123456789")


def test_only_what_is_asked_for_is_there(folder: Path) -> None:
    assert read("mnist", folder, frozenset({"image"}), limit=3).columns.keys() == {"image"}
    assert read("mnist", folder, frozenset({"label"}), limit=3).columns["label"].tolist() == [5, 5, 7]


def said(table: InMemoryData) -> list[str]:
    return [bytes(row.tolist()).rstrip(b"\0").decode() for row in table.columns["caption"]]


def test_captions_say_which_digit_in_several_ways(folder: Path) -> None:
    fields = frozenset({"label", "caption"})
    table = read("mnist", folder, fields)
    captions, labels = said(table), table.columns["label"].tolist()
    ways = {
        digit: {text for text, label in zip(captions, labels, strict=True) if label == digit} for digit in range(10)
    }
    assert {"a seven", "the digit seven", "a handwritten 7"} <= ways[7]
    assert {len(texts) for texts in ways.values()} == {7}
    assert len(set.union(*ways.values())) == 70
    assert said(read("mnist", folder, frozenset({"caption"}), limit=50)) == captions[::1200]
    options, fields = validate(DataOptions, {"data": "mnist", "limit": 100}), fields | {"image"}
    assert load(options, fields, folder=folder).spec == describe(options, fields)


def test_captions_of_clothes(tmp_path: Path) -> None:
    idx(tmp_path / "FashionMNIST" / "raw", "train", torch.zeros(10, 28, 28, dtype=torch.uint8), list(range(10)))
    captions = said(read("fashion-mnist", tmp_path, frozenset({"caption"})))
    assert captions[0] == "a T-shirt"
    assert captions[9] == "an ankle boot in grey"


@pytest.mark.parametrize(("name", "home"), [("mnist", "MNIST"), ("fashion-mnist", "FashionMNIST")])
def test_files_already_there_are_used_as_they_are(tmp_path: Path, name: str, home: str) -> None:
    images = torch.arange(12, dtype=torch.uint8)[:, None, None].expand(-1, 28, 28)
    idx(tmp_path / home / "raw", "train", images, [0, 1, 2, 3] * 3)
    table = read(name, tmp_path)
    assert torch.equal(table.columns["image"][:, 0], images)
    assert table.columns["label"].tolist() == [0, 1, 2, 3] * 3
    assert len(list((tmp_path / home / "raw").iterdir())) == 2
    assert len(table.classes) == 10


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    raw = tmp_path / "MNIST" / "raw"
    idx(raw, "train", torch.zeros(4, 28, 28, dtype=torch.uint8), [0, 1, 2, 3])
    whole = (raw / TRAIN).read_bytes()
    for content in (whole[:-100], whole[:3], b"", b"<html>404</html>"):
        (raw / TRAIN).write_bytes(content)
        with pytest.raises(DataError, match=rf"{TRAIN}' is damaged or no IDX file; delete it and run again"):
            read("mnist", tmp_path)


def test_images_and_labels_that_do_not_belong_together(tmp_path: Path) -> None:
    raw = tmp_path / "MNIST" / "raw"
    for labels in ([0, 1, 2], [0, 1, 2, 10]):
        idx(raw, "train", torch.zeros(4, 28, 28, dtype=torch.uint8), labels)
        with pytest.raises(DataError, match=r"raw' do not belong together"):
            read("mnist", tmp_path)


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_a_folder_that_cannot_be_written_to(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=rf"{TRAIN}' cannot be written .*--data-dir FOLDER or GANZOO_DATA"):
        read(name, tmp_path / "file")


def test_a_file_appears_only_when_it_is_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plugin = pytest.importorskip("ganzoo_data_mnist")
    raw = tmp_path / "MNIST" / "raw"
    monkeypatch.setitem(plugin.CHECKSUMS, TRAIN, "0" * 32)
    with pytest.raises(DataError, match=rf"'{TRAIN}.gz' that came with ganzoo is damaged"):
        read("mnist", tmp_path)
    assert list(raw.iterdir()) == []


def test_without_network_it_says_which_files_to_put_where(tmp_path: Path, no_network: None) -> None:
    with pytest.raises(DataError) as caught:
        read("fashion-mnist", tmp_path)
    message = str(caught.value)
    assert f"'{TRAIN}.gz' cannot be downloaded from http" in message
    files = "train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz, t10k-labels-idx1-ubyte"
    assert f"put these files into '{tmp_path / 'FashionMNIST' / 'raw'}': {files}" in message
    assert message.count("\n") == 1
    assert list((tmp_path / "FashionMNIST" / "raw").iterdir()) == []


def test_downloaded_files_are_verified_and_unpacked(
    tmp_path: Path, no_network: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is downloaded already is not downloaded again, if it is whole."""
    from torchvision import datasets

    raw = tmp_path / "FashionMNIST" / "raw"
    idx(raw, "train", torch.full((3, 28, 28), 9, dtype=torch.uint8), [7, 8, 9])
    resources = []
    for file in sorted(raw.iterdir()):
        packed = file.with_name(f"{file.name}.gz")
        packed.write_bytes(gzip.compress(file.read_bytes()))
        resources.append((packed.name, hashlib.md5(packed.read_bytes()).hexdigest()))  # noqa: S324 - as published
        file.unlink()
    monkeypatch.setattr(datasets.FashionMNIST, "resources", resources)
    table = read("fashion-mnist", tmp_path)
    assert table.columns["label"].tolist() == [7, 8, 9]
    assert set(table.columns["image"].flatten().tolist()) == {9}

    (raw / TRAIN).unlink()
    (raw / f"{TRAIN}.gz").write_bytes(b"cut short")
    with pytest.raises(DataError, match=rf"'{TRAIN}.gz' cannot be downloaded"):
        read("fashion-mnist", tmp_path)


def test_what_several_processes_want_is_downloaded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from torchvision import datasets

    images, labels = torch.zeros(3, 28, 28, dtype=torch.uint8), [7, 8, 9]
    idx(tmp_path, "train", images, labels)
    fetched: list[str] = []

    def download(address: str, root: Path, filename: str, checksum: str) -> None:
        fetched.append(filename)
        packed = gzip.compress((tmp_path / filename.removesuffix(".gz")).read_bytes())
        with (root / filename).open("wb") as file:
            file.write(packed[:9])
            file.flush()
            time.sleep(0.2)
            file.write(packed[9:])

    monkeypatch.setattr(datasets.utils, "download_url", download)
    with ThreadPoolExecutor() as pool:
        for table in pool.map(lambda _: read("fashion-mnist", tmp_path), range(3)):
            assert table.columns["label"].tolist() == labels
    assert sorted(fetched) == [f"{TRAIN}.gz", "train-labels-idx1-ubyte.gz"]
