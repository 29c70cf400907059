"""The fixtures that every package finds where ganzoo is installed, used as such a package would."""

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from mistaken import Sound

import ganzoo
from ganzoo.config import build
from ganzoo.plugins import zoo
from ganzoo.testing import check_dataset
from ganzoo.testing.plugin import MakesData, Registers, Trains


def test_pytest_finds_them_by_itself() -> None:
    assert [entry.value for entry in entry_points(group="pytest11", name="ganzoo")] == ["ganzoo.testing.plugin"]


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
    check_dataset(build(folder, {"path": ganzoo_images}), fields=frozenset({"image"}))
    check_dataset(build(folder, {"path": ganzoo_classes}))
    check_dataset(build(pairs, {"path": ganzoo_pairs}))
    check_dataset(build(shards, {"path": str(ganzoo_shards), "class_count": 2}))


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


def test_and_has_it_no_longer_in_the_next() -> None:
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
