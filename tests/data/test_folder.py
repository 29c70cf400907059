"""The plugins `folder` and `pairs`."""

from pathlib import Path

import pytest
from PIL import Image
from torch import Tensor

from ganzoo.config import validate
from ganzoo.data.dataset import DataRequest, InMemoryData
from ganzoo.data.load import DataOptions, describe, load
from ganzoo.errors import DataError

IMAGE = frozenset({"image"})
LABELLED = frozenset({"image", "label"})
PAIR = frozenset({"source", "target"})


def save(path: Path, colour: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8), (colour, 0, 0)).save(path)


def beside(path: Path, left: int, right: int, width: int = 16) -> None:
    image = Image.new("RGB", (width, 8), (right, 0, 0))
    image.paste((left, 0, 0), (0, 0, 8, 8))
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


def read(data: str, fields: frozenset[str], limit: int | None = None) -> InMemoryData:
    dataset = validate(DataOptions, {"data": data}).data
    table = dataset.load(DataRequest(fields, (4, 4), 3, limit=limit))
    assert isinstance(table, InMemoryData)
    return table


def numbers(images: Tensor) -> list[float]:
    return images[:, 0].float().mean((1, 2)).tolist()


def test_images_are_sorted_and_limited(tmp_path: Path) -> None:
    for number in range(6):
        save(tmp_path / f"deep/er/{number}.png", number)
    (tmp_path / "deep" / "README.md").write_text("not an image")
    table = read(f"folder:{tmp_path}", IMAGE)
    assert table.columns.keys() == {"image"}
    assert numbers(table.columns["image"]) == [0, 1, 2, 3, 4, 5]
    assert numbers(read(f"folder:{tmp_path}", IMAGE, limit=3).columns["image"]) == [0, 2, 4]


def test_sub_folders_are_classes(tmp_path: Path) -> None:
    for name, colours in (("dogs", (10, 11)), ("cats", (20, 21, 22)), ("cats/fat", (23,))):
        for colour in colours:
            save(tmp_path / name / f"{colour}.PNG", colour)
    (tmp_path / "empty").mkdir()
    table = read(f"folder:{tmp_path}", LABELLED)
    assert table.classes == ("cats", "dogs")
    assert table.columns["label"].tolist() == [0, 0, 0, 0, 1, 1]
    assert numbers(table.columns["image"]) == [20, 21, 22, 23, 10, 11]
    assert read(f"folder:{tmp_path}", frozenset({"label"}), limit=2).columns["label"].tolist() == [0, 0]


def test_labels_need_sub_folders_and_nothing_beside_them(tmp_path: Path) -> None:
    save(tmp_path / "cats" / "1.png")
    save(tmp_path / "2.png")
    with pytest.raises(DataError, match=r"have no classes: put those of each class into a sub-folder"):
        read(f"folder:{tmp_path}", LABELLED)
    assert len(read(f"folder:{tmp_path}", IMAGE)) == 2


@pytest.mark.parametrize("name", ["folder", "pairs"])
def test_a_path_is_needed(name: str) -> None:
    for data in (name, f"{name}:", {"name": name}):
        with pytest.raises(DataError, match=rf"^'{name}' needs to know where: write {name}:PATH \(PATH: folder"):
            validate(DataOptions, {"data": data})


@pytest.mark.parametrize("name", ["folder", "pairs"])
def test_folders_that_cannot_be_used(tmp_path: Path, name: str) -> None:
    fields = IMAGE if name == "folder" else PAIR
    with pytest.raises(DataError, match=r"there is no folder '.*nowhere'"):
        read(f"{name}:{tmp_path}/nowhere", fields)
    with pytest.raises(DataError, match=r"no images"):
        read(f"{name}:{tmp_path}", fields)
    (tmp_path / "notes.txt").touch()
    with pytest.raises(DataError, match=r"notes.txt' is a file"):
        read(f"{name}:{tmp_path}/notes.txt", fields)
    with pytest.raises(DataError, match=r"no images"):
        read(f"{name}:{tmp_path}", fields)


@pytest.mark.parametrize("name", ["folder", "pairs"])
def test_a_broken_image_is_named(tmp_path: Path, name: str) -> None:
    for number in range(3):
        beside(tmp_path / f"{number}.png", 0, 1)
    whole = (tmp_path / "1.png").read_bytes()
    (tmp_path / "1.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"1.png' cannot be read"):
        read(f"{name}:{tmp_path}", IMAGE)


def test_halves(tmp_path: Path) -> None:
    for number in range(3):
        beside(tmp_path / f"{number}.png", number, 100 + number)
    save(tmp_path / "thumbnails" / "3.png")
    table = read(f"pairs:{tmp_path}", PAIR | IMAGE)
    assert numbers(table.columns["source"]) == [0, 1, 2]
    assert numbers(table.columns["target"]) == [100, 101, 102]
    assert table.columns["image"] is table.columns["target"]
    assert read(f"pairs:{tmp_path}", frozenset({"source"})).columns.keys() == {"source"}


def test_an_odd_width_cannot_be_halved(tmp_path: Path) -> None:
    beside(tmp_path / "even.png", 0, 1)
    beside(tmp_path / "odd.png", 0, 1, width=17)
    with pytest.raises(DataError, match=r"odd.png' is 17 pixels wide, which cannot be halved"):
        read(f"pairs:{tmp_path}", PAIR)


@pytest.mark.parametrize("names", [("A", "B"), ("a", "b"), ("source", "target"), ("trainA", "trainB")])
def test_two_folders(tmp_path: Path, names: tuple[str, str]) -> None:
    for number in range(4):
        save(tmp_path / names[0] / f"{number}.png", number)
        save(tmp_path / names[1] / f"{number}.bmp", 100 + number)
    (tmp_path / names[0] / ".DS_Store").touch()
    columns = read(f"pairs:{tmp_path}", PAIR, limit=2).columns
    assert numbers(columns["source"]) == [0, 2]
    assert numbers(columns["target"]) == [100, 102]


def test_files_without_a_partner_are_named(tmp_path: Path) -> None:
    for number in range(9):
        save(tmp_path / "A" / f"{number}.png")
        save(tmp_path / "B" / f"{number + 5}.png")
    with pytest.raises(DataError) as caught:
        read(f"pairs:{tmp_path}", PAIR)
    message = str(caught.value)
    assert "A': 0, 1, 2 and 2 more;" in message
    assert message.endswith("B': 10, 11, 12 and 2 more")
    assert "\n" not in message


def test_two_files_of_one_name_in_a_folder(tmp_path: Path) -> None:
    for name in ("A/1.png", "A/1.bmp", "B/1.png"):
        save(tmp_path / name)
    with pytest.raises(DataError, match=r"1.bmp' and '.*1.png' have the same name"):
        read(f"pairs:{tmp_path}", PAIR)


def test_one_of_the_two_folders_is_empty(tmp_path: Path) -> None:
    save(tmp_path / "A" / "1.png")
    (tmp_path / "B").mkdir()
    with pytest.raises(DataError, match=r"no images in '.*B'"):
        read(f"pairs:{tmp_path}", PAIR)


def test_folders_of_other_names_are_not_guessed_at(tmp_path: Path) -> None:
    save(tmp_path / "edges" / "1.png")
    save(tmp_path / "shoes" / "1.png")
    with pytest.raises(DataError, match=r"has no images, nor two folders of them called A and B"):
        read(f"pairs:{tmp_path}", PAIR)


def test_describe_needs_no_files() -> None:
    options = validate(DataOptions, {"data": "pairs:nowhere", "image_size": 16, "channels": 1})
    assert describe(options, PAIR).shapes == {"source": (1, 16, 16), "target": (1, 16, 16)}


def test_pairs_are_loaded_as_described(tmp_path: Path) -> None:
    for number in range(4):
        beside(tmp_path / f"{number}.png", number, 100 + number)
    options = validate(DataOptions, {"data": f"pairs:{tmp_path}", "image_size": 4, "batch_size": 4})
    assert load(options, PAIR).spec == describe(options, PAIR)
