"""Programs of a few lines that make images with an export, where no ganzoo is installed."""

from ganzoo import DataSpec
from ganzoo.pictures import MODES
from ganzoo.run_folders import example_text
from ganzoo_export.fold import RANDOM
from ganzoo_export.graphs import ONNX, PT2
from ganzoo_export.trace import NOISE, OUTPUT, Traced

COUNT = 8
"""Images that they make from noise, side by side in one picture."""


def onnx_snippet(traced: Traced, data: DataSpec) -> str:
    """For onnxruntime, numpy and Pillow."""
    channels = data.shape[0]
    pixels = "pixels[0]" if channels == 1 else "pixels.transpose(1, 2, 0)"
    lines = [_input(name, traced, data, "np") for name in traced.shapes]
    seed = ["random = np.random.default_rng(0)  # another seed, other images"] if _draws(traced) else []
    return "\n".join(
        [
            "import numpy as np",
            "import onnxruntime",
            "from PIL import Image",
            "",
            f'session = onnxruntime.InferenceSession("{ONNX}")',
            *seed,
            *_before(traced, data),
            "inputs = {",
            *lines,
            "}",
            f'images = np.concatenate(session.run(["{OUTPUT}"], inputs)[0], axis=2)  # side by side, in [-1, 1]',
            "pixels = ((images + 1) * 127.5).round().clip(0, 255).astype(np.uint8)",
            f'Image.fromarray({pixels}).save("images.png")',
        ]
    )


def torch_snippet(traced: Traced, data: DataSpec) -> str:
    """For torch, and Pillow with numpy, which make a picture of the result."""
    pixels = "pixels[0]" if data.shape[0] == 1 else "pixels.permute(1, 2, 0)"
    lines = [_input(name, traced, data, "torch") for name in traced.shapes]
    pictures = ["import numpy as np"] if _pictures(traced, data) else []
    seed = ["torch.manual_seed(0)  # another seed, other images"] if _draws(traced) else []
    return "\n".join(
        [
            *pictures,
            "import torch",
            "from PIL import Image",
            "",
            f'generator = torch.export.load("{PT2}").module()',
            *seed,
            *_before(traced, data),
            "inputs = {",
            *lines,
            "}",
            "images = torch.cat(list(generator(**inputs)), 2)  # side by side, in [-1, 1]",
            "pixels = ((images + 1) * 127.5).round().clamp(0, 255).byte()",
            f'Image.fromarray({pixels}.numpy()).save("images.png")',
        ]
    )


def _draws(traced: Traced) -> bool:
    return NOISE in traced.shapes or bool(traced.drawn)


def _pictures(traced: Traced, data: DataSpec) -> list[str]:
    """The inputs that are images."""
    return [name for name in traced.shapes if len(data.shapes.get(name, ())) == 3]


def _before(traced: Traced, data: DataSpec) -> list[str]:
    """What is made ready for the inputs: captions as bytes, pictures of the right size."""
    lines = []
    for name in traced.shapes:
        shape = data.shapes.get(name, ())
        if len(shape) == 1:
            lines.append(f'{name} = "{example_text(data)}".encode()')
        elif len(shape) == 3:
            opened = f'Image.open("{name}.png").convert("{MODES[shape[0]]}")'
            lines.append(f"{name} = np.asarray({opened}.resize(({shape[2]}, {shape[1]})), np.float32)")
    return lines


def _input(name: str, traced: Traced, data: DataSpec, library: str) -> str:
    """A line of the table of inputs, for `np` or for `torch`."""
    count = 1 if _pictures(traced, data) else COUNT
    sides = ", ".join(str(count if side is None else side) for side in traced.shapes[name])
    row, comment = data.shapes.get(name), ""
    if row is None:  # random numbers
        even = RANDOM in name and "uniform" in name
        drawn = {
            "np": f"random.{'random' if even else 'standard_normal'}(({sides}), dtype=np.float32)",
            "torch": f"torch.{'rand' if even else 'randn'}({sides})",
        }
        value = drawn[library]
    elif len(row) == 3:
        channels, height, width = row
        value = f"{name}.reshape(1, {height}, {width}, {channels}).transpose(0, 3, 1, 2) / 127.5 - 1"
        value = f"torch.from_numpy({value})" if library == "torch" else value
    elif row:
        kind = {"np": "np.array", "torch": "torch.tensor"}[library]
        value = f"{kind}([list({name}.ljust({row[0]}, bytes(1)))] * {count}, dtype={library}.uint8)"
    else:
        value = f"{library}.arange({count}) % {max(1, len(data.classes))}"
        comment = "  # in turn; data.json has their names"
    return f'    "{name}": {value},{comment}'
