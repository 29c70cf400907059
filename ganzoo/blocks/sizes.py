"""Checks that data fits a network, with advice if it does not."""

from ganzoo.contract.data_spec import DataSpec
from ganzoo.errors import DataError, SizeError, typed


def check_size(network: str, shape: tuple[int, int, int], *, multiple: int, least: int) -> None:
    """Check that images are large enough and can be halved as often as the network needs.

    Args:
        network: name of the network, for the message.
        shape: channels, height and width of the images.
        multiple: required divisor of both sides.
        least: minimum side, a multiple of `multiple`.

    Raises:
        SizeError: they do not fit; the message suggests the closest sizes that do.
    """
    _, height, width = shape
    if all(side >= least and side % multiple == 0 for side in (height, width)):
        return
    rules = [f"multiples of {multiple}"] * (multiple > 1) + [f"at least {least}"] * (least > multiple)
    smaller = [max(least, side // multiple * multiple) for side in (height, width)]
    larger = [max(least, -(-side // multiple) * multiple) for side in (height, width)]
    sizes = dict.fromkeys(f"{high}x{wide}" for high, wide in (smaller, larger))
    raise SizeError(
        f"images of {height} x {width} pixels do not fit {network}: height and width must be {' and '.join(rules)}; "
        f"try --image-size {' or '.join(sizes)}"
    )


def check_classes(gan: str, data: DataSpec) -> int:
    """Return the number of classes in the data, for a class-conditional GAN.

    Args:
        gan: name of the GAN, for the message.
        data: training data.

    Raises:
        DataError: fewer than two classes.
    """
    if len(data.classes) > 1:
        return len(data.classes)
    found = f"only the class {typed(data.classes[0])}" if data.classes else "no classes"
    raise DataError(
        f"'{gan}' needs images of two classes or more, and '{data.dataset}' has {found}; try --data mnist, or "
        "--data folder:PATH with a sub-folder for each class"
    )
