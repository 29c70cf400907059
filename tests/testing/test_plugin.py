"""The fixtures that every package finds where ganzoo is installed, used as such a package would."""

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from mistaken import Sound

import ganzoo
from ganzoo.config import validate
from ganzoo.plugins import zoo
from ganzoo.testing import check_dataset
from ganzoo.testing.plugin import MakesData, Registers, Trains

pytest_plugins = ["pytester"]


def test_pytest_finds_them_by_itself() -> None:
    assert [entry.value for entry in entry_points(group="pytest11", name="ganzoo")] == ["ganzoo.testing.plugin"]


@pytest.mark.process
def test_finding_them_imports_nothing_heavy() -> None:
    heavy = "('torch', 'numpy', 'PIL', 'pydantic')"
    script = f"import sys, ganzoo.testing.plugin; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_each_says_what_it_is_for(pytestconfig: pytest.Config) -> None:
    plugin = pytestconfig.pluginmanager.get_plugin("ganzoo")
    fixtures = {name: value for name, value in vars(plugin).items() if name.startswith("ganzoo_")}
    assert len(fixtures) == 7
    for name, fixture in fixtures.items():
        assert fixture.__doc__, name


def test_folders_of_tiny_data_pass_the_check_of_their_data_sets(
    ganzoo_images: Path, ganzoo_classes: Path, ganzoo_pairs: Path, ganzoo_shards: Path
) -> None:
    folder, pairs, shards = (zoo().datasets[name] for name in ("folder", "pairs", "shards"))
    check_dataset(validate(folder, {"path": ganzoo_images}), fields=frozenset({"image"}))
    check_dataset(validate(folder, {"path": ganzoo_classes}))
    check_dataset(validate(pairs, {"path": ganzoo_pairs}))
    check_dataset(validate(shards, {"path": str(ganzoo_shards), "class_count": 2}))


def test_data_in_memory_has_the_fields_that_are_named(ganzoo_data: MakesData) -> None:
    check_dataset(ganzoo_data("image", "label"))
    assert ganzoo_data("source", "target", "caption").provides == {"source", "target", "caption"}


def test_a_run_takes_seconds_and_has_a_folder_of_its_own(ganzoo_run: Trains, ganzoo_classes: Path) -> None:
    first = ganzoo_run(Sound)
    second = ganzoo_run(Sound(latent_dim=2), data=f"folder:{ganzoo_classes}", image_size=8)
    assert first.iteration == second.iteration == 2
    assert first.folder != second.folder
    assert first.generate(3).shape == (3, 3, 32, 32)
    assert second.generate(3).shape == (3, 3, 8, 8)


def test_a_run_on_shards_is_one_pass(ganzoo_run: Trains, ganzoo_shards: Path) -> None:
    assert ganzoo_run(Sound, data=f"shards:{ganzoo_shards}", image_size=8).iteration == 2
    assert ganzoo_run(Sound, data={"name": "shards", "path": str(ganzoo_shards)}, image_size=8).iteration == 2


PLUGIN = '''
"""A loose plugin."""

import ganzoo
from mistaken import Sound


class Loose(Sound):
    """Lies in a file."""

    name = "loose"


@ganzoo.hookimpl
def register_gans(register: ganzoo.Register) -> None:
    register(Loose)
'''


def test_a_zoo_has_more_for_one_test(ganzoo_zoo: Registers, tmp_path: Path) -> None:
    file = tmp_path / "loose.py"
    file.write_text(PLUGIN)
    assert ganzoo_zoo(Sound).gan("sound") is Sound
    found = ganzoo_zoo(file)
    assert {"sound", "loose", "dcgan"} <= found.gans.keys()
    assert found is zoo()
    assert ganzoo_zoo(Sound, file, file) is found, "which are there already"
    assert ganzoo_zoo() is found
    assert not found.failed()


TESTS = """
import os

from mistaken import Sound
from ganzoo.plugins import zoo


def test_it_is_there(ganzoo_zoo):
    assert "sound" in ganzoo_zoo(Sound).gans
    assert {"sound", "loose"} <= ganzoo_zoo(os.environ["LOOSE"]).gans.keys()


def test_it_is_there_no_longer(monkeypatch):
    assert not {"sound", "loose"} & zoo().gans.keys()
    monkeypatch.setenv("GANZOO_PLUGINS", os.environ["LOOSE"])
    assert "loose" in zoo().gans, "the very zoo in which the other was"
    assert "sound" not in zoo().gans
"""


def test_and_has_it_no_longer_in_the_next(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOSE", str(pytester.makefile(".py", loose=PLUGIN)))
    pytester.makepyfile(TESTS)
    pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:benchmark").assert_outcomes(passed=2)
    assert not {"sound", "loose"} & zoo().gans.keys()


def test_a_zoo_refuses_what_no_plugin_could_register(ganzoo_zoo: Registers, tmp_path: Path) -> None:
    class Taken(Sound):
        """Has the name of another."""

        name = "dcgan"

    with pytest.raises(ganzoo.ContractError, match="'dcgan' is already provided by ganzoo"):
        ganzoo_zoo(Taken)
    assert zoo().gan("dcgan") is not Taken
    file = tmp_path / "wrong.py"
    file.write_text("1 / 0\n")
    with pytest.raises(ganzoo.ContractError, match=r"ZeroDivisionError: division by zero \(wrong.py, line 1\)"):
        ganzoo_zoo(file)

    class Nameless(ganzoo.Adversarial):
        """Has no name."""

        def networks(self, data: ganzoo.DataSpec) -> ganzoo.Networks:
            raise NotImplementedError

    with pytest.raises(ganzoo.ContractError, match=r"Nameless.name is None; expected lower-case words"):
        ganzoo_zoo(Nameless)
    with pytest.raises(ganzoo.ContractError, match=r"Path is nothing that a zoo has; .* ganzoo.GAN or"):
        ganzoo_zoo(Path)  # type: ignore[arg-type]  # which is the mistake
    assert "sound" in ganzoo_zoo(Sound).gans, "what was refused is not tried again"
    assert not ganzoo_zoo().failed()
