"""Every GAN of the zoo, found in the registry: no list of names, no exceptions."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from trained import Send

import ganzoo
from benchmarks.proofs import Proof, proofs, untrained
from ganzoo.base.signals import Interrupted
from ganzoo.data.load import describe
from ganzoo.options.run import resolve
from ganzoo.plugins import zoo
from ganzoo.runs.checkpoint import checkpoints
from ganzoo.training.trainer import Trainer

GANS = sorted(zoo().gans)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU; on the CPU check_gan looks after it")
@pytest.mark.parametrize("name", GANS)
def test_a_run_that_was_stopped_is_the_same_to_the_last_bit(name: str, tmp_path: Path) -> None:
    options: dict[str, Any] = {
        "image_size": 32,
        "limit": 8,
        "batch_size": 2,
        "epochs": 3,
        "log_every": 3,
        "sample_every": 4,
        "checkpoint_every": 4,
        "keep_every": 4,
        "precision": "fp32",
        "ema_images": 20,
        "lr_schedule": "cosine",
        "spectral_norm": True,
        "device": "cuda",
        "deterministic": True,
    }
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    ganzoo.run(name, out=whole, **options)
    with pytest.raises(Interrupted):
        ganzoo.run(name, out=stopped, callback=Send(5, signal.SIGTERM), **options)
    assert checkpoints(stopped / "checkpoints")[-1].name == "00000005"
    ganzoo.run(name, out=stopped, **options)
    for pattern in ("checkpoints/*/*", "samples/*"):
        files = sorted(whole.glob(pattern))
        assert len(files) >= 3
        for file in files:
            assert file.read_bytes() == (stopped / file.relative_to(whole)).read_bytes(), file
    assert logged(whole) == logged(stopped)


def logged(run: Path) -> list[dict[str, float]]:
    """All that is logged but for the speed."""
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [row["iteration"] for row in rows] == [3, 6, 9, 12]
    return [{name: value for name, value in row.items() if name != "images_per_second"} for row in rows]


@pytest.mark.parametrize("name", GANS)
def test_it_says_what_it_is(name: str) -> None:
    gan = zoo().gan(name)
    assert gan.summary()
    assert gan.paper(), "its module's docstring names no paper"
    assert 2014 <= int(gan.year()) <= 2100
    assert gan.dataset in zoo().datasets
    options = resolve(gan, {})
    assert describe(options, gan.needs, options.gan.scale_factor).shapes.keys() == gan.needs


@pytest.mark.learns
@pytest.mark.parametrize(
    ("name", "kind"),
    [pytest.param(name, kind, id=f"{name}-{kind.name}") for name in GANS for kind in proofs(zoo().gan(name))],
)
def test_it_learns(name: str, kind: type[Proof], place: Path) -> None:
    """A training of seconds makes it better than it was by the proof's factor; benchmarks/quality.py trains longer."""
    fresh = Trainer.setup(resolve(zoo().gan(name), kind.tiny))
    proof = kind(fresh.options, 500)
    before = proof.measure(untrained(fresh))
    given: dict[str, Any] = {**kind.tiny, "sample_every": 10**6, "checkpoint_every": 10**6}
    after = proof.measure(ganzoo.run(name, out=place / "run", **given))
    assert proof.proves(before, after), f"untrained {before}, trained {after}"
