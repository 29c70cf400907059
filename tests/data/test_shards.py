"""The plugin `shards`: WebDataset archives, read as training goes on."""

import json
import multiprocessing
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import torch
import webdataset
from ganzoo_data_shards import Shards
from packing import IMAGE, images, number, one_pass, pack, picture, stream
from streams import started_since
from trained import Send

import ganzoo
from ganzoo.base.signals import Interrupted
from ganzoo.config import validate
from ganzoo.data.load import DataOptions, load
from ganzoo.data.stream_loader import StreamLoader
from ganzoo.errors import DataError

pytestmark = pytest.mark.usefixtures("toy")


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    """A folder of eight shards with three images each, numbered throughout, as webdataset's own writer packs them."""
    folder = tmp_path / "shards"
    folder.mkdir()
    for shard in range(8):
        with webdataset.TarWriter(str(folder / f"data-{shard:03}.tar")) as writer:
            for number in range(3 * shard, 3 * shard + 3):
                writer.write({"__key__": f"{number:03}", "png": picture(number), "cls": str(number % 5)})
    return folder


def test_braces_folders_wildcards_and_lists_of_them(shards: Path) -> None:
    every = [str(shards / f"data-{shard:03}.tar") for shard in range(8)]
    (shards / "notes.txt").touch()
    for pattern in (shards, f"{shards}/data-{{000..007}}.tar", f"{shards}/*.tar", f"{shards}/data-00?.tar"):
        assert stream(pattern).shards == every
    assert stream(f"{shards}/data-001.tar::{shards}/data-{{003,005}}.tar").shards == [every[1], every[3], every[5]]
    assert len(stream(shards)) == 24
    assert len(stream(shards, count=1000)) == 1000


@pytest.mark.parametrize("workers", [0, 2])
def test_every_image_of_a_pass_is_seen_once_by_all_ranks_and_workers(shards: Path, workers: int) -> None:
    seen = []
    for rank in range(2):
        batches = StreamLoader(stream(shards), 6, workers=workers, rank=rank, count=2)
        assert batches.per_epoch == 4
        drawn = torch.cat([batches.draw(iteration).image for iteration in range(8)])
        seen += [number(image) for image in drawn]
        assert [number(image) for image in drawn[:12]] != sorted(number(image) for image in drawn[:12])
    assert sorted(seen) == sorted(2 * list(range(24)))


@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_follows_from_seed_and_pass(shards: Path, seed: int) -> None:
    def order(passes: int) -> list[list[int]]:
        batches = StreamLoader(stream(shards), 24, seed=seed)
        return [[number(image) for image in batches.draw(turn).image] for turn in range(passes)]

    assert order(3) == order(3)
    assert len({tuple(turn) for turn in order(3)}) == 3


@pytest.mark.parametrize("taken", [0, 1, 2, 3, 4, 11, 12, 13, 30])
def test_reading_goes_on_after_any_row(shards: Path, taken: int) -> None:
    opened, rows = stream(shards), []
    reader, position = opened.read(7, 1, 2, ()), ganzoo.Position()
    for _ in range(taken):
        position = next(reader)[1]
    again = opened.read(7, 1, 2, tuple(json.loads(json.dumps(position))))
    for _ in range(15):
        (row, one), (other_row, other) = next(reader), next(again)
        assert one == other
        assert torch.equal(row["image"], other_row["image"])
        rows.append(number(row["image"]))
    assert len(set(rows)) > 5


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_after_a_stop_are_the_same(shards: Path, workers: int) -> None:
    whole = StreamLoader(stream(shards), 5, workers=workers)
    for iteration in range(4):
        whole.draw(iteration)
    batches = StreamLoader(stream(shards), 5, workers=workers)
    batches.load_state(json.loads(json.dumps(whole.state())))
    for iteration in range(4, 12):
        assert torch.equal(whole.draw(iteration).image, batches.draw(iteration).image)


def test_one_image_more_or_less_in_a_shard_does_no_harm_to_positions(shards: Path) -> None:
    assert number(next(stream(shards).read(0, 0, 1, (3, 2, 99, 0)))[0]["image"]) < 24
    assert next(stream(shards).read(0, 0, 1, (3, 99, 0, 0)))[1] == (4, 0, 1, 0)


def test_fields(tmp_path: Path) -> None:
    pack(
        tmp_path / "a.tar",
        {
            "README.md": b"left out",
            "deep/1.JPG": picture(10, "jpeg"),
            "deep/1.cls": b" 3\n",
            "deep/1.txt": "ein süßer Hund".encode(),
            "deep/1.source.webp": picture(50, "webp"),
            "deep/1.target.jpeg": picture(90, "jpeg"),
        },
    )
    (row,) = one_pass(tmp_path, frozenset(Shards.provides), class_count=4, caption_bytes=8)
    assert {name: (value.dtype, tuple(value.shape)) for name, value in row.items()} == {
        "image": (torch.uint8, (3, 4, 4)),
        "source": (torch.uint8, (3, 4, 4)),
        "target": (torch.uint8, (3, 4, 4)),
        "label": (torch.int64, ()),
        "caption": (torch.uint8, (8,)),
    }
    for name, red in (("image", 10), ("source", 50), ("target", 90)):
        assert abs(number(row[name]) - red) < 9, name
    assert row["label"] == 3
    assert bytes(row["caption"].tolist()) == "ein sü".encode() + b"\0"
    assert stream(tmp_path, frozenset({"label"}), class_count=4).classes == ("0", "1", "2", "3")


def test_packed_with_gzip(tmp_path: Path) -> None:
    pack(tmp_path / "a.tar.gz", images(1, 2))
    pack(tmp_path / "b.tgz", images(3))
    assert [number(row["image"]) for row in one_pass(tmp_path)] == [1, 2, 3]


def test_a_run_from_shards_to_folder_that_goes_on_with_other_workers(shards: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {
        "data": f"shards:{shards}/data-{{000..007}}.tar", "image_size": 16, "batch_size": 4, "precision": "fp32",
        "out": tmp_path / "run",
    }  # fmt: skip
    before = multiprocessing.active_children()
    ganzoo.run("toy", epochs=2, workers=2, **options)
    assert started_since(before) == []
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["data"]["path"] == options["data"].removeprefix("shards:")
    gan = ganzoo.run("toy", epochs=3, workers=0, **options)
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert [line["iteration"] for line in lines] == [12, 18]
    assert gan.generate(2).shape == (2, 3, 16, 16)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_run_on_shards_that_was_stopped_is_the_same_to_the_last_bit(
    workers: int, shards: Path, tmp_path: Path
) -> None:
    options: dict[str, Any] = {
        "data": f"shards:{shards}/data-{{000..007}}.tar", "image_size": 16, "batch_size": 4, "precision": "fp32",
        "epochs": 2, "workers": workers, "log_every": 3, "checkpoint_every": 4,
    }  # fmt: skip
    ganzoo.run("toy", out=tmp_path / "whole", **options)
    with pytest.raises(Interrupted):
        ganzoo.run("toy", out=tmp_path / "stopped", callback=Send(5, signal.SIGTERM), **options)
    ganzoo.run("toy", out=tmp_path / "stopped", **options)
    files = sorted((tmp_path / "whole" / "checkpoints" / "00000012").iterdir())
    assert len(files) == 6
    for file in files:
        assert file.read_bytes() == (tmp_path / "stopped" / file.relative_to(tmp_path / "whole")).read_bytes(), file


def test_more_readers_than_shards(shards: Path) -> None:
    with pytest.raises(DataError, match=r"fewer shards \(8\) than readers \(9: for each GPU .*; give fewer --workers"):
        StreamLoader(stream(shards), 3, workers=3, count=3).draw(0)


@pytest.mark.process
def test_shards_packed_as_the_docs_say_are_read(tmp_path: Path) -> None:
    docs = Path(__file__).parents[2] / "docs" / "streaming.md"
    script = re.findall(r"```python[^\n]*\n(.*?)```", docs.read_text(encoding="utf-8"), re.DOTALL)[0]
    for name, reds in {"birds": (0, 50), "cats": (100, 150, 200)}.items():
        (tmp_path / name).mkdir()
        for red in reds:
            (tmp_path / name / f"{red}.jpg").write_bytes(picture(red, "jpeg"))
    subprocess.run([sys.executable, "-c", script, tmp_path], cwd=tmp_path, check=True)
    rows = one_pass(f"{tmp_path}/cats-{{000000..000000}}.tar", frozenset({"image", "label"}), class_count=2)
    assert [(round(number(row["image"]), -1), row["label"].item()) for row in rows] == [
        (0, 0), (50, 0), (100, 1), (150, 1), (200, 1),
    ]  # fmt: skip


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder."""

    def log_message(self, *arguments: object) -> None:
        """Says nothing."""


@pytest.fixture
def address(shards: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Where a server on this machine has the shards; proxies are not asked."""
    monkeypatch.setenv("no_proxy", "*")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(shards))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("workers", [0, 2])
def test_shards_are_fetched(address: str, shards: Path, workers: int) -> None:
    pack(shards / "data-000.tar.gz", images(0, 1, 2))
    dataset = Shards(path=f"{address}/data-{{000.tar.gz,001.tar,002.tar,003.tar}}", count=12)
    data = load(validate(DataOptions, {"data": dataset, "image_size": 4, "batch_size": 3}), IMAGE)
    assert data.stream is not None
    assert data.preview["image"].shape == (12, 3, 4, 4)
    batches = StreamLoader(data.stream, 3, workers=workers)
    assert batches.per_epoch == 4
    seen = sorted(number(image) for turn in range(4) for image in batches.draw(turn).image)
    batches.close()  # what fetches ahead would look for the server when it is gone
    assert seen == list(range(12))


def test_fetched_shards_are_not_counted_and_may_be_missing(address: str) -> None:
    with pytest.raises(DataError, match=r"say how many images they hold, --data.count N"):
        len(stream(f"{address}/data-{{000..007}}.tar"))
    with pytest.raises(DataError, match=r"'http://127.0.0.1:\d+/no.tar' cannot be fetched: HTTP Error 404"):
        next(stream(f"{address}/no.tar", count=3).read(0, 0, 1, ()))
