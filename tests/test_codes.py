"""Codes in the noise: read where they were put, said in words, and refused where they cannot be."""

import re

import pytest
import torch

import ganzoo
from ganzoo.contract.codes import settings
from ganzoo.data.in_memory import fixed_latents

KIND = ganzoo.Category("kind", 1, 4)
TILT = ganzoo.Continuous("tilt", 5)
CODES = (KIND, TILT)


def test_what_is_put_is_read_and_all_else_stays() -> None:
    noise = fixed_latents(7, (2, 4), seed=0)
    kinds, tilts = torch.tensor([0, 1, 2, 3, 0, 1, 2]), torch.linspace(-1, 1, 7)
    rows = TILT.put(KIND.put(noise, kinds), tilts)
    assert rows.shape == noise.shape
    assert torch.equal(KIND.read(rows), kinds)
    torch.testing.assert_close(TILT.read(rows), tilts, rtol=0, atol=1e-5)
    assert rows.isfinite().all()
    others = [0, 6, 7]
    assert torch.equal(rows.flatten(1)[:, others], noise.flatten(1)[:, others])
    assert torch.equal(noise, fixed_latents(7, (2, 4), seed=0)), "what was given is left as it is"


@pytest.mark.parametrize(
    ("code", "said", "values"),
    [
        (KIND, "3", [3]),
        (KIND, "0,3,1", [0, 3, 1]),
        (KIND, "1..3", [1, 2, 3]),
        (KIND, "3..1,0", [3, 2, 1, 0]),
        (TILT, "-0.5", [-0.5]),
        (TILT, "-1..1:3", [-1, 0, 1]),
        (TILT, "-1..1", [-1 + 2 * step / 9 for step in range(10)]),
    ],
)
def test_values_as_they_are_said(code: ganzoo.Code, said: str, values: list[float]) -> None:
    assert code.values(said) == pytest.approx(values)


@pytest.mark.parametrize(
    ("code", "said", "message"),
    [
        (KIND, "4", "code 'kind' cannot be '4': it is a whole number from 0 to 3"),
        (KIND, "1.5", "code 'kind' cannot be '1.5'"),
        (KIND, "", "code 'kind' cannot be ''"),
        (KIND, "0..", "code 'kind' cannot be ''"),
        (KIND, "0..3:2", "code 'kind' has no steps"),
        (TILT, "2", "code 'tilt' cannot be '2': it is a number from -1 to 1"),
        (TILT, "nan", "code 'tilt' cannot be 'nan'"),
        (TILT, "-1..1:1", "write 2 to 1000 steps, as in -1..1:7"),
        (TILT, "-1..1:x", "write 2 to 1000 steps"),
        (TILT, ",".join(["0"] * 1001), "code 'tilt' cannot have 1001 values in one picture; at most 1000"),
    ],
)
def test_values_that_cannot_be_are_refused(code: ganzoo.Code, said: str, message: str) -> None:
    with pytest.raises(ganzoo.UserError, match=re.escape(message)):
        code.values(said)


def test_codes_are_set_by_name() -> None:
    told = settings(CODES, "a", {"tilt": 0.5, "kind": [1, 2]})
    assert told == {TILT: [0.5], KIND: [1, 2]}
    assert settings(CODES, "a", None) == {}
    with pytest.raises(ganzoo.UserError, match="no code of a is called 'tlt'; did you mean 'tilt'"):
        settings(CODES, "a", {"tlt": 1})
    with pytest.raises(ganzoo.UserError, match="'a' has no codes to set"):
        settings((), "a", {"tilt": 1})
    with pytest.raises(ganzoo.UserError, match="code 'kind' cannot be"):
        settings(CODES, "a", {"kind": []})
