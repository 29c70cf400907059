"""Data options, and what loading with them gives: the fields that are needed, split, limited and described."""

import json
from pathlib import Path

import pytest
import torch
from PIL import Image
from streams import Streamed
from torch import Tensor

import ganzoo
from ganzoo.config import validate
from ganzoo.data.load import DataOptions, data_folder, describe, load, load_some
from ganzoo.data.stream_loader import StreamLoader
from ganzoo.errors import ContractError, DataError, OptionError, UnknownName

PAIR = frozenset({"source", "target"})
IMAGE = frozenset({"image"})


class Made(ganzoo.Dataset):
    """Numbered rows, to see which ones arrive where."""

    name = "made"
    provides = frozenset({"image", "source", "target", "label", "caption"})
    channels = 1
    classes = ("even", "odd")
    shapes = {"label": (), "caption": (5,)}
    rows: int = 40
    targets: int = 40
    forgets: frozenset[str] = frozenset()

    def load(self, request: ganzoo.DataRequest) -> ganzoo.InMemoryData:
        def images(count: int, offset: int) -> Tensor:
            rows = torch.tensor(request.rows(count), dtype=torch.uint8)
            return request.fit_all((rows + offset)[:, None, None, None].expand(-1, 1, 4, 4))

        rows = torch.tensor(request.rows(self.rows))
        columns = {
            "image": lambda: images(self.rows, 0),
            "source": lambda: images(self.rows, 0),
            "target": lambda: images(self.targets, 100),
            "label": lambda: rows % 2,
            "caption": lambda: torch.zeros(len(rows), 5, dtype=torch.uint8),
        }
        return ganzoo.InMemoryData({name: columns[name]() for name in request.fields - self.forgets}, self.classes)


class Split(Made):
    """The same with a test split, whose rows begin at 200."""

    name = "split"
    splits = frozenset({"train", "test"})

    def load(self, request: ganzoo.DataRequest) -> ganzoo.InMemoryData:
        table = super().load(request)
        return ganzoo.InMemoryData(
            {name: column + 200 * (request.split == "test") for name, column in table.columns.items()}
        )


def options(data: object = None, **values: object) -> DataOptions:
    return validate(DataOptions, {"data": data or Made(), "image_size": 4, "batch_size": 4} | values)


def numbers(images: Tensor) -> list[int]:
    return images[:, 0, 0, 0].tolist()


@pytest.mark.parametrize(
    ("given", "expected"),
    [(64, (64, 64)), ("64", (64, 64)), ("64x96", (64, 96)), ((5, 7), (5, 7)), ([5, 7], (5, 7)), ("1X2", (1, 2))],
)
def test_image_sizes(given: object, expected: object) -> None:
    assert options(image_size=given).image_size == expected


@pytest.mark.parametrize("given", ["big", 0, -3, "0x5", "64x", "64x64x3", (1, 2, 3), (0, 4), 2.5, True, None, ""])
def test_what_is_no_image_size_is_said_plainly(given: object) -> None:
    with pytest.raises(OptionError, match=r"option 'image_size' cannot be .*height x width such as 64x96") as caught:
        options(image_size=given)
    assert "\n" not in str(caught.value)


def test_channels() -> None:
    assert [options(channels=given).channels for given in (None, "1", "3", "4", 3)] == [None, 1, 3, 4, 3]
    for wrong in (2, "2", "rgb"):
        with pytest.raises(OptionError, match=r"option 'channels' cannot be .*1, 3 or 4"):
            options(channels=wrong)


def test_numbers_and_words_have_ranges() -> None:
    for name, wrong in (("limit", 0), ("batch_size", 0), ("batch_size", "many"), ("direction", "sideways")):
        with pytest.raises(OptionError, match=f"option '{name}' cannot be"):
            options(**{name: wrong})
    with pytest.raises(UnknownName, match=r"no data set is called 'mnits'; did you mean 'mnist'\?"):
        options("mnits")


def test_every_option_has_a_help_text() -> None:
    assert all(field.description for field in DataOptions.model_fields.values())


def test_options_survive_json() -> None:
    before = validate(DataOptions, {"data": "pairs:some/where", "image_size": "64x96", "channels": "1", "limit": 5})
    values = json.loads(json.dumps(before.model_dump(mode="json")))
    assert values["data"] == {"name": "pairs", "path": "some/where", "skip": 0}
    assert validate(DataOptions, values) == before


def test_only_what_is_needed_is_loaded_and_described() -> None:
    needs = frozenset({"image", "label", "caption"})
    data = load(options(image_size="3x5", channels="3"), needs)
    assert data.spec.dataset == "made"
    assert data.spec.shapes == {"image": (3, 3, 5), "label": (), "caption": (5,)}
    assert data.spec.classes == ("even", "odd")
    assert [set(stream) for stream in data.streams] == [needs]
    assert data.streams[0]["image"].shape == (40, 3, 3, 5)
    assert data.streams[0]["label"].tolist() == [0, 1] * 20
    assert load(options(), IMAGE).spec.classes == ()


@pytest.mark.parametrize("values", [{}, {"channels": 4, "image_size": "3x5"}, {"direction": "backward"}])
@pytest.mark.parametrize("needs", [IMAGE, PAIR, frozenset({"image", "label"}), frozenset({"caption", "image"})])
def test_describe_says_what_load_would(values: dict[str, object], needs: frozenset[str]) -> None:
    assert describe(options(**values), needs) == load(options(**values), needs).spec


def test_a_field_that_is_not_provided() -> None:
    with pytest.raises(DataError) as caught:
        load(validate(DataOptions, {"data": "mnist"}), PAIR)
    message = str(caught.value)
    assert message.startswith("'mnist' has no source, target; it has: caption, image, label; data sets that have: ")
    assert "openmoji, pairs:PATH" in message
    with pytest.raises(DataError, match=r"'mnist' has no source, target"):
        describe(validate(DataOptions, {"data": "mnist"}), PAIR)
    with pytest.raises(DataError, match=r"'made' has no depth; .*data sets that have: none"):
        load(options(), frozenset({"image", "depth"}))


def test_a_field_that_is_provided_but_not_there() -> None:
    with pytest.raises(DataError, match=r"'made' has no label here; it has: image"):
        load(options(Made(forgets=frozenset({"label"}))), frozenset({"image", "label"}))


def test_limit_takes_rows_at_even_distances() -> None:
    assert numbers(load(options(limit=4), IMAGE).streams[0]["image"]) == [0, 10, 20, 30]
    assert numbers(load(options(limit=100), IMAGE).streams[0]["image"]) == list(range(40))
    assert numbers(load(options(limit=7), IMAGE).streams[0]["image"]) == [0, 5, 11, 17, 22, 28, 34]


def test_held_out_rows_are_not_trained_on() -> None:
    held = [0, 10, 20, 30]
    rest = [row for row in range(40) if row not in held]
    assert numbers(load(options(hold_out=4), IMAGE).streams[0]["image"]) == rest
    assert numbers(load_some(options(hold_out=4), IMAGE, "held-out", 100).columns["image"]) == held
    assert numbers(load_some(options(hold_out=4), IMAGE, "held-out", 2).columns["image"]) == [0, 20]
    assert numbers(load_some(options(hold_out=4), IMAGE, "train", 100).columns["image"]) == rest
    assert numbers(load(options(hold_out=4, limit=6), IMAGE).streams[0]["image"]) == [rest[6 * row] for row in range(6)]
    whole = Split().rows
    assert len(load_some(options(Split(), hold_out=4), IMAGE, "test", 100).columns["image"]) == whole


def test_what_cannot_be_held_out_is_refused() -> None:
    with pytest.raises(DataError, match=r"--hold-out 40 leaves none of 40 images to train on; try --hold-out 4"):
        load(options(hold_out=40), IMAGE)
    with pytest.raises(DataError, match=r"'made' was held out of training; .*--hold-out 1000, or try --split train"):
        load_some(options(), IMAGE, "held-out", 10)


def test_a_batch_larger_than_the_data() -> None:
    with pytest.raises(DataError, match=r"'made' gives 40 images, too few for a batch of 41; try --batch-size 40"):
        load(options(batch_size=41), IMAGE)
    with pytest.raises(DataError, match=r"try --batch-size 3"):
        load(options(limit=3), IMAGE)
    assert load(options(batch_size=40), IMAGE)


def test_backward_swaps_source_and_target() -> None:
    forward, backward = load(options(), PAIR), load(options(direction="backward"), PAIR)
    assert numbers(forward.streams[0]["source"])[:3] == [0, 1, 2]
    assert numbers(backward.streams[0]["source"])[:3] == [100, 101, 102]
    assert numbers(backward.streams[0]["target"])[:3] == [0, 1, 2]
    assert numbers(backward.preview["target"])[:3] == [0, 1, 3]
    only = load(options(direction="backward"), frozenset({"source", "image"})).streams[0]
    assert numbers(only["source"])[:2] == [100, 101]
    assert numbers(only["image"])[:2] == [0, 1]


def test_groups_have_streams_of_their_own() -> None:
    data = load(options(Made(targets=9)), PAIR | {"label"}, [frozenset({"target"})])
    assert [set(stream) for stream in data.streams] == [{"source", "label"}, {"target"}]
    assert len(data.streams[1]["target"]) == 9
    assert {len(rows) for rows in data.preview.values()} == {9}
    assert [
        set(stream) for stream in load(options(), PAIR, [frozenset({"source"}), frozenset({"target"})]).streams
    ] == [{"source"}, {"target"}]
    groups = [frozenset({"image", "label"})]
    assert [set(stream) for stream in load(options(), PAIR | groups[0], groups).streams] == [PAIR, groups[0]]


def test_a_stream_of_what_is_not_needed() -> None:
    with pytest.raises(ContractError, match=r"has a stream of label, which it does not need"):
        load(options(), IMAGE, [frozenset({"label"})])


def test_rows_that_belong_together_are_equally_many() -> None:
    with pytest.raises(ContractError, match=r"differ in length: .*'target': 9"):
        load(options(Made(targets=9)), PAIR)


def test_the_preview_is_of_the_test_split_if_there_is_one() -> None:
    preview = load(options(Split(), limit=5), PAIR).preview
    assert len(preview["source"]) == 25
    assert numbers(preview["source"])[:3] == [200, 201, 203]


def test_the_preview_is_at_even_distances() -> None:
    assert numbers(load(options(Made(rows=50)), IMAGE).preview["image"]) == list(range(0, 50, 2))
    assert numbers(load(options(limit=4), IMAGE).preview["image"]) == [0, 10, 20, 30]


def test_where_downloads_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GANZOO_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert data_folder().name == "ganzoo"
    monkeypatch.setenv("GANZOO_DATA", str(tmp_path / "named"))
    assert data_folder(None) == tmp_path / "named"
    assert data_folder(tmp_path / "given") == tmp_path / "given"


def test_the_folder_reaches_the_data_set(tmp_path: Path) -> None:
    (tmp_path / "MNIST").write_text("in the way")
    with pytest.raises(DataError, match=r"--data-dir"):
        load(validate(DataOptions, {"data": "mnist"}), IMAGE, folder=tmp_path)


def test_images_of_a_real_folder_arrive(tmp_path: Path) -> None:
    for number in range(3):
        Image.new("RGB", (8, 8), (number, 0, 0)).save(tmp_path / f"{number}.png")
    data = load(options(f"folder:{tmp_path}", batch_size=2), IMAGE)
    assert numbers(data.streams[0]["image"]) == [0, 1, 2]
    assert data.spec.shapes == {"image": (3, 4, 4)}


def streamed(rows: int = 40, **values: object) -> DataOptions:
    return options(Streamed(rows=rows), image_size=2, **values)


def test_a_streamed_data_set_is_opened_and_its_first_rows_shown() -> None:
    data = load(streamed(), frozenset({"image"}))
    assert (data.streams, data.spec.dataset, data.spec.shapes) == ((), "streamed", {"image": (3, 2, 2)})
    assert data.stream is not None
    assert len(data.stream) == 40
    assert data.preview.keys() == {"image"}
    assert len(set(numbers(data.preview["image"]))) == 25
    assert len(load(streamed(rows=9), frozenset({"image"})).preview["image"]) == 9


def test_backward_swaps_source_and_target_of_a_stream() -> None:
    needs = frozenset({"source", "target"})
    data = load(streamed(direction="backward"), needs)
    assert data.stream is not None
    batch = StreamLoader(data.stream, 4).draw(0)
    assert batch.keys() == needs | {"step"}
    assert torch.equal(batch.source, batch.target + 100)
    assert min(numbers(data.preview["source"])) >= 100 > max(numbers(data.preview["target"]))


def test_what_a_stream_cannot_do_is_said_plainly() -> None:
    image = frozenset({"image"})
    with pytest.raises(DataError, match="'streamed' is streamed, so no rows can be picked from it; leave --limit out"):
        load(streamed(limit=8), image)
    with pytest.raises(DataError, match="leave --hold-out out"):
        load(streamed(hold_out=8), image)
    with pytest.raises(DataError, match="'streamed' gives 40 images, too few for a batch of 41; try --batch-size 40"):
        load(streamed(batch_size=41), image)
    with pytest.raises(DataError, match="in one order, but the GAN wants target in an order of its own"):
        load(streamed(), frozenset({"source", "target"}), [frozenset({"target"})])
    with pytest.raises(DataError, match="'streamed' has no label here; it has: image"):
        load(streamed(), frozenset({"image", "label"}))
