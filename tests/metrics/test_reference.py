"""Reference statistics in place of real images: what files are read, and that figures are those of the images."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from shared import Command
from test_evaluate import copied, lines  # the former is a fixture  # noqa: F401

import ganzoo
from ganzoo.contract.statistics import Statistics

WIDTH = 64
"""Features of the digits extractor."""


def arrays(width: int = WIDTH) -> dict[str, Any]:
    rows = np.random.default_rng(0).normal(size=(200, width))
    return {"mu": rows.mean(0), "sigma": np.cov(rows, rowvar=False)}


def test_statistics_are_numpys_and_come_back_from_a_file(tmp_path: Path) -> None:
    rows = torch.randn(50, 7, generator=torch.Generator().manual_seed(0))
    found = Statistics.of(rows)
    np.testing.assert_allclose(found.mu, rows.double().numpy().mean(0))
    np.testing.assert_allclose(found.sigma, np.cov(rows.double().numpy().T))
    found.save(tmp_path / "deep" / "real.npz")
    again = Statistics.read(tmp_path / "deep" / "real.npz")
    assert again.checksum() == found.checksum() != Statistics.of(rows[:-1]).checksum()
    assert [file.name for file in (tmp_path / "deep").iterdir()] == ["real.npz"]


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_what_others_save_beside_counts_for_nothing(kind: type, tmp_path: Path) -> None:
    """ADM's files hold statistics of spatial features and images, too; clean-fid's and TTUR's hold mu and sigma."""
    values = {name: value.astype(kind) for name, value in arrays(5).items()}
    spatial: dict[str, Any] = {
        "mu_s": np.zeros(9),
        "sigma_s": np.zeros((9, 9)),
        "arr_0": np.zeros((2, 4, 4, 3), np.uint8),
    }
    np.savez_compressed(tmp_path / "adm.npz", **values, **spatial)
    np.savez(tmp_path / "ttur.npz", **values)
    first, second = (Statistics.read(tmp_path / f"{name}.npz") for name in ("adm", "ttur"))
    assert first.checksum() == second.checksum()
    assert first.width == 5
    np.testing.assert_array_equal(first.sigma, values["sigma"].astype(np.float64))


def test_other_files_are_no_statistics(tmp_path: Path) -> None:
    good, file = arrays(4), tmp_path / "real.npz"
    crooked = good["sigma"] + np.arange(16).reshape(4, 4)
    for wrong in (
        {"mu": good["mu"]},
        {**good, "mu": good["mu"][:3]},
        {**good, "sigma": good["mu"]},
        {**good, "mu": good["mu"] * np.nan},
        {**good, "sigma": crooked},
        {**good, "mu": np.array([{}, {}, {}, {}], dtype=object)},
        {**good, "mu": np.array(["a", "b", "c", "d"])},
    ):
        np.savez(file, **wrong)
        with pytest.raises(ganzoo.DataError, match="holds no reference statistics"):
            Statistics.read(file)
    np.save(tmp_path / "array.npy", good["mu"])
    for content in (b"", b"PK\x03\x04", b"mu sigma", (tmp_path / "array.npy").read_bytes()):
        file.write_bytes(content)
        with pytest.raises(ganzoo.DataError, match="holds no reference statistics"):
            Statistics.read(file)


def test_kept_statistics_give_the_figure_of_the_images(
    command: Command,
    copied: Path,  # noqa: F811 - the fixture
) -> None:
    words = "evaluate dcgan --samples 100 --reals 300 --metric fid --json"
    with_images = json.loads(command(*words.split(), "--save-reference", "real.npz").out)
    assert with_images["protocol"]["reals"] == 300
    answer = command(*["evaluate", "dcgan", "--samples", "100", "--reference", "real.npz", "--json"])
    assert answer.status == 0, answer.err
    found = json.loads(answer.out)
    assert found["figures"] == {"fid": pytest.approx(with_images["figures"]["fid"], rel=1e-9)}
    assert found["protocol"]["reference"] == "real.npz"
    assert found["protocol"]["images"] == Statistics.read(Path("real.npz")).checksum()
    assert "reals" not in found["protocol"]
    assert len(lines(copied / "dcgan")) == 2
    shown = command(*["evaluate", "dcgan", "--samples", "100", "--reference", "real.npz"]).out
    assert "100 images made, beside reference statistics real.npz" in shown


def test_statistics_of_another_extractor_are_refused(
    command: Command,
    copied: Path,  # noqa: F811 - the fixture
) -> None:
    np.savez("inception.npz", **arrays(20))
    answer = command(*["evaluate", "dcgan", "--samples", "100", "--reference", "inception.npz"])
    assert answer.status == 2
    said = "'inception.npz' holds statistics of 20 features, and the extractor 'digits' gives 64; name the --extractor"
    assert said in " ".join(answer.err.split())
    assert not lines(copied / "dcgan")
