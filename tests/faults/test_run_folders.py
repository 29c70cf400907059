"""Whatever is found in a run folder: it is taken up, or refused in words. Never a traceback.

`GANZOO_SOAK=1 pytest tests/faults/test_configs.py tests/faults/test_run_folders.py` tries 10,000 of them in place of
some hundreds.
"""

import contextlib
import copy
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from shared import vouch
from torch import nn
from tries import refused, tries

import ganzoo
from ganzoo.base.system import held_to_free_memory

pytestmark = pytest.mark.slow


class Made(ganzoo.Dataset):
    """Made-up pixels, from no plugin."""

    name = "made"
    provides = frozenset({"image"})
    channels = 1

    def load(self, request: ganzoo.DataRequest) -> ganzoo.InMemoryData:
        return ganzoo.InMemoryData({"image": torch.zeros((len(request.rows(4)), *request.shape), dtype=torch.uint8)})


class Small(ganzoo.Adversarial):
    """Two linear layers, from no plugin."""

    name = "small"
    latent_dim: int = 2

    def networks(self, data: ganzoo.DataSpec) -> ganzoo.Networks:
        pixels = data.shape[0] * data.shape[1] * data.shape[2]
        return ganzoo.Networks(
            generator=nn.Sequential(nn.Linear(self.latent_dim, pixels), nn.Tanh(), nn.Unflatten(1, data.shape)),
            discriminator=nn.Sequential(nn.Flatten(), nn.Linear(pixels, 1)),
        )


OPTIONS: dict[str, Any] = {
    "image_size": 4,
    "batch_size": 4,
    "epochs": 1,
    "device": "cpu",
    "precision": "fp32",
    "keep_memory": False,
}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder as it should be."""
    out = tmp_path_factory.mktemp("sound") / "run"
    ganzoo.run(Small, data=Made(), out=out, **OPTIONS)
    return out


JSON: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.floats(), st.text(max_size=6), st.integers(-3, 9),
        st.sampled_from([2**31, 2**62, 2**63, 10**30, -(10**30), "a\nb", "x" * 500, "small", "made", "cpu"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.text(max_size=6), st.sampled_from(["name", "image", "kind"])), inner, max_size=4),
    ),
    max_leaves=8,
)  # fmt: skip
NONSENSE = st.one_of(
    st.binary(max_size=60),
    JSON.map(lambda value: json.dumps(value).encode()),
    st.sampled_from([b"", b"{}", b"[" * 100_000, b'{"a":' * 100_000, b'{"a": ' + b"9" * 5000 + b"}", b"\xff\xfe{}"]),
    st.integers(50, 900).map(lambda depth: b'{"a":' * depth + b"1" + b"}" * depth),
)


@st.composite
def mutated(draw: st.DrawFn, content: dict[str, Any]) -> bytes:
    """A JSON object with one or two places of it changed, taken out or added to."""
    content = copy.deepcopy(content)
    for _ in range(draw(st.integers(1, 2))):
        part: Any = content
        while True:
            key = draw(st.sampled_from(sorted(part) if isinstance(part, dict) else range(len(part))))
            deeper = isinstance(part[key], dict | list) and part[key]
            if not deeper or draw(st.booleans()):
                break
            part = part[key]
        change = draw(st.integers(0, 3))
        if change == 0:
            del part[key]
        elif change == 1 and isinstance(part, dict):
            part[draw(st.text(max_size=6))] = draw(JSON)
        else:
            part[key] = draw(JSON)
        if not content:
            break
    return json.dumps(content).encode()


@contextlib.contextmanager
def replaced(folder: Path, spare: Path) -> Iterator[None]:
    """Within, the folder may be harmed."""
    shutil.rmtree(spare, ignore_errors=True)
    shutil.copytree(folder, spare)
    try:
        yield
    finally:
        shutil.rmtree(spare)


FILES = ["config.json", "data.json", "checkpoints/00000001/state.json", "metrics.jsonl"]


@tries(2000)
@given(data=st.data(), name=st.sampled_from(FILES))
def test_run_folders_with_anything_in_them_are_taken_up_or_refused(
    data: st.DataObject, name: str, sound: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    run = tmp_path_factory.getbasetemp() / "harmed"
    content = json.loads(
        (sound / name).read_text().splitlines()[0] if name.endswith("l") else (sound / name).read_text()
    )
    with replaced(sound, run):
        (run / name).write_bytes(data.draw(st.one_of(mutated(content), NONSENSE)))
        vouch(run / "checkpoints" / "00000001")
        with held_to_free_memory():
            refused(lambda: ganzoo.load(run, device="cpu", gan=Small))
            refused(lambda: ganzoo.load(run, device="cpu"))
            refused(lambda: ganzoo.run(Small, data=Made(), out=run, **OPTIONS))


@tries(500)
@given(data=st.data(), name=st.sampled_from(["networks", "optimizers", "process-0"]))
def test_checkpoints_with_anything_in_them_are_taken_up_or_refused(
    data: st.DataObject, name: str, sound: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    run = tmp_path_factory.getbasetemp() / "harmed"
    with replaced(sound, run):
        file = run / "checkpoints" / "00000001" / f"{name}.safetensors"
        content = bytearray(file.read_bytes())
        for _ in range(data.draw(st.integers(1, 3))):  # mostly in the header, which says what the rest is
            place = data.draw(st.one_of(st.integers(0, 400), st.integers(0, len(content) - 1)))
            content[place % len(content)] = data.draw(st.integers(0, 255))
        file.write_bytes(content[: data.draw(st.sampled_from([None, None, 8, 100, -1]))])
        vouch(file.parent)
        refused(lambda: ganzoo.load(run, device="cpu", gan=Small))
        refused(lambda: ganzoo.run(Small, data=Made(), out=run, **OPTIONS))
