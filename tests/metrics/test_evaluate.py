"""`ganzoo evaluate`: what is measured of a run, by which protocol, and what is refused."""

import hashlib
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from numbered import Numbered
from shared import Command
from test_extractors import network, weights  # fixtures  # noqa: F401

import ganzoo
from ganzoo.contract.metric import PairMetric, SetMetric
from ganzoo.data.load import load_some
from ganzoo.metrics.evaluate import data_of, ready_for
from ganzoo.plugins import zoo
from ganzoo.runs.folder import RunFolder

KID = "kid:subset_size=20,subsets=3"


@pytest.fixture
def copied(runs: Path, place: Path) -> Path:
    """A folder with runs that may be written to."""
    for name in ("dcgan", "text2image", "pix2pix"):
        shutil.copytree(runs / name, place / name)
    return place


def lines(folder: Path) -> list[dict[str, Any]]:
    return RunFolder(folder).lines(folder / "evaluations.jsonl")


def test_one_command_measures_a_generator_of_digits_offline(command: Command, copied: Path) -> None:
    answer = command("evaluate", "dcgan", "--samples", "100")
    assert answer.status == 0, answer.err
    (line,) = lines(copied / "dcgan")
    assert line.keys() == {"iteration", "when", "protocol", "figures"}
    assert line["iteration"] == 2
    protocol = line["protocol"]
    assert [protocol[name] for name in ("data", "split", "samples", "seed", "extractor", "shape")] == [
        "mnist", "test", 100, 0, "digits", [1, 16, 16],
    ]  # fmt: skip
    assert len(protocol["weights"]) == len(protocol["images"]) == 64
    usual = {kind for kind, metric in zoo().metrics.items() if metric.usual and issubclass(metric, SetMetric)}
    assert line["figures"].keys() == protocol["metrics"].keys() == usual - {"kid"}
    assert "without kid: it takes 1,000 samples or more, and there are 100" in answer.out
    for name in line["figures"]:
        assert f"\n{name} " in answer.out
    assert "iteration 2; 100 images made, beside as many of mnist's test split at 16x16; extractor digits" in answer.out


def test_the_same_is_measured_again_to_the_last_digit_and_from_python(command: Command, copied: Path) -> None:
    first = json.loads(command(*f"evaluate dcgan --samples 70 --metric fid --metric {KID} --json".split()).out)
    trained = ganzoo.load(copied / "dcgan")
    torch.manual_seed(5)
    before = torch.get_rng_state()
    again = ganzoo.evaluate(trained, metric=["fid", KID], samples=70)
    assert torch.equal(torch.get_rng_state(), before)
    assert again["figures"] == first["figures"]
    assert again["protocol"] == first["protocol"]
    assert first["protocol"]["metrics"]["kid"] == {"subsets": 3, "subset_size": 20}
    assert [line["figures"] for line in lines(copied / "dcgan")] == [first["figures"]] * 2
    other = ganzoo.evaluate(trained, metric="fid", samples=70, seed=1)
    assert other["figures"]["fid"] != first["figures"]["fid"]


def test_translations_are_held_against_their_targets(command: Command, copied: Path) -> None:
    line = json.loads(command(*["evaluate", "pix2pix", "--samples", "6", "--json"]).out)
    usual = {kind for kind, metric in zoo().metrics.items() if metric.usual and issubclass(metric, PairMetric)}
    assert line["figures"].keys() == usual | {"color-frechet"}
    assert line["protocol"].keys().isdisjoint({"extractor", "weights", "resizer"})
    trained = ganzoo.load(copied / "pix2pix")
    data = data_of(RunFolder(copied / "pix2pix"))
    columns = load_some(data, trained.gan.needs, "test", 6).columns
    source, target = (columns[name].float() / 127.5 - 1 for name in ("source", "target"))
    made = ((trained.translate(source) + 1) * 127.5).round() / 127.5 - 1
    assert line["figures"]["l1"] == pytest.approx((made - target).abs().mean().item() / 2, abs=1e-5)


def test_images_are_made_of_the_captions_of_the_split(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained, seen = ganzoo.load(copied / "text2image"), list[torch.Tensor]()
    sample = type(trained.gan).sample

    def spy(self: ganzoo.GAN, nets: ganzoo.Networks, batch: ganzoo.Batch) -> torch.Tensor:
        seen.append(batch.caption)
        return sample(self, nets, batch)

    monkeypatch.setattr(type(trained.gan), "sample", spy)
    ganzoo.evaluate(trained, metric=KID, samples=70, extractor="digits")
    captions = load_some(data_of(RunFolder(copied / "text2image")), frozenset({"caption"}), "test", 70).columns
    assert torch.equal(torch.cat(seen), captions["caption"])


def test_classes_are_those_of_the_rows_beside_which_images_are_held(place: Path) -> None:
    trained = ganzoo.run(Numbered, image_size=8, limit=8, batch_size=4, epochs=1, out=place / "run")
    ready = ready_for(trained, {"samples": 130, "metric": KID})
    labels = load_some(data_of(RunFolder(place / "run")), frozenset({"label"}), "test", 130).columns["label"]
    made = torch.cat([images for _, images in ready._made(trained.nets)])
    torch.testing.assert_close(made[:, 0, 0, 0], labels / 10, atol=1 / 254, rtol=0)
    assert ready.protocol.sampling == {"contrast": 1.0}
    pale = ready_for(ganzoo.load(place / "run", gan=Numbered, contrast=0.5), {"samples": 130, "metric": KID})
    assert pale.protocol.differences(ready.protocol) == {"sampling.contrast": "sampling.contrast is 0.5, not 1.0"}


def test_any_checkpoint_split_and_other_data_may_be_asked_for(command: Command, copied: Path) -> None:
    words = "evaluate dcgan --metric fid --samples 70 --json"
    test, train = (json.loads(command(*words.split(), *more).out) for more in ([], ["--split", "train"]))
    assert (test["protocol"]["split"], train["protocol"]["split"]) == ("test", "train")
    assert test["protocol"]["images"] != train["protocol"]["images"]
    assert command(*words.split(), "--checkpoint", "2").status == 0
    answer = command(*words.split(), "--data", "openmoji")
    assert (answer.status, answer.out) == (2, "")
    assert "'openmoji' gives 'image' in the shape (3, 16, 16), and it was (1, 16, 16) in training" in answer.err


@pytest.mark.slow
def test_inception_measures_offline_with_weights_that_were_put_there(
    command: Command,
    copied: Path,
    weights: Path,  # noqa: F811 - the fixture
) -> None:
    checksum = hashlib.sha256(weights.read_bytes()).hexdigest()
    words = ["evaluate", "text2image", "--samples", "4", "--metric", "kid:subset_size=4,subsets=1", "--weights"]
    answer = command(*words, str(weights), "--extractor.sha256", checksum, "--json")
    assert answer.status == 0, answer.err
    protocol = json.loads(answer.out)["protocol"]
    assert (protocol["extractor"], protocol["extractor_options"]) == ("inception", {})
    assert str(weights) not in json.dumps(protocol)
    refused = command(*words, str(weights))
    assert refused.status == 2
    assert "does not hold the weights of Inception" in refused.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("dcgan --samples 500 --metric kid", "it takes 1,000 samples or more, and there are 500; try --samples 1000"),
        ("dcgan --samples 3 --metric kid:subset_size=20000", "; try --samples 20000 --split train"),
        ("dcgan --reals none", "option 'reals' cannot be 'none': it must be a whole number"),
        ("dcgan --reals 20000", "the test split of 'mnist' has 10000"),
        ("pix2pix --samples 6 --reals 4", "6 samples were asked for, and there are 4 sources, of which one"),
        ("dcgan --protocol fid10k", "no protocol is called 'fid10k'; did you mean 'fid10k-test'?"),
        ("dcgan --metric class-accuracy", "cannot be measured here: 'dcgan' is told neither class nor caption"),
        ("dcgan --metric code-purity", "cannot be measured here: 'dcgan' has no categorical code"),
        (
            "text2image --samples 4 --metric class-accuracy --extractor digits",
            "the extractor tells other classes apart",
        ),
        ("dcgan --metric nearest-ratio --split train", "leave --split train out"),
        ("dcgan --nearest 0", "option 'nearest' cannot be '0'"),
        ("dcgan --reference nowhere.npz", "'nowhere.npz' cannot be read: No such file or directory"),
        ("dcgan --reference nowhere.npz --metric kid", "it takes the images; leave --reference out"),
        ("dcgan --save-reference real.txt", "'real.txt' is no .npz file; try --save-reference real.npz"),
        ("dcgan --metric kid:subset_size=80000", "and there are 10,000; 'mnist' has no more"),
        ("dcgan --samples 500 --metric kid", "'kid' cannot be measured here: it takes 1,000 samples or more"),
        ("dcgan --samples 4 --metric density", "it takes 6 samples or more"),
        ("dcgan --samples 20000", "the test split of 'mnist' has 10000; try --samples 10000 or --split train"),
        ("dcgan --samples 80000", "the test split of 'mnist' has 10000; try --samples 10000"),
        ("dcgan --metric psnr", "'psnr' cannot be measured here: what 'dcgan' makes has no targets"),
        ("dcgan --metric fld", "no metric is called 'fld'; did you mean 'fid'?"),
        ("dcgan --metric kid:subset=3", "no option of the metric 'kid' is called 'subset'"),
        ("dcgan --metric kid:subset_size", "write kid:NAME=VALUE"),
        ("dcgan --metric kid:subset_size=none", "it must be a whole number"),
        ("dcgan --metric fid --metric fid", "names 'fid' twice"),
        ("dcgan --extractor incption", "no extractor is called 'incption'; did you mean 'inception'?"),
        ("dcgan --extractor.sha256 12", "no option of the extractor 'digits' is called 'sha256'"),
        ("dcgan --extractor inception --extractor.sha256 12", "option 'extractor.sha256' cannot be '12'"),
        ("dcgan --split validation", "option 'split' cannot be 'validation'"),
        ("dcgan --samples 1", "option 'samples' cannot be '1'"),
        ("dcgan --seed -1", "option 'seed' cannot be '-1'"),
        ("dcgan --checkpoint 7", "has no checkpoint of iteration 7"),
        ("dcgan --checkpoint best", "no checkpoint of this run was judged"),
        ("dcgan --data nothing", "no data set is called 'nothing'"),
        ("pix2pix --metric lpips:weights=nowhere.pth", "there are no weights of AlexNet in 'nowhere.pth'"),
        ("nowhere", "nowhere is no run folder: it has no config.json"),
    ],
)
def test_what_cannot_be_measured_is_said_and_nothing_is_written(
    words: str, said: str, command: Command, copied: Path
) -> None:
    answer = command("evaluate", *words.split())
    assert (answer.status, answer.out) == (2, ""), answer.out
    assert said in " ".join(answer.err.split())
    assert not list(copied.glob("*/evaluations.jsonl"))


def test_images_that_are_no_numbers_are_not_measured(copied: Path) -> None:
    trained = ganzoo.load(copied / "dcgan")
    with torch.no_grad():
        for weight in trained.nets.generator.parameters():
            weight.fill_(torch.nan)
    with pytest.raises(ganzoo.GanzooError, match="are NaN or infinite"):
        ganzoo.evaluate(trained, samples=70)
    assert not lines(copied / "dcgan")


def test_a_run_whose_data_set_is_gone_says_what_to_install(command: Command, copied: Path) -> None:
    file = copied / "dcgan" / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"data": {"name": "gone"}}))
    answer = command("evaluate", "dcgan")
    assert answer.status == 2
    assert "dcgan was trained on data that is not installed: no data set is called 'gone'" in answer.err
    assert command("evaluate", "dcgan", "--data", "mnist", "--samples", "70").status == 0


def test_a_link_in_place_of_the_evaluations_is_not_followed(command: Command, copied: Path) -> None:
    (copied / "dcgan" / "evaluations.jsonl").symlink_to(copied / "elsewhere")
    answer = command("evaluate", "dcgan", "--samples", "70")
    assert answer.status == 2
    assert "is a link" in answer.err
    assert not (copied / "elsewhere").exists()


def test_without_the_libraries_it_is_said_which_extra_to_install(
    command: Command, copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch_fidelity.metric_fid", None)
    run = ["run", "dcgan", "--image-size", "16", "--limit", "80", "--evaluate-every", "1", "--out", "new"]
    for line in (["evaluate", "dcgan", "--samples", "70", "--metric", "fid"], run, [*run, "--dry-run"]):
        answer = command(*line)
        assert answer.status == 2
        assert "pip install 'ganzoo[metrics]'" in answer.err
    assert not list((copied / "new").glob("metrics*")), "it is said before anything is trained"
