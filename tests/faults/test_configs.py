"""Whatever is typed or passed: it works, or is refused in words. Never a traceback.

`GANZOO_SOAK=1 pytest tests/faults/test_configs.py tests/faults/test_run_folders.py` tries 10,000 of them in place of
some hundreds.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from shared import Command, run_command
from tries import known, refused, tries

from ganzoo.cli.flags import Flag
from ganzoo.config import one_of, validate
from ganzoo.contract.gan import GAN
from ganzoo.options.run import RunOptions, resolve
from ganzoo.plugins import zoo

GANS = sorted(zoo().gans)


# What may be given for anything: right for one option, at or over the limit of another, of no use to a third.
HUGE = [2**31, 2**63 - 1, 2**63, -(2**63), 10**30, 10**5000]
NUMBERS = st.one_of(st.integers(-3, 300), st.integers(), st.floats(), st.sampled_from([0.0, 1.0, 1e-300, 1e300, *HUGE]))
WORDS = (
    "0 1 64 64x96 0x0 1x2x3 9999999999 1e-3 1e400 nan inf -1 0.5,0.9 0.5,2 , 1,2,3 true off adam rmsprop hinge "
    "wasserstein-gp mnist folder folder:x pairs: cpu cuda cuda:256 cpu:-1 meta paper quick bf16 backward ² ٣ 1_000 "
    "generator.lr=1 discriminator.every=2 discriminator.betas=0,1 critic.lr=3 .= a.b="
)
TYPED = st.sampled_from(WORDS.split())
TEXTS = st.one_of(
    TYPED, st.text(max_size=12), st.sampled_from(["9" * 5000, "x" * 5000, "\0", "\udcff", "a\nb", "~x/y"])
)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
TABLES = st.one_of(
    st.dictionaries(st.sampled_from(["kind", "name", "lr", "penalty", "betas", "path", "skip"]), SCALARS, max_size=3),
    st.dictionaries(st.sampled_from(["generator.lr", "discriminator.every", "generator.x", "a"]), SCALARS, max_size=3),
)
VALUES = st.one_of(SCALARS, TABLES, st.lists(SCALARS, max_size=3), st.tuples(NUMBERS, NUMBERS), st.binary(max_size=4))


@st.composite
def fitting(draw: st.DrawFn, flag: Flag) -> str:
    """What an option may well take, in words."""
    form, mark = flag.form, one_of(flag.field)
    if mark:
        return draw(st.sampled_from(sorted(mark.base.choices())))
    if flag.name in ("device", "recipe"):
        return draw(st.sampled_from(["cpu", "auto"] if flag.name == "device" else ["paper", "chapter", "quick"]))
    if flag.is_switch:
        return draw(st.sampled_from(["true", "false"]))
    if "|" in form:
        return draw(st.sampled_from(form.split("|")))
    if form == "INTEGER":
        return str(draw(st.integers(1, 8)))
    if form in ("NUMBER", "NUMBER,NUMBER"):
        return ",".join(str(draw(st.floats(0, 0.99, allow_subnormal=False))) for _ in form.split(","))
    if form == "SIZE":
        return str(draw(st.sampled_from(["16", "32", "32x48"])))
    return draw(TYPED)


def options(name: str, wild: bool) -> st.SearchStrategy[list[Flag]]:
    """Some of a GAN's options; unless wild, such as go together."""
    flags = [flag for flag in known(name) if wild or not (flag.hidden or flag.name in ("data", "player"))]
    return st.lists(st.sampled_from(flags), max_size=6, unique_by=lambda flag: flag.name)


@st.composite
def dictionaries(draw: st.DrawFn) -> tuple[type[GAN], dict[str, Any]]:
    """A GAN, and options as `ganzoo.run` takes them."""
    name = draw(st.sampled_from(GANS))
    wild = draw(st.integers(0, 2))
    given = {flag.name: draw(fitting(flag) if wild < 2 else VALUES) for flag in draw(options(name, bool(wild)))}
    if wild == 1 and given:
        given[draw(st.sampled_from(sorted(given)))] = draw(VALUES)
    if wild and draw(st.integers(0, 3)) == 0:
        recipe = st.sampled_from([*zoo().gan(name).recipes, "none"]) if draw(st.booleans()) else VALUES
        given["recipe"] = draw(recipe)
    if wild and draw(st.integers(0, 5)) == 0:
        given[
            draw(st.one_of(st.text(max_size=8), st.sampled_from(["gan", "loss.", ".", "loss.a.b", "player.x.y"])))
        ] = 1
    return zoo().gan(name), given


@st.composite
def lines(draw: st.DrawFn) -> list[str]:
    """A command line of `ganzoo run`, whose data is nowhere, so that all else is looked at first and nothing trains."""
    name = draw(st.sampled_from(GANS))
    wild = draw(st.integers(0, 2))
    words: list[str] = []
    for flag in draw(options(name, bool(wild))):
        if flag.name == "processes":
            continue  # they would be started, and say what is wrong by themselves
        if flag.is_switch:
            words.append(draw(st.sampled_from([flag.spelling, f"--no-{flag.spelling.removeprefix('--')}"])))
        else:
            words += [flag.spelling, draw(TEXTS if wild and draw(st.integers(0, 3)) == 0 else fitting(flag))]
    players = st.builds("{}.{}={}".format, st.sampled_from(["generator", "discriminator", "x"]),
                        st.sampled_from(["lr", "betas", "every", "eps", "zzz"]), TEXTS)  # fmt: skip
    for change in draw(st.lists(players, max_size=2)) if wild == 2 else ():
        words += ["--player", change]
    if wild == 2 and draw(st.integers(0, 2)) == 0:
        words.insert(draw(st.integers(0, len(words))), draw(TEXTS))
    place = "pairs" if "source" in zoo().gan(name).needs else "folder"
    ending = (
        ["--dry-run"]
        if draw(st.booleans())
        else ["--out", draw(st.sampled_from(["run", "run", "run", "~x", "x" * 300]))]
    )
    line = ["run", name, *words, *ending, "--data", f"{place}:/nonexistent"]
    return [word.replace("\0", "") for word in line]  # no system passes these on


@tries(4000)
@given(dictionaries())
@example((zoo().gan("dcgan"), {"epochs": 10**5000}))
@example((zoo().gan("dcgan"), {"epochs": 10**30}))
@example((zoo().gan("dcgan"), {"recipe": 10**5000}))
@example((zoo().gan("dcgan"), {"loss": {"kind": "hinge", 10**5000: 1}}))
@example((zoo().gan("dcgan"), {"image_size": (10**30, 1)}))
@example((zoo().gan("dcgan"), {"player": {"generator.every": "9" * 5000}}))
@example((zoo().gan("dcgan"), {"player": {"generator.every": 10**5000}}))
@example((zoo().gan("dcgan"), {"limit": "9" * 5000}))
def test_options_of_any_kind_are_resolved_or_refused(asked: tuple[type[GAN], dict[str, Any]]) -> None:
    gan, options = asked

    def ask() -> RunOptions:
        resolved = resolve(gan, options)
        resolved.players()
        resolved.dtype(resolved.resolve_device())
        return resolved

    resolved = refused(ask)
    if resolved is None:
        return
    written = json.loads(json.dumps(resolved.model_dump(mode="json"), allow_nan=False))
    assert validate(RunOptions, written) == resolved
    assert resolved.differences(written) == []
    own = {name: value for name, value in written.pop("gan").items() if name != GAN.key}
    assert resolve(gan, {**own, **written}) == resolved


@pytest.fixture(scope="module")
def nowhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A working directory in which nothing may be left."""
    folder, before = tmp_path_factory.mktemp("nowhere"), Path.cwd()
    os.chdir(folder)
    yield folder
    os.chdir(before)


@tries(3500)
@given(words=lines())
@example(words=["run", "dcgan", "--device", "cuda:256", "--data", "folder:/nonexistent"])
@example(words=["run", "dcgan", "--data", f"folder:{'x' * 5000}"])
@example(words=["run", "dcgan", "--data", "folder:~nobody-of-that-name/x"])
@example(words=["run", "dcgan", "--data-dir", "~nobody-of-that-name/x", "--data", "fashion-mnist"])
@example(words=["run", "dcgan", "--out", "x" * 300, "--data", "folder:/nonexistent"])
@example(words=["generate", "x" * 300, "-o", "x.png"])
@example(words=["generate", "x", "-o", "x" * 300])
@example(words=["translate", "x", "x" * 300, "-o", "x"])
@example(words=["list", "--plugin", "x" * 300])
def test_lines_of_any_words_end_with_what_is_wrong(words: list[str], nowhere: Path) -> None:
    answer = run_command(*words)
    if {"-h", "--help"} & {*words}:
        return
    assert answer.status == 2, answer
    assert answer.err
    assert "Traceback" not in answer.err
    assert not list(nowhere.iterdir())


@pytest.mark.parametrize(
    "words",
    [
        "--latent-dim 9223372036854775807",
        "--latent-dim 4611686018427387904",
        "--image-size 65536 --limit 5000",
        "--image-size 65536x1 --limit 5000",
        "--batch-size 9223372036854775807",
        "--lr 1e300 --seed 9223372036854775807 --log-every 9223372036854775807 --device cpu:1",
    ],
)
def test_what_no_machine_can_hold_is_said(words: str, command: Command, place: Path) -> None:
    answer = command(*f"run dcgan --image-size 16 --limit 8 --batch-size 4 --precision fp32 {words}".split())
    assert answer.status == 2
    assert len(answer.err.splitlines()) <= 2
    assert not list(place.iterdir())


@pytest.mark.process
def test_a_terminal_without_the_letters_gets_others(place: Path) -> None:
    (place / "größe.py").write_text("")
    made = subprocess.run(
        [sys.executable, "-m", "ganzoo", "list", "--plugin", "größe.py"],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    assert "gr\\xf6\\xdfe" in made.stdout
