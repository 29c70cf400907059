"""Shards that cannot be used, and what is said of them."""

import gzip
import sys
import tarfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from ganzoo_data_shards.reading import expansions, library
from packing import IMAGE, Files, images, number, pack, picture, stream
from shared import Answer, Command

import ganzoo
from ganzoo.config import validate
from ganzoo.data.load import DataOptions
from ganzoo.errors import DataError
from ganzoo.runs.checkpoint import checkpoints


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("pipe:touch {}/ran", r"'pipe:touch .*/ran' cannot be used: it would run a command"),
        ("data.tar::pipe:touch {}/ran", r"there is no shard 'data.tar'"),
        (
            "s3://bucket/data.tar",
            r"'s3://bucket/data.tar' cannot be used: it is not read; give paths of files, or http",
        ),
        ("file:///etc/hostname", r"'file:///etc/hostname' cannot be used"),
        ("{}/no-{{0..3}}.tar", r"there is no shard '.*no-0.tar'"),
        ("{}/*.tar", r"there are no shards in '.*\*.tar' \(looked for .tar, .tar.gz, .tgz\)"),
        ("{}", r"there are no shards in "),
        ("${{HOME}}/a.tar", r"names an environment variable; write its value"),
        ("data-{{0..3.tar", r"is no pattern of shards: "),
        ("data-{{0..9999999999}}.tar", r"'data-{0..9999999999}.tar' means more than 1,000,000 shards; name fewer"),
        ("{{0..9}}{{0..999}}/{{x,{{0..999..2}}}}.tar", r"means more than 1,000,000 shards"),
        ("{{9..1}}.tar::{{1..1000000}}.tar", r"means more than 1,000,000 shards"),
        ("{{a,b}}" * 20, r"means more than 1,000,000 shards"),
        ("{{0.." + "9" * 5000 + "}}", r"is no pattern of shards: Exceeds the limit"),
    ],
)
def test_patterns_that_mean_nothing_or_harm(pattern: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        stream(pattern.format(tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "pattern",
    [
        "a.tar",
        "{0..9}{x,y}",
        "{a,b{0..9},c{d,e{0..2}}}",
        "a{0..99..2}",
        "{1..9..3}",
        "{1..9..0}",
        "{a..z}",
        "{x}",
        r"\{0..9\}",
        "{,}{,}{3..-3}",
        "{0..9\n}",
    ],
)
def test_as_many_names_are_foretold_as_there_are_or_more(pattern: str) -> None:
    names = len(library().shardlists.expand_urls(pattern))
    assert names == expansions(pattern) or names < expansions(pattern) == 52


def test_a_pattern_is_needed() -> None:
    for data in ("shards", "shards:", {"name": "shards"}):
        with pytest.raises(DataError, match=r"^'shards' needs to know where: write shards:PATH \(PATH: shards: data-"):
            validate(DataOptions, {"data": data})


def test_a_missing_library_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "webdataset", None)
    pack(tmp_path / "a.tar", images(1))
    with pytest.raises(DataError, match=r"pip install 'ganzoo\[shards\]'"):
        stream(tmp_path)


BROKEN: list[tuple[Files, frozenset[str], str]] = [
    ({"b.png": picture(1)[:40]}, IMAGE, r"'b.png in .*bad.tar' cannot be read: "),
    ({"b.png": b"no picture"}, IMAGE, r"'b.png in .*bad.tar' cannot be read: it is not an image"),
    ({**images(1), "b.cls": b"5"}, IMAGE | {"label"}, r"'b.cls in .*' holds '5'; expected a class, .* from 0 to 4"),
    ({**images(1), "b.cls": b"-1"}, IMAGE | {"label"}, r"'b.cls in .*' holds '-1'; expected a class"),
    ({**images(1), "b.cls": b"9" * 9999}, IMAGE | {"label"}, r"'b.cls in .*' holds '9{20}'; expected a class"),
    ({**images(1), "b.cls": b"\xff"}, IMAGE | {"label"}, r"'b.cls in .*' holds '�'; expected a class"),
    ({"b.png": picture(1), "b.txt": b"\xff"}, IMAGE | {"caption"}, r"'b.txt in .*' is no text in UTF-8"),
    (
        {"b.png": picture(1)},
        IMAGE | {"caption"},
        r"'b' in '.*bad.tar' has no caption \(txt\); files of one sample must",
    ),
]


@pytest.mark.parametrize(("files", "fields", "message"), BROKEN)
def test_broken_samples_are_named_or_left_out(
    files: Files, fields: frozenset[str], message: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broken = {name: content for name, content in files.items() if name.startswith("b.")}
    if "label" in fields:
        broken = {"b.png": picture(1), **broken}
    whole = {"c.png": picture(7), "c.cls": b"1", "c.txt": b"seven"}
    pack(tmp_path / "bad.tar", {**broken, **whole})
    options = {"class_count": 5} if "label" in fields else {}
    with pytest.raises(DataError, match=rf"{message}(?s:.*)--data.skip N leaves out"):
        for _ in zip(range(3), stream(tmp_path, fields, **options).read(0, 0, 1, ()), strict=False):
            pass
    reader = stream(tmp_path, fields, **options, skip=1).read(0, 0, 1, ())
    assert [number(next(reader)[0]["image"]) for _ in range(5)] == 5 * [7]
    assert "left out: " in caplog.text


def test_leaving_out_has_an_end_that_survives_a_stop(tmp_path: Path) -> None:
    broken = {f"b{number}.png": b"no picture" for number in range(3)}
    pack(tmp_path / "a.tar", {**images(1, 2, 3), **broken})
    opened = stream(tmp_path, skip=2)

    def each_from_where_the_one_before_was() -> Iterator[int]:
        position: ganzoo.Position = ()
        for _ in range(7):
            row, position = next(opened.read(0, 0, 1, position))
            yield number(row["image"])

    rows = each_from_where_the_one_before_was()
    with pytest.raises(DataError, match=r"is not an image, after 2 others in this pass; --data.skip"):
        assert {next(rows) for _ in range(4)} == {1, 2, 3}


def test_a_run_that_met_a_broken_sample_goes_on_without_it(command: Command, place: Path) -> None:
    (place / "shards").mkdir()
    pack(place / "shards" / "a.tar", images(*range(13)) | {"broken.png": b"no picture"})

    def run(data: str, *more: str) -> Answer:
        line = f"run dcgan --data shards:{data} --data.count 4 --image-size 16 --batch-size 2 --workers 0 --out run"
        return command(*line.split(), "--checkpoint-every", "1", "--epochs", "9", *more)

    stopped = run("shards")
    assert stopped.status == 2
    assert "is not an image; --data.skip N leaves out" in stopped.err
    assert checkpoints(place / "run" / "checkpoints"), "it broke down before there was anything to go on with"
    (place / "shards").rename(place / "moved")
    again = run("moved", "--data.skip", "1")
    assert again.status == 0, again.err
    assert "continues at iteration" in again.out
    refused = run("moved", "--data.skip", "1", "--data.caption-bytes", "7")
    assert (refused.status, "its data.caption_bytes is 256, not 7" in refused.err) == (2, True)


def test_no_more_is_left_out_than_a_run_that_goes_on_is_told(tmp_path: Path) -> None:
    pack(tmp_path / "a.tar", images(1) | {f"b{number}.png": b"no picture" for number in range(4)})
    with pytest.raises(DataError, match=r"after 2 others in this pass; --data.skip"):
        list(islice(stream(tmp_path, skip=1).read(0, 0, 1, (0, 0, 0, 2)), 9))  # it was told to leave out 2, or more


def test_shards_without_samples(tmp_path: Path) -> None:
    pack(tmp_path / "a.tar", {"notes.txt": b"no image"})
    message = r"there are no samples in '.*a.tar' or others that belong to it; expected KEY.jpg, KEY.jpeg, KEY.png"
    with pytest.raises(DataError, match=message):
        len(stream(tmp_path))
    with pytest.raises(DataError, match=message):
        next(stream(tmp_path, count=5).read(0, 0, 1, ()))
    pack(tmp_path / "b.tar", {"1.png": b"broken"})
    with pytest.raises(DataError, match=message):
        next(stream(tmp_path, count=5, skip=9).read(0, 0, 1, ()))


def test_two_files_of_one_kind(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for _ in range(2):
            archive.addfile(tarfile.TarInfo("1.png"))
    with pytest.raises(DataError, match=r"'.*a.tar' cannot be used: 1.png: duplicate file name"):
        len(stream(tmp_path))


def test_labels_need_a_number_of_classes(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"say how many classes there are, --data.class-count N"):
        stream(tmp_path, frozenset({"label"}))


def test_archives_that_are_refused_are_named(tmp_path: Path) -> None:
    shard = pack(tmp_path / "a.tar", {"1.png": picture(1), "../2.png": picture(2)})
    with pytest.raises(DataError, match=r"'.*a.tar' is refused for its member '../2.png': its name leads out"):
        len(stream(tmp_path))
    with pytest.raises(DataError, match=r"'.*a.tar' is refused for its member '../2.png': its name leads out"):
        next(stream(tmp_path, count=5).read(0, 0, 1, ()))
    shard.write_bytes(shard.read_bytes()[:700])
    with pytest.raises(DataError, match=r"'.*a.tar' is damaged"):
        len(stream(tmp_path))
    (tmp_path / "b.tgz").write_bytes(gzip.compress(shard.read_bytes())[:-9])
    with pytest.raises(DataError, match=r"'.*b.tgz' cannot be read: Compressed file ended"):
        len(stream(tmp_path / "b.tgz"))
