"""Archives of images: read as a folder is, refused where they would harm, and nothing of them written."""

import io
import stat
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from reading import read
from shared import Command

import ganzoo
from ganzoo.data import archive
from ganzoo.data.dataset import InMemoryData

LABELLED = frozenset({"image", "label"})
PAIR = frozenset({"source", "target"})


def png(red: int = 0, width: int = 8) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (width, 8), (red, 0, 0)).save(stream, "png")
    return stream.getvalue()


def pack(file: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return file


def reds(table: InMemoryData, field: str = "image") -> list[int]:
    return table.columns[field][:, 0, 0, 0].tolist()


def test_sub_folders_are_classes_as_in_a_folder(tmp_path: Path) -> None:
    members = {"dogs/1.png": png(1), "cats/9.png": png(9), "cats/fat/8.PNG": png(8), "README.md": b"not an image"}
    hidden = {"__MACOSX/cats/._9.png": b"", ".thumbnails/x.png": b"", "cats/.hidden.png": b""}
    table = read(f"folder:{pack(tmp_path / 'pets.zip', members | hidden)}", LABELLED)
    assert table.classes == ("cats", "dogs")
    assert table.columns["label"].tolist() == [0, 0, 1]
    assert reds(table) == [9, 8, 1]


def test_it_is_the_same_as_the_folder_it_was_made_of(tmp_path: Path) -> None:
    folder = tmp_path / "pets"
    for number in range(40):
        file = folder / f"kind-{number % 3}" / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(png(number))
    with zipfile.ZipFile(tmp_path / "pets.zip", "w") as packed:
        for file in folder.rglob("*"):
            packed.write(file, file.relative_to(tmp_path))  # below `pets/`, as file managers do
    zipped, plain = read(f"folder:{tmp_path / 'pets.zip'}", LABELLED), read(f"folder:{folder}", LABELLED)
    assert zipped.classes == plain.classes == ("kind-0", "kind-1", "kind-2")
    assert reds(zipped) == reds(plain)
    assert zipped.columns["label"].tolist() == plain.columns["label"].tolist()


@pytest.mark.parametrize("top", ["", "shoes/"])
def test_pairs_come_out_of_an_archive_too(top: str, tmp_path: Path) -> None:
    members = {f"{top}A/{number}.png": png(number) for number in range(3)}
    members |= {f"{top}B/{number}.png": png(100 + number) for number in range(3)}
    table = read(f"pairs:{pack(tmp_path / 'x.zip', members)}", PAIR)
    assert (reds(table, "source"), reds(table, "target")) == ([0, 1, 2], [100, 101, 102])
    halves = pack(tmp_path / "halves.zip", {f"{top}{number}.png": png(number, 16) for number in range(3)})
    assert reds(read(f"pairs:{halves}", PAIR), "target") == [0, 1, 2]


def test_names_as_windows_packs_them(tmp_path: Path) -> None:
    file = pack(tmp_path / "x.zip", {"cats_1.png": png(1), "dogs_2.png": png(2)})
    file.write_bytes(file.read_bytes().replace(b"cats_1", b"cats\\1").replace(b"dogs_2", b"dogs\\2"))
    assert read(f"folder:{file}", LABELLED).classes == ("cats", "dogs")


def test_an_archive_without_images(tmp_path: Path) -> None:
    file = pack(tmp_path / "x.zip", {"notes.txt": b"none"})
    with pytest.raises(ganzoo.DataError, match=r"there are no images in '.*x.zip'"):
        read(f"folder:{file}")
    with pytest.raises(ganzoo.DataError, match=r"x.zip' has no images, nor two folders"):
        read(f"pairs:{file}", PAIR)
    empty = pack(tmp_path / "empty.zip", {})
    with pytest.raises(ganzoo.DataError, match=r"there are no images in '.*empty.zip'"):
        read(f"folder:{empty}")


def test_a_file_that_is_no_archive(tmp_path: Path) -> None:
    file = tmp_path / "x.zip"
    file.write_text("not a zip")
    with pytest.raises(ganzoo.DataError, match=r"x.zip' cannot be read: File is not a zip file"):
        read(f"folder:{file}")
    whole = pack(tmp_path / "whole.zip", {"a.png": png()}).read_bytes()
    file.write_bytes(whole[:-30])
    with pytest.raises(ganzoo.DataError, match=r"x.zip' cannot be read: "):
        read(f"folder:{file}")


@pytest.mark.parametrize("name", ["x.tar", "x.tar.gz", "x.7z", "x.rar", "x.tgz"])
def test_other_archives_are_told_what_to_become(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"whatever")
    with pytest.raises(ganzoo.DataError, match=r"unpack it and give the folder, or make it a .zip") as caught:
        read(f"folder:{tmp_path / name}")
    assert ("shards:" in str(caught.value)) == (name == "x.tar")


def linked(file: Path) -> None:
    link = zipfile.ZipInfo("cats/1.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr(link, "/etc/passwd")


def encrypted(file: Path) -> None:
    pack(file, {"cats/1.png": png()})
    content = bytearray(file.read_bytes())
    content[content.index(b"PK\1\2") + 8] |= 1
    file.write_bytes(content)


def overlapping(file: Path) -> None:
    """Two entries of the directory at the end name one and the same member."""
    pack(file, {"cats/1.png": bytes(range(256)) * 8, "cats/2.png": b""})
    content = bytearray(file.read_bytes())
    first = content.index(b"PK\1\2")
    second = content.index(b"PK\1\2", first + 4)
    content[second + 10 : second + 28] = content[first + 10 : first + 28]
    content[second + 42 : second + 46] = content[first + 42 : first + 46]
    for entry in (first, second):  # as if each were all of the archive
        content[entry + 20 : entry + 24] = struct.pack("<I", len(content) // 2 + 1)
    file.write_bytes(content)


def declared(size: int) -> Callable[[Path], None]:
    def make(file: Path) -> None:
        pack(file, {"cats/1.png": png()})
        content = bytearray(file.read_bytes())
        entry = content.index(b"PK\1\2")
        content[entry + 24 : entry + 28] = struct.pack("<I", size)
        file.write_bytes(content)

    return make


def odd_method(file: Path) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_BZIP2) as packed:
        packed.writestr("cats/1.png", png())


def two_of_a_name(file: Path) -> None:
    pack(file, {"cats/1.png": png(), "cats/2.png": png()})
    file.write_bytes(file.read_bytes().replace(b"cats/2", b"cats/1"))


HARMFUL: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "up and out": (lambda file: pack(file, {"a/../../evil.png": png()}), "a/../../evil.png", "leads out"),
    "up, and no image": (lambda file: pack(file, {"a.png": png(), "../.ssh/key": b"x"}), "../.ssh/key", "leads out"),
    "from the root": (lambda file: pack(file, {"/etc/evil.png": png()}), "/etc/evil.png", "leads out"),
    "of another drive": (lambda file: pack(file, {"C:/evil.png": png()}), "C:/evil.png", "leads out"),
    "up, for Windows": (lambda file: pack(file, {"..\\evil.png": png()}), "..\\evil.png", "leads out"),
    "link": (linked, "cats/1.png", "it is a link"),
    "encrypted": (encrypted, "cats/1.png", "it is encrypted"),
    "bomb": (lambda file: pack(file, {"a.png": bytes(2**22)}), "a.png", r"times its size, more than 200: a bomb\?"),
    "large": (declared(2**29), "cats/1.png", "it is of 536,870,912 bytes, unpacked; 268,435,456 are read at most"),
    "overlapping": (overlapping, "cats/2.png", "it shares its bytes with others"),
    "odd method": (odd_method, "cats/1.png", "it is not compressed as ZIPs usually are"),
    "two of a name": (two_of_a_name, "cats/1.png", "there are two of that name"),
}


@pytest.mark.parametrize("kind", HARMFUL)
def test_a_harmful_archive_is_refused_with_its_member(kind: str, tmp_path: Path) -> None:
    make, member, reason = HARMFUL[kind]
    file = tmp_path / "x.zip"
    make(file)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ganzoo.DataError, match=reason) as caught:
        read(f"folder:{file}", skip=9)
    assert str(caught.value).startswith(f"'{file}' is refused for its member '{member}': ")
    assert "\n" not in str(caught.value)
    assert sorted(tmp_path.rglob("*")) == before


def test_all_of_an_archive_has_a_limit_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = pack(tmp_path / "x.zip", {f"{number}.png": png() for number in range(9)})
    size = len(png())
    monkeypatch.setattr(archive, "TOTAL", 8 * size)
    with pytest.raises(ganzoo.DataError, match=r"'8.png': with it, the images unpack to more than"):
        read(f"folder:{file}")
    monkeypatch.setattr(archive, "TOTAL", 9 * size)
    assert len(read(f"folder:{file}")) == 9


def test_a_large_member_that_nobody_reads_is_nobodys_concern(tmp_path: Path) -> None:
    file = pack(tmp_path / "x.zip", {"a.png": png(), "original.psd": bytes(2**24)})
    assert len(read(f"folder:{file}")) == 1


def test_reading_stops_at_the_declared_size(tmp_path: Path) -> None:
    """A member that says it is small and is not, is cut where it said, and its checksum finds it out."""
    file = pack(tmp_path / "x.zip", {"a.png": png() + bytes(2**26), "b.png": png(7)})
    content = bytearray(file.read_bytes())
    entry = content.index(b"PK\1\2")
    content[entry + 24 : entry + 28] = struct.pack("<I", len(png()))
    file.write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(ganzoo.DataError, match=r"x.zip/a.png' cannot be read: Bad CRC-32.*--data.skip N"):
            read(f"folder:{file}")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2**22, "the 64 MiB behind the declared size were unpacked"
    assert reds(read(f"folder:{file}", skip=1)) == [7]


def test_damage_inside_is_named_with_archive_and_member(tmp_path: Path) -> None:
    file = pack(tmp_path / "x.zip", {f"{number}.png": png(number) for number in range(3)})
    content = bytearray(file.read_bytes())
    content[content.index(b"1.png") + 20] ^= 0xFF
    file.write_bytes(content)
    with pytest.raises(ganzoo.DataError, match=r"x.zip/1.png' cannot be read: "):
        read(f"folder:{file}")
    assert reds(read(f"folder:{file}", skip=1)) == [0, 2]


def test_a_run_trains_on_an_archive(command: Command, place: Path) -> None:
    pack(place / "cats.zip", {f"{number}.png": png(30 * number) for number in range(4)})
    line = "run dcgan --data folder:cats.zip --image-size 16 --batch-size 4 --epochs 1 --out run"
    answer = command(*line.split())
    assert answer.status == 0, answer.err
    assert sorted(path.name for path in place.iterdir()) == ["cats.zip", "run"]
