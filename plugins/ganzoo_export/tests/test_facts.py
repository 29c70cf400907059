"""What is published of a run: neither where things lay, nor what opens them."""

import json
import shlex
from pathlib import Path

import pytest
from ganzoo_export.facts import facts_of, unplaced, unplaced_command

import ganzoo
from ganzoo.contract.data_spec import DataSpec
from ganzoo.contract.networks import Networks
from ganzoo.plugins import zoo


@pytest.mark.parametrize(
    ("told", "published"),
    [
        ("/home/alice/cats", "cats"),
        ("folder:/home/alice/cats", "folder:cats"),
        ("/home/alice/my own/cats", "cats"),
        ("/home/o'brien/cats", "cats"),
        ("file:///home/alice/cats", "cats"),
        ("FILE://server/home/alice/cats", "cats"),
        ("sqlite:////home/alice/runs.db", "runs.db"),
        ("../../alice/cats", "cats"),
        ("runs/../../alice/cats", "cats"),
        ("C:/Users/alice/cats", "cats"),
        ("folder:C:\\Users\\alice\\cats", "folder:cats"),
        ("\\\\server\\alice\\cats", "cats"),
        ("~/cats", "cats"),
        ("~alice/all/cats", "cats"),
        ("csv:a=1,file=/home/alice/x", "csv:a=1,file=x"),
        ("csv:file=~/alice,b/x,a=1", "csv:file=x,a=1"),
        ("/home/alice/a,/home/alice/b", "a,b"),
        ('["/home/alice/a", "b"]', '["a", "b"]'),
        ("shards:https://u:pw@host/x?sig=SECRET", "shards:https://host/x"),
        ("https://host:8000/x?a=1,b=SECRET#SECRET", "https://host:8000/x"),
        ("https://u:p?w@host/x", "https://host/x"),
        ("shards:https://host/x,file=/home/alice/y", "shards:https://host/x,file=y"),
        *(
            (plain, plain)
            for plain in ("https://x.org/a-{0..9}.tar", "runs/a b", "AMD EPYC, 2 cores", "fid / kid: 3/4", "s3://b/a")
        ),
    ],
)
def test_places_become_names_and_addresses_lose_their_keys(told: str, published: str) -> None:
    assert unplaced({"a": [told, 3]}) == {"a": [published, 3]}
    assert shlex.split(unplaced_command(shlex.join(["ganzoo", told]))) == ["ganzoo", published]


def test_a_command_keeps_its_words() -> None:
    told = "/opt/me/bin/ganzoo run dcgan --data folder:/home/me/cats --out=/data/x --callback csv:file=~/x 'runs/a b'"
    assert unplaced_command(told) == ("ganzoo run dcgan --data folder:cats --out=x --callback csv:file=x 'runs/a b'")


def test_how_it_was_measured_tells_no_more(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    protocol = {"weights": "/home/alice/inception.pt", "data": "https://u:pw@host/x?sig=SECRET"}
    row = {"iteration": 1, "protocol": protocol, "figures": {"fid": 1.5}}
    (tmp_path / "evaluations.jsonl").write_text(json.dumps(row))
    spec = DataSpec(dataset="x", shapes={"image": (1, 16, 16)})
    trained = ganzoo.TrainedGAN(tmp_path, zoo().gan("dcgan").model_validate({}), spec, Networks(), 1)
    (kept,) = facts_of(trained).evaluations
    assert kept == {**row, "protocol": {"weights": "inception.pt", "data": "https://host/x"}}
