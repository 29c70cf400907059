"""Example data for trying networks: random values of the right shapes, types and ranges."""

import torch
from torch import Tensor

from ganzoo.contract.batch import Batch
from ganzoo.contract.data_spec import DataSpec


def example_batch(spec: DataSpec, noise_shape: tuple[int, ...] = (), rows: int = 4) -> Batch:
    """Return a batch with every field of the data, and noise if it has a shape."""
    fields: dict[str, Tensor] = {"step": torch.zeros((), dtype=torch.int64)}
    for name, shape in spec.shapes.items():
        if len(shape) == 3:
            fields[name] = torch.rand(rows, *shape) * 2 - 1
        elif shape:
            fields[name] = torch.randint(97, 123, (rows, *shape), dtype=torch.uint8)
        else:
            fields[name] = torch.randint(max(1, len(spec.classes)), (rows,))
    if noise_shape:
        fields["noise"] = torch.randn(rows, *noise_shape)
    return Batch(**fields)


def example_spec(needs: frozenset[str], shape: tuple[int, int, int] = (1, 32, 32), scale_factor: int = 1) -> DataSpec:
    """Return a specification with these fields, one image shape, sources smaller by `scale_factor`, five classes."""
    channels, height, width = shape
    kinds: dict[str, tuple[int, ...]] = {
        "label": (),
        "caption": (32,),
        "source": (channels, height // scale_factor, width // scale_factor),
    }
    shapes = {name: kinds.get(name, shape) for name in sorted(needs)}
    return DataSpec(dataset="example", shapes=shapes, classes=tuple("abcde") if "label" in needs else ())
