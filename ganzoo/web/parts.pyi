"""The parts of the page that Gradio does not bring as they are needed here: a drawing pad, and a picture.

Both carry pictures inside of their values, as data URLs. So nothing that is uploaded or made is ever a file on the
server's disk, and the server needs no way to hand out files (see `ganzoo.web.gate`).
"""

import base64
import importlib.resources
import io
from typing import Any

import gradio
from PIL import Image

PAD = """
<span class="label"></span>
<div class="pad"><canvas role="img" aria-label="drawing pad"></canvas><div class="hint"></div></div>
<div class="tools">
  <button type="button" class="choose">Choose a picture</button>
  <button type="button" class="eraser" aria-pressed="false">Eraser</button>
  <button type="button" class="undo">Undo</button>
  <button type="button" class="clear">Clear</button>
</div>
<p class="said" role="status"></p>
<input type="file" accept="image/*,.tif,.tiff,.webp,.bmp,.ppm,.pgm" hidden>
"""
PICTURE = """
<span class="label"></span>
<figure class="made empty"><img alt=""><a class="save" download>Save as PNG</a></figure>
"""

from gradio.events import Dependency

class Pad(gradio.HTML):
    """Where one draws, or puts a picture; the value is `{"file": data URL, "name": ...}`. Event: `input`."""

    def __init__(self, size: tuple[int, int], most_bytes: int, **options: Any) -> None:
        super().__init__(
            html_template=PAD,
            js_on_load=text_of("pad.js"),
            size=size,
            most_bytes=most_bytes,
            most=f"{most_bytes / 2**20:.3g} MiB",
            **options,
        )

    def api_info(self) -> dict[str, Any]:
        strings = {"file": {"type": "string"}, "name": {"type": "string"}}
        return {"type": "object", "properties": strings}
    from typing import Callable, Literal, Sequence, Any, TYPE_CHECKING
    from gradio.blocks import Block
    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component


class Picture(gradio.HTML):
    """A picture that can be saved; the value is `{"file": data URL, "name": ..., "words": what is to be seen}`."""

    def __init__(self, label: str, **options: Any) -> None:
        super().__init__(html_template=PICTURE, js_on_load=text_of("picture.js"), label=label, **options)

    def api_info(self) -> dict[str, Any]:
        strings = {name: {"type": "string"} for name in ("file", "name", "words")}
        return {"type": "object", "properties": strings}
    from typing import Callable, Literal, Sequence, Any, TYPE_CHECKING
    from gradio.blocks import Block
    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component


def packed(picture: Image.Image, name: str, words: str) -> dict[str, str]:
    """A picture as the value of a `Picture`: a PNG without loss."""
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    content = base64.b64encode(stream.getvalue()).decode("ascii")
    return {"file": f"data:image/png;base64,{content}", "name": name, "words": words}


def text_of(name: str) -> str:
    """A file of this package."""
    return importlib.resources.files(__package__).joinpath(name).read_text(encoding="utf-8")