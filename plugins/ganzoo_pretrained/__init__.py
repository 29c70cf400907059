"""Pretrained GANs that ship with ganzoo: each folder here, made by `ganzoo export`, under its own name."""

from pathlib import Path

import ganzoo

HERE = Path(__file__).parent


@ganzoo.hookimpl
def register_pretrained(register: ganzoo.Register) -> None:
    for export in sorted(HERE.glob("*/export.json")):
        register(ganzoo.PretrainedGAN(export.parent.name, export.parent))
