"""Captions as tensors: UTF-8 bytes, padded with zeros."""

from collections.abc import Sequence

import torch
from torch import Tensor


def encode(texts: Sequence[str], length: int) -> Tensor:
    """Encode texts as uint8, N x `length`; longer ones are cut between characters."""
    result = torch.zeros((len(texts), length), dtype=torch.uint8)
    for row, text in zip(result, texts, strict=True):
        code = text.encode()[:length].decode(errors="ignore").encode()
        row[: len(code)] = torch.tensor(list(code), dtype=torch.uint8)
    return result
