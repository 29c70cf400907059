"""ganzoo from Python: train with `run`, take up a run folder with `load`, make images with what they return."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import torch
from PIL import Image
from torch import Tensor

from ganzoo import pictures
from ganzoo.callbacks import CallbackConfig
from ganzoo.config import build
from ganzoo.data.batch import Batch
from ganzoo.data.batches import scaled
from ganzoo.data.fit import fit_image
from ganzoo.data.images import open_image
from ganzoo.data.spec import DataSpec
from ganzoo.engine import resume, state, training
from ganzoo.engine import run as runs
from ganzoo.engine.folder import RunFolder
from ganzoo.engine.speed import Speed
from ganzoo.engine.training import Callback
from ganzoo.errors import OptionError, OutOfMemory, RunFolderError, SizeError, UnknownName, UserError
from ganzoo.gan import GAN
from ganzoo.inputs import Class, input_fields, takes
from ganzoo.machine import held_to_free_memory, lacks_memory
from ganzoo.networks import Networks
from ganzoo.notebook import NotebookDisplay, is_notebook
from ganzoo.options import resolve
from ganzoo.plugins import zoo

Looking: TypeAlias = Callback | CallbackConfig | str | Mapping[str, object]
"""What may look on while a run trains: an object, or what a registered one is made from."""


class TrainedGAN:
    """A GAN with weights, ready to make images. It needs its run folder and no data set."""

    def __init__(self, folder: Path, gan: GAN, data: DataSpec, nets: Networks) -> None:
        self.folder = folder
        self.gan = gan
        self.data = data
        self.nets = nets

    @property
    def takes_images(self) -> bool:
        """Whether it translates images; else it generates them."""
        return takes(self.gan, "source")

    @property
    def takes_text(self) -> bool:
        """Whether it makes images from captions, so that `generate` must be given some."""
        return takes(self.gan, "caption")

    @property
    def takes_classes(self) -> bool:
        """Whether `generate` may be told of which classes; `data.classes` are their names."""
        return takes(self.gan, "label")

    @property
    def device(self) -> torch.device:
        """Where it makes images."""
        return next(self.nets.parameters()).device

    def generate(
        self,
        count: int,
        seed: int = 0,
        batch_size: int = 64,
        *,
        text: str | Sequence[str] | None = None,
        classes: Class | Sequence[Class] | None = None,
    ) -> Tensor:
        """New images, count x C x H x W in [-1, 1], on the CPU.

        The n-th image of a seed is the same for any count, batch size and device, to float precision.

        Args:
            count: how many.
            seed: another seed, other images.
            batch_size: how many are made at once.
            text: what they are to show, for a GAN that makes images from captions; several are taken in turn.
            classes: their class, by name or number, for a GAN with classes; several are taken in turn. None: all.

        Raises:
            UserError: this GAN makes images from others; there is no such class, or the text cannot be a caption;
                it takes none, or must be given one; or less than one image is asked for.
        """
        if count < 1:
            raise OptionError(f"option 'count' cannot be {count}: it must be at least 1")
        if self.takes_images:
            raise UserError(f"'{self.gan.name}' makes images from images, not from noise; try translate")
        fields = training.fixed_noise(count, self.gan.noise_shape(), seed)
        fields |= input_fields(self.gan, self.data, count, text, classes)
        return self._sample(fields, count, seed, batch_size)

    def show(
        self,
        count: int = 25,
        seed: int = 0,
        *,
        text: str | Sequence[str] | None = None,
        classes: Class | Sequence[Class] | None = None,
    ) -> Image.Image:
        """New images in one picture, which a notebook shows; what is given is given to `generate`.

        Several texts or classes have a column each.

        Raises:
            UserError: see `generate`.
        """
        made = self.generate(count, seed, text=text, classes=classes)
        given = [[one] if isinstance(one, str | int) else one or () for one in (text, classes)]
        return pictures.grid(made, pictures.columns_of(count, max(map(len, given))))

    def __repr__(self) -> str:
        channels, height, width = self.data.shape
        return f"<TrainedGAN {self.gan.name}, {channels} x {height} x {width}, from {self.folder}>"

    def translate(self, images: Tensor, seed: int = 0, batch_size: int = 16) -> Tensor:
        """What it makes of images, N x C x H x W in [-1, 1] of `data.source_shape`; the same form, on the CPU.

        Raises:
            UserError: this GAN makes images from noise, or the images have another shape.
        """
        self._check_translates()
        if tuple(images.shape[1:]) != self.data.source_shape:
            raise UserError(f"images of shape {tuple(images.shape[1:])} do not fit; expected {self.data.source_shape}")
        noise = training.fixed_noise(len(images), self.gan.noise_shape(), seed)
        return self._sample({"source": images, **noise}, len(images), seed, batch_size)

    def translate_files(self, files: Iterable[Path]) -> Iterator[Tensor]:
        """What it makes of each picture, C x H x W in [-1, 1], the picture first scaled and cut to its own size.

        Raises:
            UserError: this GAN makes images from noise, or a file is no picture; it is named.
        """
        self._check_translates()
        channels, *size = self.data.source_shape
        for file in files:
            pixels = fit_image(open_image(file), (size[0], size[1]), channels)
            yield self.translate(scaled(pixels[None]))[0]

    def _check_translates(self) -> None:
        if not self.takes_images:
            raise UserError(f"'{self.gan.name}' makes images from noise, not from images; try generate")

    def _sample(self, fields: dict[str, Tensor], count: int, seed: int, batch_size: int) -> Tensor:
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices), torch.no_grad():
            torch.manual_seed(seed)
            return torch.cat([self._part(fields, start, batch_size) for start in range(0, count, batch_size)])

    def _part(self, fields: dict[str, Tensor], start: int, size: int) -> Tensor:
        rows = {name: values[start : start + size].to(self.device) for name, values in fields.items()}
        step = torch.zeros((), dtype=torch.int64, device=self.device)
        return self.gan.sample(self.nets, Batch(**rows, step=step)).float().cpu()


def run(
    gan: str | GAN | type[GAN],
    *,
    out: str | Path | None = None,
    data_dir: str | Path | None = None,
    callback: Looking | Sequence[Looking] = (),
    display: bool = True,
    **options: Any,
) -> TrainedGAN:
    """Trains a GAN and returns it; the same as `ganzoo run`.

    Args:
        gan: the name of a registered GAN, or a class or configuration of your own.
        out: the run folder; one that holds the same run is continued. None: a new one below `runs/`.
        data_dir: where downloads are kept.
        callback: what looks on while it trains, one or several: names and configurations of registered ones, as the
            command line takes them, and objects of your own, which are told first.
        display: whether a notebook shows progress, losses and the last sample grid; elsewhere nothing is shown.
        options: what the command line takes as flags: `epochs=1, loss="hinge", image_size="32"`. A table reaches
            into a choice: `optimizer={"lr": 1e-3}`.

    Raises:
        UserError: what was asked cannot be done; nothing was written, or, where data or disk fail later on, all up to
            the last checkpoint is whole.
        Diverged: a loss or a weight is no number.
        Interrupted: a signal asked to stop (a KeyboardInterrupt, in a notebook too); all is saved.
        PeerError: another process of the same run is gone.
    """
    several = [callback] if isinstance(callback, Callback | CallbackConfig | str | Mapping) else list(callback)
    own = [one for one in several if isinstance(one, Callback)]
    if chosen := [one for one in several if not isinstance(one, Callback)]:
        options["callback"] = chosen
    if display and is_notebook():
        own.insert(0, NotebookDisplay())
    if isinstance(gan, GAN):
        if options.get("recipe") is not None:
            raise OptionError(
                "a recipe says what a GAN's options are, and these are already given; name the class alone"
            )
        options = {**dict(gan), **options}
    kind = zoo().gan(gan) if isinstance(gan, str) else gan if isinstance(gan, type) else type(gan)
    resolved = resolve(kind, options)
    folder = runs.run(
        resolved,
        Path(out) if out is not None else None,
        Path(data_dir) if data_dir is not None else None,
        *own,
    )
    return load(folder.path, device=resolved.device, gan=kind)


def load(
    folder: str | Path,
    *,
    device: str | torch.device = "auto",
    gan: type[GAN] | None = None,
    checkpoint: str | int = "newest",
    **options: Any,
) -> TrainedGAN:
    """Takes up a checkpoint of a run folder.

    Args:
        folder: what `ganzoo run` left.
        device: where to make images.
        gan: the class, if no plugin registers it.
        checkpoint: "newest", the newest whole one; "best", that which was judged best as it trained; or an iteration.
        options: those of the GAN's that only change how images are made (its `may_change`): `truncation=0.7`.

    Raises:
        UserError: it is no run folder, has no checkpoint yet, or its GAN is not installed; or an option is no such.
    """
    return take_up(folder, device, gan, options, checkpoint)


def take_up(
    folder: str | Path,
    device: str | torch.device,
    gan: type[GAN] | None,
    options: Mapping[str, object],
    checkpoint: str | int = "newest",
) -> TrainedGAN:
    """What `load` does, whatever the options are called."""
    files = RunFolder(Path(folder))
    # Its own part only: what it was trained on and how need not be installed, or be there, to use it.
    config = _told_anew(resume.gan_of(files, gan), options)
    data = files.load(files.data, DataSpec)
    place = Speed(device=str(device)).place()
    with held_to_free_memory():
        weights = resume.weights_of(files, checkpoint)
        nets = _networks(files, config, data)
    state.load_networks(nets, weights, files.path)
    return TrainedGAN(files.path, config, data, nets.to(place).eval())


def _told_anew(gan: GAN, options: Mapping[str, object]) -> GAN:
    """The GAN with some options changed, of those that weights do not depend on."""
    for name in options:
        if name not in type(gan).model_fields:
            raise UnknownName(f"option of {gan.name}", name, gan.may_change)
        if name not in gan.may_change:
            may = (
                f"those that may: {', '.join(sorted(gan.may_change))}" if gan.may_change else "none of its options may"
            )
            raise OptionError(f"option '{name}' of '{gan.name}' cannot be changed after training; {may}")
    return build(type(gan), {**dict(gan), **options}) if options else gan


def _networks(files: RunFolder, gan: GAN, data: DataSpec) -> Networks:
    """What the files say that the networks were, which need not be what they were."""
    if missing := sorted(gan.needs - data.shapes.keys()):
        raise RunFolderError(f"{files.data} cannot be used: '{gan.name}' needs {', '.join(missing)}, which it has not")
    try:
        return gan.build(data)
    except SizeError as error:
        raise RunFolderError(f"{files.data} cannot be used: {error}") from error
    except (RuntimeError, MemoryError) as error:
        if not lacks_memory(error):
            raise
        raise OutOfMemory(f"there is not enough memory for the networks of {files.path}") from error
