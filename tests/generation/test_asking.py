"""What images are asked to be of: classes, captions, and options that only change how images are made."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numbered import Numbered
from PIL import Image
from shared import TINY, Command

import ganzoo
from ganzoo.plugins import zoo

WORDS = ("zero", "one", "2", "many")


def numbered(classes: tuple[str, ...] = WORDS) -> ganzoo.TrainedGAN:
    data = ganzoo.DataSpec(dataset="x", shapes={"image": (1, 4, 4), "label": ()}, classes=classes)
    gan = Numbered()
    return ganzoo.TrainedGAN(Path(), gan, data, gan.networks(data))


def shown(images: torch.Tensor) -> list[int]:
    return [round(10 * image.mean().item()) for image in images]


def test_classes_are_said_by_name_or_number_and_taken_in_turn() -> None:
    trained = numbered()
    assert (trained.takes_classes, trained.takes_text) == (True, False)
    assert shown(trained.generate(6)) == [0, 1, 2, 3, 0, 1]
    assert shown(trained.generate(3, classes="many")) == [3, 3, 3]
    assert shown(trained.generate(3, classes=1)) == [1, 1, 1]
    assert shown(trained.generate(5, classes=["3", "zero"])) == [3, 0, 3, 0, 3]
    assert shown(trained.generate(5, classes=["3", "zero"], batch_size=2)) == [3, 0, 3, 0, 3]
    assert shown(numbered(("b", "2", "1", "a")).generate(1, classes="2")) == [1], "a name, before it is a number"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"classes": "onee"}, "no class is called 'onee'; did you mean 'one'?"),
        ({"classes": "zzz"}, "no class is called 'zzz'; there are: 2, many, one, zero"),
        ({"classes": 4}, "no class is called '4'; classes are numbered from 0 to 3"),
        ({"classes": [0, -1]}, "no class is called '-1'; classes are numbered from 0 to 3"),
        ({"classes": []}, "option 'classes' names nothing: leave it out, or name at least one"),
        ({"classes": None, "text": "a"}, "'numbered' does not make images from captions: leave the text out"),
    ],
)
def test_a_class_that_is_not_there_is_told_which_are(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(ganzoo.UserError, match=f"^{re.escape(message)}$"):
        numbered().generate(2, **asked)


def test_of_many_classes_some_are_named() -> None:
    with pytest.raises(ganzoo.UserError, match=r"there are: c000, c001, .*, c019, and 80 more$"):
        numbered(tuple(f"c{number:03}" for number in range(100))).generate(1, classes="zzz")


def test_the_nth_image_of_a_text_is_the_same_for_any_count_and_batch_size(runs: Path) -> None:
    trained = ganzoo.load(runs / "text2image", device="cpu")
    assert (trained.takes_classes, trained.takes_text) == (False, True)
    images = trained.generate(66, text="grinning face")
    assert len(torch.unique(images, dim=0)) == 66
    torch.testing.assert_close(trained.generate(3, text=["grinning face"], batch_size=2), images[:3])
    turns = trained.generate(5, text=["grinning face", "pizza"])
    torch.testing.assert_close(turns[::2], images[:5:2])
    assert not torch.allclose(turns[1::2], images[1:5:2])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "'text2image' makes images from captions: say what of, as in --text \"a red flower\""),
        (" \t", "option 'text' cannot be '': say what is to be seen"),
        (["cat", ""], "option 'text' cannot be '': say what is to be seen"),
        (3, "option 'text' cannot be '3': say what is to be seen"),
        ([], "option 'text' names nothing"),
        ("a\0b", "a caption ends where a zero is"),
        ("x" * 65, "it has 65 bytes, and captions of 'openmoji' keep 64; say it in fewer words"),
    ],
)
def test_what_is_no_caption_is_refused(text: Any, message: str, runs: Path) -> None:
    with pytest.raises(ganzoo.UserError, match=re.escape(message)):
        ganzoo.load(runs / "text2image", device="cpu").generate(2, text=text)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"count": "4"}, "option 'count' cannot be '4': it must be a whole number"),
        ({"count": 2.5}, "option 'count' cannot be '2.5': it must be a whole number"),
        ({"count": 0}, "option 'count' cannot be 0: it must be at least 1"),
        ({"count": 4, "batch_size": None}, "option 'batch_size' cannot be 'None': it must be a whole number"),
        ({"count": 4, "seed": -1}, "option 'seed' cannot be -1: it must be at least 0"),
        ({"count": 4, "seed": "a"}, "option 'seed' cannot be 'a': it must be a whole number"),
    ],
)
def test_numbers_that_cannot_be_are_refused_from_python_too(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(ganzoo.UserError, match=f"^{re.escape(message)}$"):
        numbered().generate(**asked)


def test_numbers_of_other_libraries_are_the_same_numbers() -> None:
    gan = zoo().gan("dcgan")()
    data = ganzoo.DataSpec(dataset="x", shapes={"image": (1, 16, 16)})
    trained = ganzoo.TrainedGAN(Path(), gan, data, gan.networks(data).eval())
    three: Any = np.int64(3)
    for one in (np.int64(1), np.uint8(1), True):
        seed: Any = one
        assert torch.equal(trained.generate(three, seed=seed), trained.generate(3, seed=1))
        shares = [0.0, 0.5, 1.0]
        assert torch.equal(trained.between(seed, three, shares), trained.between(1, 3, shares))


def test_what_is_no_path_is_no_run_folder() -> None:
    folder: Any = 5
    with pytest.raises(ganzoo.UserError, match="option 'folder' cannot be '5': it must be the path of a run folder"):
        ganzoo.load(folder)


def test_a_caption_may_be_as_long_as_the_data_keeps(runs: Path) -> None:
    assert len(ganzoo.load(runs / "text2image", device="cpu").generate(1, text="ä" * 32)) == 1


def test_classes_and_options_on_the_command_line(command: Command, place: Path) -> None:
    plugin = ["--plugin", str(Path(__file__).parents[1] / "numbered.py")]
    answer = command("run", "numbered", *plugin, "--image-size", "16", *TINY.split(), "--out", "run")
    assert answer.status == 0, answer.err
    assert command("generate", "run", *plugin, "-n", "12", "-o", "all").status == 0
    chosen = ["-n", "3", "--class", "7", "--class", "2"]
    assert command("generate", "run", *plugin, *chosen, "-o", "some").status == 0
    assert command("generate", "run", *plugin, *chosen, "-O", "contrast=0.5", "-o", "half").status == 0
    assert levels(place / "all") == [*range(10), 0, 1]
    assert levels(place / "some") == [7, 2, 7]
    assert levels(place / "half") == [3.5, 1, 3.5]
    (loaded,) = ganzoo.load("run", gan=Numbered, contrast=0.5).generate(1, classes=7)
    assert loaded.mean().item() == pytest.approx(0.35)
    for words, part in (
        ("--class 12", "no class is called '12'; classes are numbered from 0 to 9"),
        ("-O contrast=2", "option 'contrast' cannot be '2': it must be at least 0 and at most 1"),
        ("-O contrast=x", "option 'contrast' cannot be 'x': it must be a number"),
        ("-O contrst=1", "no option of numbered is called 'contrst'; did you mean 'contrast'?"),
        ("-O loss=hinge", "option 'loss' of 'numbered' cannot be changed after training; those that may: contrast"),
    ):
        answer = command("generate", "run", *plugin, *words.split(), "-o", "x.png")
        assert (answer.status, answer.err.count("\n")) == (2, 1), answer.err
        assert part in answer.err


def levels(folder: Path) -> list[float]:
    """How bright each picture of a folder is, in tenths above grey."""
    made: list[float] = []
    for file in sorted(folder.iterdir()):
        with Image.open(file) as picture:
            grey = picture.convert("L").getpixel((0, 0))
        assert isinstance(grey, int)
        made.append(round(2 * (grey / 127.5 - 1) * 10) / 2)
    return made
