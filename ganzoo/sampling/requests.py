"""Validation of sampling requests, and their translation into a GAN's inputs."""

import math
from collections.abc import Mapping, Sequence
from operator import index
from typing import SupportsIndex, TypeAlias

import torch
from torch import Tensor

from ganzoo.config import validate
from ganzoo.contract.codes import settings
from ganzoo.contract.data_spec import DataSpec
from ganzoo.contract.gan import GAN
from ganzoo.contract.networks import Networks
from ganzoo.data.text import encode
from ganzoo.errors import OptionError, UnknownName, UserError, typed
from ganzoo.sampling.inputs import Inputs
from ganzoo.sampling.interpolation import check_limit
from ganzoo.sampling.sampler import Sampler

Class: TypeAlias = str | int
"""Name or index of a class."""
MOST = 100_000
"""Largest number of points in walks, or rows in sweeps, whose noise is held in memory."""
LONGEST = 1_000_000
"""Largest number of frames in a walk, whose positions are held in memory."""
MANY = 20
"""Largest number of classes listed in an error."""
WORDS = {"label": "classes", "caption": "captions"}
"""Words in messages for the fields of a batch."""


def takes(gan: GAN, field: str) -> bool:
    """Whether the GAN makes images from this field: "caption", "label" or "source"."""
    return field in gan.needs & gan.inputs


def made_ready(
    gan: GAN,
    nets: Networks,
    data: DataSpec,
    seed: object,
    *,
    text: str | Sequence[str] | None = None,
    classes: Class | Sequence[Class] | None = None,
    truncation: float | None = None,
    codes: Mapping[str, object] | None = None,
) -> tuple[Sampler, Inputs]:
    """Return a sampler and its inputs for a request; see `TrainedGAN.generate`.

    Raises:
        UserError: if the GAN translates images, or the request is invalid.
    """
    number = at_least(0, "seed", seed)
    if takes(gan, "source"):
        check_source_alone(gan)
        raise UserError(f"'{gan.name}' makes images from images, not from noise; try translate")
    told = settings(gan.codes, gan.name, codes)
    for code, values in told.items():
        if len(values) > 1:
            raise OptionError(f"code '{code.name}' has {len(values)} values, where an image has one; try a sweep")
    own = {"truncation": truncation} if truncation is not None and "truncation" in gan.may_change else {}
    gan, limit = with_sampling_options(gan, own), None
    if truncation is not None and not own:
        limit = check_limit(truncation)
        check_noise(gan, "there is nothing to truncate")
    fields = turns(gan, data, text, classes)
    fixed = {code: value for code, (value,) in told.items()}
    return Sampler(gan, nets, number), Inputs(gan.noise_shape(), number, fields, limit, fixed)


def check_noise(gan: GAN, meaning: str) -> None:
    """Check that a GAN takes noise.

    Args:
        gan: GAN to check.
        meaning: consequence, for the message.

    Raises:
        UserError: if it takes none.
    """
    if not gan.noise_shape():
        raise UserError(f"'{gan.name}' makes images without noise: {meaning}")


def check_source_alone(gan: GAN) -> None:
    """Check that a GAN's only input field is `source`.

    Raises:
        UserError: if it takes others.
    """
    others = [WORDS.get(field, field) for field in sorted((gan.needs & gan.inputs) - {"source"})]
    if others:
        raise UserError(
            f"'{gan.name}' makes images from images and {' and '.join(others)}, and there is no translating with these "
            "yet: what it makes is to be seen in the samples of its run folder"
        )


def turns(
    gan: GAN, data: DataSpec, text: str | Sequence[str] | None, classes: Class | Sequence[Class] | None
) -> dict[str, Tensor]:
    """Return the rows of `caption` and `label` that images use in turn, as far as the GAN takes them.

    Raises:
        UserError: if the GAN does not take them, a required one is missing, or one is invalid.
    """
    fields = {}
    if text is not None and not takes(gan, "caption"):
        raise UserError(f"'{gan.name}' does not make images from captions: leave the text out")
    if classes is not None and not takes(gan, "label"):
        raise UserError(f"'{gan.name}' has no classes to choose from: leave the class out")
    if takes(gan, "caption"):
        if text is None:
            raise UserError(f"'{gan.name}' makes images from captions: say what of, as in --text \"a red flower\"")
        fields["caption"] = captions(_several(text, "text"), data)
    if takes(gan, "label"):
        if not data.classes:
            raise UserError(f"the data of this run names no classes, so '{gan.name}' cannot be told of which to make")
        numbers = range(len(data.classes)) if classes is None else class_numbers(_several(classes, "classes"), data)
        fields["label"] = torch.tensor(numbers)
    return fields


def with_sampling_options(gan: GAN, options: Mapping[str, object]) -> GAN:
    """Return the GAN with some of its sampling options changed.

    Raises:
        UserError: if there is no such option, or it cannot change after training.
    """
    for name in options:
        if name not in type(gan).model_fields:
            raise UnknownName(f"option of {gan.name}", name, gan.may_change)
        if name not in gan.may_change:
            may = (
                f"those that may: {', '.join(sorted(gan.may_change))}" if gan.may_change else "none of its options may"
            )
            raise OptionError(f"option '{name}' of '{gan.name}' cannot be changed after training; {may}")
    return validate(type(gan), {**dict(gan), **options}) if options else gan


def check_walk(points: object, frames: object, count: int) -> tuple[int, int]:
    """Return valid numbers of points and frames of a walk.

    Raises:
        OptionError: naming the one that is not whole, too low or too high.
    """
    points, frames = whole("interpolate", points), whole("frames", frames)
    if points < 2:
        raise OptionError(f"option 'interpolate' cannot be {points}: a walk leads through at least 2 points")
    if frames < points:
        raise OptionError(f"option 'frames' cannot be {frames}: a walk through {points} points has at least {points}")
    at_most_held("interpolate", points, count)
    if frames > LONGEST:
        raise OptionError(f"option 'frames' cannot be {frames}: a walk has at most {LONGEST}")
    return points, frames


def at_most_held(option: str, each: int, count: int) -> None:
    """Check that `each` x `count` rows of noise fit the limit.

    Raises:
        OptionError: naming the option that is too high, or 'count'.
    """
    if each * count > MOST:
        name = option if each > MOST or count == 1 else "count"
        raise OptionError(
            f"option '{name}' is too high: {each * count} rows of noise, where at most {MOST} are held at once"
        )


def at_least_one(**numbers: object) -> tuple[int, ...]:
    """Return the numbers as integers of at least 1.

    Raises:
        OptionError: naming the first invalid one.
    """
    return tuple(at_least(1, name, number) for name, number in numbers.items())


def at_least(least: int, name: str, number: object) -> int:
    """Return a number as an integer of at least `least`.

    Raises:
        OptionError: if it is invalid.
    """
    found = whole(name, number)
    if found < least:
        raise OptionError(f"option '{name}' cannot be {found}: it must be at least {least}")
    return found


def whole(name: str, number: object) -> int:
    """Return an integer of any library as a Python int, as seeds depend on its text.

    Raises:
        OptionError: if it is not an integer.
    """
    if not isinstance(number, SupportsIndex):
        raise OptionError(f"option '{name}' cannot be {typed(number)}: it must be a whole number")
    return int(index(number))


def captions(texts: Sequence[object], data: DataSpec) -> Tensor:
    """Return captions encoded as in the data, N x L.

    Raises:
        OptionError: if one is no text, blank, or longer than the data allows.
    """
    length = math.prod(data.shapes["caption"])
    for text in texts:
        if not isinstance(text, str) or not text.strip():
            raise OptionError(f"option 'text' cannot be {typed(text)}: say what is to be seen, such as 'a red flower'")
        try:
            size = len(text.encode())
        except UnicodeEncodeError as error:  # command line bytes that are not UTF-8
            raise OptionError(f"option 'text' cannot be {typed(ascii(text))}: it is no Unicode text") from error
        if "\0" in text:
            raise OptionError(f"option 'text' cannot be {typed(ascii(text))}: a caption ends where a zero is")
        if size > length:
            raise OptionError(
                f"option 'text' cannot be {typed(text)}: it has {size} bytes, and captions of '{data.dataset}' keep "
                f"{length}; say it in fewer words"
            )
    return encode([str(text) for text in texts], length)


def class_numbers(classes: Sequence[object], data: DataSpec) -> list[int]:
    """Return the indices of classes given by name or index; names take precedence.

    Raises:
        UnknownName: if there is no such class.
    """
    return [_class_number(value, data) for value in classes]


def _class_number(value: object, data: DataSpec) -> int:
    if isinstance(value, str) and value in data.classes:
        return data.classes.index(value)
    number = str(value).strip()
    if number.isascii() and number.isdecimal() and len(number) < 9 and int(number) < len(data.classes):
        return int(number)
    hint = ""
    if number.removeprefix("-").isdecimal():
        hint = f"classes are numbered from 0 to {len(data.classes) - 1}"
    raise UnknownName("class", value, data.classes, hint, most=MANY)


def _several(value: object, option: str) -> Sequence[object]:
    values = [value] if isinstance(value, str | int) or not isinstance(value, Sequence) else value
    if not values:
        raise OptionError(f"option '{option}' names nothing: leave it out, or name at least one")
    return values
