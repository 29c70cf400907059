"""What images are asked to be of: classes and captions as people say them, as the fields of a batch."""

import math
from collections.abc import Sequence
from typing import TypeAlias

import torch
from torch import Tensor

from ganzoo.data.spec import DataSpec
from ganzoo.data.text import encode
from ganzoo.errors import OptionError, UnknownName, UserError, typed
from ganzoo.gan import GAN

Class: TypeAlias = str | int
"""A class by its name or its number."""
MANY = 20
"""So many classes are named where one does not exist."""


def takes(gan: GAN, field: str) -> bool:
    """Whether its images are made from that field: "caption", "label", "source"."""
    return field in gan.needs & gan.inputs


def input_fields(
    gan: GAN, data: DataSpec, count: int, text: str | Sequence[str] | None, classes: Class | Sequence[Class] | None
) -> dict[str, Tensor]:
    """The rows of `caption` and `label` for so many images, as far as the GAN takes them; several are taken in turn.

    Raises:
        UserError: it takes none of that kind, or none was said; or this one cannot be.
    """
    fields = {}
    if text is not None and not takes(gan, "caption"):
        raise UserError(f"'{gan.name}' does not make images from captions: leave the text out")
    if classes is not None and not takes(gan, "label"):
        raise UserError(f"'{gan.name}' has no classes to choose from: leave the class out")
    if takes(gan, "caption"):
        if text is None:
            raise UserError(f"'{gan.name}' makes images from captions: say what of, as in --text \"grinning face\"")
        fields["caption"] = in_turn(captions(_several(text, "text"), data), count)
    if takes(gan, "label"):
        if not data.classes:
            raise UserError(f"the data of this run names no classes, so '{gan.name}' cannot be told of which to make")
        numbers = range(len(data.classes)) if classes is None else class_numbers(_several(classes, "classes"), data)
        fields["label"] = in_turn(torch.tensor(numbers), count)
    return fields


def captions(texts: Sequence[object], data: DataSpec) -> Tensor:
    """Captions as the data has them, N x L.

    Raises:
        OptionError: one is no text, is blank, or is longer than the data's own may be.
    """
    length = math.prod(data.shapes["caption"])
    for text in texts:
        if not isinstance(text, str) or not text.strip():
            raise OptionError(f"option 'text' cannot be {typed(text)}: say what is to be seen, such as 'grinning face'")
        try:
            size = len(text.encode())
        except UnicodeEncodeError as error:  # from a command line, bytes that are no UTF-8
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
    """The numbers of classes that are said by name or number; what is a name is no number.

    Raises:
        UnknownName: there is no such class.
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


def in_turn(rows: Tensor, count: int) -> Tensor:
    """So many rows, over and over."""
    return rows[torch.arange(count) % len(rows)]


def _several(value: object, option: str) -> Sequence[object]:
    values = [value] if isinstance(value, str | int) or not isinstance(value, Sequence) else value
    if not values:
        raise OptionError(f"option '{option}' names nothing: leave it out, or name at least one")
    return values
