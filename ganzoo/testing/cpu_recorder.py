"""Recorder for machines without a GPU, which shows whether an iteration could be a CUDA graph.

It records every PyTorch operation with its tensors and repeats them in the same memory, as a graph does. Python values
that change between iterations are frozen as in a graph. It detects most synchronizations, except copies of numbers or
tensors from Python to the GPU.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

from ganzoo.engine.cuda_graphs import Iteration, Recording
from ganzoo.losses import Losses

WAITING = {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape}
"""Operations whose result Python needs in order to continue: on a GPU, they synchronize."""

MASKS = (torch.bool, torch.uint8)
INDEXING = ("aten::index.Tensor", "aten::index_put", "aten::index_put_", "aten::_index_put_impl_")
READING = (Tensor.tolist, Tensor.numpy, Tensor.cpu)


class CPURecorder:
    """Recorder for the CPU."""

    def rehearse(self, iteration: Iteration) -> tuple[Losses, str]:
        with _Notes() as notes, _Calls(notes):
            losses = iteration()
        return losses, notes.complaint

    def record(self, iteration: Iteration) -> Recording:
        with _Notes() as notes, _Calls(notes):
            losses = iteration()
        replays = iter([lambda: None])  # unlike a capture, recording has already run the iteration
        return Recording(losses, lambda: next(replays, notes.repeat)())


class _Notes(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # untyped in PyTorch
        self.complaint = ""
        self.quiet = False
        self._calls: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any], list[Tensor]]] = []

    def __enter__(self) -> "_Notes":
        super().__enter__()  # type: ignore[no-untyped-call]  # likewise
        return self

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        if not self.quiet:
            self.complaint = self.complaint or _complaint(func, args)
        self._calls.append((func, args, kwargs, _tensors(result)))
        return result

    def repeat(self) -> None:
        """Run all operations again and overwrite their results."""
        with torch.no_grad():
            for func, args, kwargs, results in self._calls:
                for old, new in zip(results, _tensors(func(*args, **kwargs)), strict=True):
                    if old.data_ptr() != new.data_ptr():  # neither changed in place nor a view
                        old.copy_(new)


class _Calls(TorchFunctionMode):
    """Detects reads of tensors by Python, and functions that behave differently on CPU and GPU."""

    def __init__(self, notes: _Notes) -> None:
        super().__init__()
        self._notes = notes

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in READING:
            self._notes.complaint = self._notes.complaint or f"{func.__name__}() must be waited for"
        if func is not F.one_hot:
            return func(*args, **(kwargs or {}))
        self._notes.quiet = True  # it checks its labels on the CPU only
        try:
            return func(*args, **(kwargs or {}))
        finally:
            self._notes.quiet = False


def _complaint(func: Any, args: tuple[Any, ...]) -> str:
    if func.name() == "aten::lift_fresh" and args[0].ndim:  # scalars are passed to kernels by value
        return "torch.tensor([...]) copies Python values to the GPU, which is waited for"
    waits = bool(WAITING & set(func.tags))
    if func.name() in INDEXING:  # integer indices determine the output's shape
        waits = any(index.dtype in MASKS for index in _tensors(args[1]))
    return f"{func.name()} must be waited for" if waits else ""


def _tensors(result: Any) -> list[Tensor]:
    return [leaf for leaf in pytree.tree_leaves(result) if isinstance(leaf, Tensor)]
