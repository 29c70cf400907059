"""`ganzoo push` and `pull` against a fake of the Hub's HTTP API: what comes back, and what is refused."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import safetensors.torch
import torch
from fake_hub import TOKEN, Hub, Repository, served
from ganzoo_export.hub import LARGEST, pull
from huggingface_hub import constants
from huggingface_hub.utils.tqdm import progress_bar_states
from shared import Command

import ganzoo


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setitem(progress_bar_states, "_global", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)  # the fake speaks Git LFS
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    with served() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        yield hub


@pytest.fixture(scope="session")
def export(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of an export."""
    from ganzoo_export.exporting import export

    folder = tmp_path_factory.mktemp("exported") / "dcgan"
    export(runs / "dcgan", out=folder)
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_a_run_is_pushed_and_pulled_and_makes_the_same_images(
    hub: Hub, runs: Path, command: Command, place: Path
) -> None:
    answer = command("push", str(runs / "dcgan"), "me/digits", "--licence", "cc-by-sa-3.0")
    assert (answer.status, answer.out) == (0, f"{hub.address}/me/digits\n"), answer
    repository = hub.repositories["me/digits"]
    assert repository.private
    assert sorted(repository.files) == sorted(
        ["README.md", "config.json", "data.json", "environment.json", "export.json", "model.safetensors", "samples.png"]
    )
    assert hub.messages == ["dcgan, iteration 2"]
    assert b"ganzoo pull me/digits" in repository.files["README.md"]
    assert os.fsencode(str(runs)) not in b"".join(repository.files.values())

    pulled = pull("me/digits", "mine")
    assert pulled.trained.folder == pulled.folder == Path("mine")
    answer = command("pull", "me/digits")
    assert (answer.status, answer.err) == (0, ""), answer
    assert answer.out == "pulled/me/digits: dcgan, iteration 2; ganzoo generate it\n"
    folder = place / "pulled" / "me" / "digits"
    assert {file.name for file in folder.iterdir()} == repository.files.keys()
    assert torch.equal(ganzoo.load(folder).generate(70), ganzoo.load(runs / "dcgan").generate(70))
    assert command("generate", "pulled/me/digits", "-n", "4", "-o", "x.png").status == 0
    assert command("pull", "me/digits").status == 0, "again, in its place"


def test_what_is_pulled_is_used_as_what_ships_with_a_package(hub: Hub, runs: Path, command: Command) -> None:
    assert command("push", str(runs / "dcgan"), "me/whole", "--half", "--all-networks").status == 0
    assert command("pull", "me/whole", "-o", "whole").status == 0
    about = json.loads(Path("whole/export.json").read_text())
    assert (about["precision"], about["networks"]) == ("float16", ["discriminator", "generator"])
    assert command("generate", "whole", "-n", "2").out == "whole.png\n"
    line = "run dcgan --image-size 16 --limit 8 --batch-size 4 --epochs 1 --init-from whole --out run"
    assert command(*line.split()).status == 0
    assert command("report", "whole", "--device", "cpu").out == "whole/report.html\n"


def test_a_repository_is_public_if_asked(hub: Hub, runs: Path, command: Command) -> None:
    assert command("push", str(runs / "dcgan"), "me/digits", "--public").status == 0
    assert not hub.repositories["me/digits"].private


HOSTILE: dict[str, str] = {
    "a pickle in place of weights": "it has no model.safetensors, .*it has 'model.bin', and pickles are never loaded",
    "a pickle called safetensors": "model.safetensors is not what was exported, its checksum differs",
    "a pickle with its checksum": "no safetensors file",
    "another place": r"it has a file called '\.\./\.\./evil\.json', outside of its folder",
    "an absolute place": "it has a file called '/etc/passwd', outside",
    "a huge file": "config.json is 5,000 MiB, and at most 1 MiB are taken",
    "huge weights": "model.safetensors is 95,367 MiB",
    "another size": "its files are not those that it lists",
    "a field that nobody needs": "its data.json has 'zzz', no field of 'dcgan'",
    "other weights": "them/evil' holds the weights of other networks",
    "no generator": "no image can be made with it",
    "a picture that is none": "samples.png is no PNG",
    "no weights": "no image can be made with it",
    "nobody's GAN": "a run of 'evil-gan': no GAN is called 'evil-gan'",
    "no JSON": "'them/evil' is refused: config.json cannot be read",
    "huge networks": "memory|cannot be used|holds the weights of other networks",
}


def spoil(what: str, files: dict[str, bytes], sizes: dict[str, int]) -> None:
    about, model = json.loads(files["export.json"]), "model.safetensors"
    config = json.loads(files["config.json"])
    match what:
        case "a pickle in place of weights":
            files["model.bin"] = files.pop(model)
        case "a pickle called safetensors" | "a pickle with its checksum":
            files[model] = b"\x80\x04cos\nsystem\n(S'touch evil'\ntR."
        case "another place":
            files["../../evil.json"] = b"{}"
        case "an absolute place":
            files["/etc/passwd"] = b"{}"
        case "a huge file":
            sizes["config.json"] = 5000 * 2**20
        case "huge weights":
            sizes[model] = 10**11
        case "another size":
            sizes[model] = len(files[model]) - 100
        case "a field that nobody needs":
            data = json.loads(files["data.json"])
            data["shapes"]["zzz"] = [65536, 65536, 65536]
            files["data.json"] = json.dumps(data).encode()
        case "other weights":
            config["gan"]["latent_dim"] = 7
        case "no generator":
            files[model] = safetensors.torch.save(discriminator_of(config, json.loads(files["data.json"])))
        case "a picture that is none":
            files["samples.png"] = b"<svg onload='alert(1)'/>"
        case "no weights":
            files[model] = safetensors.torch.save({})
        case "nobody's GAN":
            config["gan"] = {"name": "evil-gan"}
        case "no JSON":
            files["config.json"] = b"\xff\xfe["
        case "huge networks":
            config["gan"]["latent_dim"] = 2**40
    if what != "no JSON":
        files["config.json"] = json.dumps(config).encode()
    if what != "a pickle called safetensors":
        files["export.json"] = json.dumps({**about, "files": {}}).encode()


def discriminator_of(config: dict[str, dict[str, object]], data: dict[str, object]) -> dict[str, torch.Tensor]:
    from ganzoo.contract.data_spec import DataSpec
    from ganzoo.plugins import zoo

    values = {name: value for name, value in config["gan"].items() if name != "name"}
    nets = zoo().gan("dcgan").model_validate(values).build(DataSpec.model_validate(data))
    return {name: value for name, value in nets.state_dict().items() if name.startswith("discriminator.")}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_repository_is_refused_and_leaves_nothing(
    what: str, hub: Hub, export: dict[str, bytes], command: Command, place: Path
) -> None:
    repository = Repository(files=dict(export))
    spoil(what, repository.files, repository.sizes)
    hub.repositories["them/evil"] = repository
    answer = command("pull", "them/evil")
    assert (answer.status, "Traceback" in answer.err) == (2, False), answer
    assert re.search(HOSTILE[what], answer.err), answer.err
    assert str(place) not in answer.err, "it is gone when that is read"
    assert list(place.iterdir()) == []
    assert "model.bin" not in "".join(hub.asked)


def test_pickles_beside_the_weights_are_not_fetched(hub: Hub, export: dict[str, bytes], command: Command) -> None:
    hub.repositories["them/mixed"] = Repository(files={**export, "optimizer.pt": b"\x80", "run.py": b"import os"})
    answer = command("pull", "them/mixed", "-o", "mixed")
    assert answer.status == 0
    assert answer.err == "note: not fetched, as pickles are never loaded: optimizer.pt\n"
    assert not [line for line in hub.asked if "optimizer" in line or "run.py" in line]
    assert {file.name for file in Path("mixed").iterdir()} <= LARGEST.keys()


def test_what_goes_wrong_with_the_hub_is_said_in_plain_words(
    hub: Hub, runs: Path, export: dict[str, bytes], command: Command, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = str(runs / "dcgan")
    hub.repositories["me/here"] = Repository(files=dict(export))
    for line, words in (
        (f"push {run} digits", "a repository cannot be called 'digits': write user/name"),
        (f"push {run} ../x/y", "a repository cannot be called"),
        (f"push {run} others/x", "the Hub refuses 'others/x' (403): your token may not do that"),
        ("push nothing me/x", "nothing is no run folder"),
        ("pull me/nothing", "the Hub has no 'me/nothing' that you may see"),
        ("pull me/here --revision v9", "'me/here' has no such --revision"),
    ):
        answer = command(*line.split())
        assert (answer.status, words in answer.err) == (2, True), answer
    monkeypatch.setenv("HF_TOKEN", "")
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(place / "none"))
    answer = command("push", run, "me/x")
    assert (answer.status, "you are not logged in to the Hub: run `hf auth login`" in answer.err) == (2, True), answer
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    answer = command("pull", "me/here")
    assert (answer.status, "the Hub cannot be reached" in answer.err) == (2, True), answer
    assert list(place.iterdir()) == []
