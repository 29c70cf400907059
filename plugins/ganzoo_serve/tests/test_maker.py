"""What is asked for and what comes of it, without a browser."""

import base64
import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from ganzoo_serve.knobs import knobs, turned
from ganzoo_serve.maker import MOST, SEEDS, PageBackend
from ganzoo_serve.page import about, page
from numbered import Numbered
from PIL import Image

import ganzoo
from ganzoo.config import validate
from ganzoo.contract.data_spec import DataSpec
from ganzoo.data.images import open_image
from ganzoo.errors import DataError, OptionError, UserError
from ganzoo.pictures import to_picture
from ganzoo.plugins import zoo
from ganzoo.sampling.trained import TrainedGAN

MANY = 2**20


def untrained(gan: ganzoo.GAN, **shapes: tuple[int, ...]) -> TrainedGAN:
    """A GAN as it is built, of data with all that it needs; 32 x 32."""
    small = 32 // gan.scale_factor
    every = {"image": (3, 32, 32), "target": (3, 32, 32), "source": (3, small, small), "label": (), "caption": (16,)}
    spec = DataSpec(
        dataset="any",
        shapes={name: every.get(name, (3, 32, 32)) for name in gan.needs} | shapes,
        classes=("cats", "dogs", "<b>owls</b>"),
    )
    return TrainedGAN(Path("nowhere"), gan, spec, gan.build(spec).eval())


def sent(image: Image.Image) -> dict[str, str]:
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return {"file": "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode(), "name": "a.png"}


@pytest.mark.parametrize("name", sorted(zoo().gans))
def test_every_gan_has_a_page_and_answers_it(name: str) -> None:
    trained = untrained(zoo().gan(name)())
    maker = PageBackend(trained, MANY)
    turns = [knob.value for knob in maker.knobs]
    endpoints = {one["api_name"] for one in page(maker, 4).config["dependencies"]}
    if trained.takes_images:
        assert "translate" in endpoints
        seen, made = maker.translated(sent(Image.new("RGBA", (50, 40), "teal")), *turns)
        if trained.gan.any_size:
            assert (seen.size, made.size) == ((50, 40), tuple(trained.gan.scale_factor * side for side in (50, 40)))
        else:
            assert (seen.size, made.size) == ((trained.data.source_shape[2],) * 2, (32, 32))
        return
    text = "a cat" if trained.takes_text else None
    assert {"images", "between", "way"} <= endpoints
    assert maker.images(1, 1, None, text, *turns).size == (32, 32)
    assert maker.between(1, 2, 0.25, None, text, *turns).size == (32, 32)
    assert maker.way(1, 2, None, text, *turns).height < 40


@pytest.mark.parametrize(
    ("seed", "count", "chosen", "words"),
    [
        (None, 4, None, "'seed' cannot be nothing: it is a whole number from 0 to 9007199254740991"),
        (1.5, 4, None, "'seed' cannot be '1.5'"),
        (float("nan"), 4, None, "'seed' cannot be 'nan'"),
        (float("inf"), 4, None, "'seed' cannot be 'inf'"),
        (SEEDS + 1, 4, None, "'seed' cannot be"),
        (True, 4, None, "'seed' cannot be 'True'"),
        ({"a": 1}, 4, None, "'seed' cannot be"),
        (0, 0, None, "'count' cannot be '0': it is a whole number from 1 to 64"),
        (0, MOST + 1, None, "'count' cannot be '65'"),
        (0, 4, "cats", "'dcgan' has no classes"),
    ],
)
def test_what_cannot_be_is_said_plainly(runs: Path, seed: Any, count: Any, chosen: Any, words: str) -> None:
    maker = PageBackend(ganzoo.load(runs / "dcgan", device="cpu"), MANY)
    with pytest.raises(UserError, match=words.replace("(", r"\(")):
        maker.images(seed, count, chosen, None)


@pytest.mark.parametrize(
    ("upload", "words"),
    [
        (None, "there is no picture yet"),
        ("data:image/png;base64,AAAA", "there is no picture yet"),
        ({"file": 3}, "there is no picture yet"),
        ({"file": "/etc/passwd", "name": "x"}, "'x' cannot be read: it is not an image"),
        ({"file": "data:;base64,????", "name": "x"}, "it was not sent whole"),
        ({"file": "data:;base64,", "name": "x"}, "it is not an image"),
        ({"file": "data:;base64," + "A" * (2 * MANY), "name": "x" * 500}, "is too large a file: 1 MiB is the most"),
    ],
)
def test_an_upload_that_is_none_is_said_plainly(runs: Path, upload: Any, words: str) -> None:
    maker = PageBackend(ganzoo.load(runs / "pix2pix", device="cpu"), MANY)
    with pytest.raises(UserError, match=words) as error:
        maker.translated(upload)
    assert len(str(error.value)) < 300


def test_a_picture_of_more_pixels_than_memory_is_refused_before_it_is_decoded(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    maker = PageBackend(ganzoo.load(runs / "pix2pix", device="cpu"), MANY)
    with pytest.raises(UserError, match=r"'a\.png' is too large"):
        maker.translated(sent(Image.new("L", (40, 40))))


def test_a_gan_that_takes_any_size_is_shown_pictures_as_they_are_within_a_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trained = untrained(validate(zoo().gan("srgan"), {"width": 4, "blocks": 1, "scale": 2, "perceptual": "pixel"}))
    maker, picture = PageBackend(trained, MANY), Image.new("RGB", (50, 40), "teal")
    exif = Image.Exif()
    exif[0x0112] = 6
    stream = io.BytesIO()
    picture.save(stream, "JPEG", exif=exif)
    content = {"file": "data:;base64," + base64.b64encode(stream.getvalue()).decode(), "name": "a.jpg"}
    seen, made = maker.translated(content)
    assert (seen.size, made.size) == ((40, 50), (80, 100))
    (expected,) = trained.translate_pictures([open_image(stream.getvalue())])
    assert made.tobytes() == to_picture(expected).tobytes()
    monkeypatch.setattr("ganzoo_serve.maker.PIXELS", 1000)
    with pytest.raises(DataError, match=r"'a.jpg' has 40 x 50 pixels, and this page translates 1,000 at most"):
        maker.translated(content)


def test_a_page_of_a_gan_trained_backward_does_not_say_that_its_sources_were_adapted(
    runs: Path, tmp_path: Path
) -> None:
    shutil.copytree(runs / "pix2pix", tmp_path / "run")
    config = tmp_path / "run" / "config.json"
    for direction, said in (("forward", " as masked"), ("backward", "")):
        told = {**json.loads(config.read_text()), "as_": {"kind": "masked"}, "direction": direction}
        config.write_text(json.dumps(told))
        trained = ganzoo.load(tmp_path / "run", device="cpu")
        assert f"trained on openmoji{said} ·" in about(trained)
        blocks = page(PageBackend(trained, MANY), 4)
        assert ("Cut holes into a picture" in str(blocks.config)) == bool(said)


def test_a_turned_knob_leaves_the_iteration_as_it_is() -> None:
    trained = untrained(Numbered(), image=(1, 8, 8))
    trained.iteration = 7
    assert turned(trained, knobs(trained), [0.5]).iteration == 7


def test_a_class_is_chosen_by_number_and_its_knob_turned() -> None:
    trained = untrained(Numbered(), image=(1, 8, 8))
    maker = PageBackend(trained, MANY)
    assert [(knob.name, knob.lowest, knob.highest, knob.value) for knob in maker.knobs] == [("contrast", 0, 1, 1)]
    bright = maker.images(0, 1, 2, None, 1.0).getpixel((4, 4))  # type: ignore[arg-type] # as a browser sends it
    dim = maker.images(0, 1, 2, None, 0.5).getpixel((4, 4))  # type: ignore[arg-type] # as above
    assert (bright, dim) == (153, 140)
    for wrong in ("high", None, 2.0, True):
        with pytest.raises(OptionError, match="contrast"):
            maker.images(0, 1, None, None, wrong)
    with pytest.raises(OptionError, match="0 options were given; expected 1"):
        maker.images(0, 1, None, None)


def test_the_ends_of_the_way_are_the_images_of_the_seeds(runs: Path) -> None:
    trained = ganzoo.load(runs / "dcgan", device="cpu")
    way = trained.between(3, 4, [0.0, 0.5, 1.0])
    torch.testing.assert_close(way[0], trained.generate(1, seed=3)[0])
    torch.testing.assert_close(way[2], trained.generate(1, seed=4)[0])
    assert not torch.equal(way[0], way[1])
    assert to_picture(way[1]).tobytes() == PageBackend(trained, MANY).between(3, 4, 0.5, None, None).tobytes()


def test_names_from_a_run_folder_are_no_markup() -> None:
    trained = untrained(zoo().gan("dcgan")())
    hostile = trained.data.model_copy(update={"dataset": "<script>alert(1)</script>"})
    said = about(TrainedGAN(trained.folder, trained.gan, hostile, trained.nets))
    assert "<script>" not in said
    assert "&lt;script&gt;" in said
