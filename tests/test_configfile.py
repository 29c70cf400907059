"""Config files: what wins over what, how values are read, what is refused, and the template of every GAN."""

import contextlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shared import TINY, Command

import ganzoo
from ganzoo.cli.config_flags import by_run
from ganzoo.config import cli_name, one_of
from ganzoo.errors import OptionError, UserError
from ganzoo.options.file import LARGEST, read_config, resolve_with
from ganzoo.options.run import RunOptions, resolve
from ganzoo.plugins import zoo

DCGAN = zoo().gan("dcgan")
GANS = sorted(zoo().gans)

CONFIG = """{
  "gan": {"name": "dcgan", "latent_dim": 5, "loss": "hinge", "optimizer": {"kind": "rmsprop", "alpha": 0.1}},
  "as_": "edges"
}"""
PIECES = [*"{}[]:,-&*!|>#'\"\n ~?", "lr", "loss", "gan", "kind", "1e-3", ".", "data", "  "]
"""Of YAML, TOML and JSON, and of the names of options."""


def told(folder: Path, text: str | bytes, name: str = "file.yaml", gan: str = "dcgan", **given: Any) -> RunOptions:
    file = folder / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return resolve_with(zoo().gan(gan), given, file)


def test_flags_win_over_the_file_and_the_file_over_the_recipe(tmp_path: Path) -> None:
    file = "optimizer: {lr: 0.5, betas: [0.1, 0.2]}\nepochs: 3\nseed: 4\n"
    options = told(tmp_path, file, recipe="paper", epochs="7", **{"optimizer.betas": "0.3,0.4"})
    assert (options.epochs, options.seed, options.recipe) == (7, 4, "paper")
    assert options.gan.optimizer.model_dump(include={"lr", "betas"}) == {"lr": 0.5, "betas": (0.3, 0.4)}  # type: ignore[attr-defined]
    assert told(tmp_path, "recipe: paper").gan == resolve(DCGAN, {"recipe": "paper"}).gan
    assert told(tmp_path, "recipe: paper", recipe="chapter").recipe == "chapter"
    other = told(tmp_path, "loss: {kind: wasserstein-gp, penalty: 3}", gan="wgan-gp", loss="hinge")
    assert other.gan.loss.dump() == {"kind": "hinge"}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.yaml", "latent-dim: 5\nloss: hinge\noptimizer: {kind: rmsprop, alpha: 1e-1}\nas: edges"),
        ("b.yml", "latent_dim: 5\nloss.kind: hinge\nas_.kind: edges\noptimizer.alpha: 1e-1\noptimizer: rmsprop"),
        (
            "c.toml",
            "latent_dim=5\nloss='hinge'\nas.kind='edges'\noptimizer = {kind='rmsprop', alpha=1e-1}",
        ),
        ("d.json", CONFIG),
    ],
)
def test_the_same_may_be_said_in_many_ways(name: str, text: str, tmp_path: Path) -> None:
    said = {"latent_dim": 5, "loss": "hinge", "optimizer": {"kind": "rmsprop", "alpha": 1e-1}, "as_": "edges"}
    assert told(tmp_path, text, name) == resolve(DCGAN, said)


@pytest.mark.parametrize(
    ("text", "option", "value"),
    [
        ("optimizer.lr: 1e-3", "gan.optimizer.lr", 1e-3),
        ("fused: no", "fused", False),
        ("fused: on", "fused", True),
        ("seed: 012", "seed", 12),
        ("data: folder:no", "data.path", Path("no")),
        ("data: {name: folder, path: null-one}", "data.path", Path("null-one")),
        ("data: {name: folder, path: 2001-01-01}", "data.path", Path("2001-01-01")),
        ('data: {name: folder, path: "null"}', "data.path", Path("null")),
        ("lr: ~", "lr", None),
        ("optimizer:\nseed: 3", "seed", 3),
        ("image-size: 32x48", "image_size", (32, 48)),
        ("image-size: [32, 48]", "image_size", (32, 48)),
        ("optimizer.betas: 0.1,0.2", "gan.optimizer.betas", (0.1, 0.2)),
        ("player: {discriminator: {lr: 4e-4, betas: [0, 0.9]}}", "player.discriminator.betas", "0,0.9"),
        ("player: {discriminator.lr: 4e-4}", "player.discriminator.lr", "4e-4"),
        ("gan: dcgan\nseed: 3", "seed", 3),
    ],
)
def test_values_are_read_as_if_typed_after_a_flag(text: str, option: str, value: object, tmp_path: Path) -> None:
    found: Any = told(tmp_path, text)
    first, _, rest = option.partition(".")
    while first:
        if isinstance(found, dict):
            found, rest = found[option.partition(".")[2]], ""
        else:
            found = getattr(found, first)
        first, _, rest = rest.partition(".")
    assert found == value


@pytest.mark.parametrize("name", ["dcgan", "pix2pix", "text2image"])
def test_the_config_of_a_run_runs_it_again(name: str, runs: Path) -> None:
    file = runs / name / "config.json"
    options = resolve_with(zoo().gan(name), {}, file)
    assert options.model_dump(mode="json") == json.loads(file.read_text())
    with pytest.raises(OptionError, match=rf"config.json' cannot be used: it is for the GAN '{name}', not for 'lsgan'"):
        read_config(file, zoo().gan("lsgan"))


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("x.yaml", "- a\n- b", "it holds a list, not names and values"),
        ("x.yaml", "hello", "it holds 'hello', not names and values"),
        ("x.yaml", b"\xff\x00", "it is no text in UTF-8"),
        ("x.yaml", b"\x00\x01", "special characters are not allowed"),
        ("x.yaml", "a: [", "(line 1, column 5)"),
        ("x.yaml", "\tepochs: 3", "(line 1, column 1)"),
        ("x.yaml", "epochs: 3\n---\nepochs: 4", "another document"),
        ("x.yaml", "seed: 3\nseed: 4", "it says 'seed' twice (line 2, column 1)"),
        ("x.yaml", "latent-dim: 3\nlatent_dim: 4", "it says 'latent_dim' twice"),
        ("x.yaml", "gan: {latent_dim: 3}\nlatent-dim: 4", "it says 'latent_dim' twice, once below 'gan'"),
        ("x.yaml", "loss: hinge\nloss.kind: softmax", "it says 'loss' twice"),
        ("x.yaml", "latent-dmi: 3", "no option is called 'latent_dmi'; did you mean 'latent_dim'?"),
        ("x.yaml", "loss: {kind: hinge, penalty: 3}", "this is an option of wasserstein-gp"),
        ("x.yaml", "lr: nan", "option 'lr' cannot be 'nan': it must be a finite number"),
        ("x.yaml", "optimizer.lr: fast", "option 'optimizer.lr' cannot be 'fast'"),
        ("x.yaml", "epochs: true", "option 'epochs' cannot be 'true'"),
        ("x.yaml", "seed: " + "9" * 5000, "it must be a whole number"),
        ("x.yaml", "gan: acgan", "it is for the GAN 'acgan', not for 'dcgan'"),
        ("x.yaml", "a: !!python/object/apply:os.system [ls]", "tags are not taken: leave out"),
        ("x.yaml", "seed: !!timestamp 2001-01-01", "tags are not taken: leave out 'tag:yaml.org,2002:timestamp'"),
        ("x.yaml", "seed: !!timestamp abc", "tags are not taken"),
        ("x.yaml", "epochs: !!bool foo", "(line 1, column 9)"),
        ("x.yaml", "!!map {epochs: 3}", "tags are not taken"),
        ("x.yaml", "epochs: ! 3", "tags are not taken: leave out '!'"),
        ("x.yaml", "a: &a [x, x]\nb: [*a, *a]", "aliases are not taken: write the value out (line 2, column 5)"),
        ("x.yaml", "[" * 5000, "nested too deeply"),
        ("x.yaml", "? [a]\n: 3", "expected the name of an option"),
        ("x.yaml", "#" * (LARGEST + 1), f"it is larger than {LARGEST} bytes"),
        ("x.yaml", "out: elsewhere", "'out' is for the command line only: --out"),
        ("x.toml", "seed = 2001-01-01", "'seed' is a date; expected text, a number, a truth value or a list"),
        ("x.toml", "lr = nan", "option 'lr' cannot be 'nan'"),
        ("x.toml", "epochs =\nseed = 3", "(at line 1, column 9)"),
        ("x.toml", "a = " + "[" * 5000, "nested too deeply"),
        ("x.toml", "epochs = true", "option 'epochs' cannot be 'true'"),
        ("x.json", '{"epochs": 3, "epochs": 4}', "it says 'epochs' twice"),
        ("x.json", "[" * 5000, "nested too deeply"),
        ("x.json", '{"": 3}', "no option is called ''"),
        ("x.txt", "epochs: 3", "its name must end in .yaml, .yml, .toml, .json"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_file_and_key(name: str, text: str | bytes, reason: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=re.escape(reason)) as error:
        told(tmp_path, text, name)
    assert name in str(error.value)
    assert len(str(error.value)) < 2000


def test_what_is_wrong_with_flags_is_not_the_file_s_fault(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"^option 'latent_dim' cannot be '-3'"):
        told(tmp_path, "epochs: 3", latent_dim="-3")


@settings(max_examples=150, suppress_health_check=[*HealthCheck])
@given(
    text=st.one_of(
        st.binary(max_size=60), st.lists(st.sampled_from(PIECES)).map(lambda parts: "".join(parts).encode())
    ),
    name=st.sampled_from(["x.yaml", "x.toml", "x.json"]),
)
def test_whatever_is_in_a_file_is_taken_or_refused_in_words(
    text: bytes, name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.getbasetemp() / name
    file.write_bytes(text)
    with contextlib.suppress(UserError):
        resolve_with(DCGAN, {}, file)


@pytest.mark.parametrize("language", ["yaml", "toml"])
@pytest.mark.parametrize("name", GANS)
def test_a_template_says_the_defaults(name: str, language: str, command: Command, tmp_path: Path) -> None:
    answer = command("info", name, "--config-template", language)
    assert answer.status == 0, answer.err
    gan = zoo().gan(name)
    file = tmp_path / f"file.{language}"
    file.write_text(answer.out)
    assert read_config(file, gan) == {}
    flags = [flag for panel in by_run(gan).values() for flag in panel]
    lines = answer.out.splitlines()
    text = []
    for flag in flags:
        mark = one_of(flag.field)
        key = cli_name(flag.name) + (f".{mark.base.key}" if mark and language == "toml" else "")
        (line,) = [line for line in lines if re.match(rf"#{re.escape(key)}( =|:)", line)]
        assert (lines[lines.index(line) - 1]).startswith(f"# {flag.help}")
        if not flag.hidden and not line.endswith("="):  # TOML has no word for what is not set
            text.append(line.removeprefix("#"))
    file.write_text("\n".join(text))
    assert len(read_config(file, gan)) > 20
    assert resolve_with(gan, {}, file) == resolve(gan, {})


def test_a_template_s_other_choices_are_such_as_a_run_takes(command: Command, tmp_path: Path) -> None:
    lines = command("info", "dcgan", "--config-template", "toml").out.splitlines()
    tried = 0
    for flag in by_run(DCGAN)["dcgan"]:
        if flag.hidden:
            (line,) = [line for line in lines if line.startswith(f"#{flag.name} =")]
            choice = flag.help[flag.help.rindex("(") + 1 : -1]
            if line.endswith("="):  # TOML has no word for what is not set
                continue
            if choice not in ("wasserstein-gp", "relativistic"):  # losses that are not DCGAN's
                noun = flag.name.partition(".")[0]
                told(tmp_path, f"{noun}.kind = '{choice}'\n{line.removeprefix('#')}", "x.toml")
                tried += 1
    assert tried > 3


def test_run_takes_a_file_on_the_command_line_and_from_python(command: Command, place: Path) -> None:
    (place / "mine.yaml").write_text(
        "image-size: 16\nlimit: 8\nbatch-size: 4\nepochs: 9\nprecision: fp32\nloss: hinge\n"
    )
    answer = command("run", "dcgan", "--config", "mine.yaml", "--epochs", "1", "--out", "one")
    assert answer.status == 0, answer.err
    config = json.loads((place / "one/config.json").read_text())
    assert (config["epochs"], config["gan"]["loss"], config["image_size"]) == (1, {"kind": "hinge"}, "16x16")
    ganzoo.run("dcgan", config="mine.yaml", epochs=1, out="two")
    assert json.loads((place / "two/config.json").read_text()) == config
    with pytest.raises(UserError, match="a config file says what a GAN's options are, and these are already given"):
        ganzoo.run(DCGAN(), config="mine.yaml")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--config", "none.yaml"], "option 'config' cannot be 'none.yaml': there is no such file"),
        (["--config", "folder.yaml"], "there is no such file"),
        (["--config", "a.yaml", "--config", "b.yaml"], "option '--config' is given twice"),
        (["--json"], "option '--json' is for a dry run; add --dry-run"),
    ],
)
def test_run_refuses(words: list[str], reason: str, command: Command, place: Path) -> None:
    (place / "folder.yaml").mkdir()
    answer = command("run", "dcgan", *TINY.split(), *words)
    assert (answer.status, answer.out) == (2, "")
    assert reason in answer.err
