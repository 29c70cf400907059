"""BatchNorm with statistics over all processes: the same results as one process with the whole batch.

torch's SyncBatchNorm needs CUDA and does not support double backward, which gradient penalties need.
"""

import logging
from types import MethodType

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ganzoo.distributed.context import DistributedContext

log = logging.getLogger(__name__)

KINDS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def synchronise(nets: nn.Module, distributed: DistributedContext) -> None:
    """Make every BatchNorm of these networks compute its training statistics over all processes.

    Weights, buffers and their names do not change. Compiled networks leave these layers out of the graph. A subclass
    with its own forward keeps it, with per-process statistics and a warning.
    """

    @torch.compiler.disable  # type: ignore[untyped-decorator]  # untyped in torch
    def forward(layer: nn.BatchNorm2d, batch: Tensor) -> Tensor:
        return _normalised(layer, batch, distributed) if layer.training else type(layer).forward(layer, batch)

    layers = [layer for layer in nets.modules() if isinstance(layer, KINDS)]
    for layer in layers:
        if type(layer).forward is _BatchNorm.forward:
            # A bound method, not a closure: a deep copy then uses its own weights.
            vars(layer)["forward"] = MethodType(forward, layer)
    for name in sorted({type(layer).__name__ for layer in layers if type(layer).forward is not _BatchNorm.forward}):
        log.warning("%s has a forward of its own: each process keeps its own statistics there", name)


def _normalised(layer: nn.BatchNorm2d, batch: Tensor, distributed: DistributedContext) -> Tensor:
    layer._check_input_dim(batch)  # noqa: SLF001 - torch's own message for a wrong shape
    values = batch if batch.dtype == torch.float64 else batch.float()
    mean, variance, count = _statistics(values, distributed)
    if layer.running_mean is not None:
        _remember(layer, mean.detach(), variance.detach() * (count / (count - 1)))
    scale = torch.rsqrt(variance + layer.eps)
    if layer.weight is not None:
        scale = scale * layer.weight
    result = (values - _along(mean, values)) * _along(scale, values)
    if layer.bias is not None:
        result = result + _along(layer.bias, values)
    return result.to(batch.dtype)


def _statistics(values: Tensor, distributed: DistributedContext) -> tuple[Tensor, Tensor, Tensor]:
    """Return mean and biased variance of each channel, and the number of values, over all processes.

    Variances are combined by the method of Chan, Golub and LeVeque (1979): mean(x^2) - mean(x)^2 would cancel.
    """
    own, channels = values.numel() // values.shape[1], values.shape[1]
    if own * distributed.world_size <= 1:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {values.shape}")
    variance, mean = torch.var_mean(values, [0, *range(2, values.ndim)], correction=0)
    mine = torch.cat([mean, variance, mean.new_full((1,), own)])
    # One row per process, zeros elsewhere: the sum holds all rows, differentiated by autograd.
    rows = [mine if rank == distributed.rank else torch.zeros_like(mine) for rank in range(distributed.world_size)]
    means, variances, counts = distributed.total(torch.stack(rows)).split([channels, channels, 1], dim=1)
    count = counts.detach().sum()
    shares = counts.detach() / count
    mean = (shares * means).sum(0)
    return mean, (shares * (variances + (means - mean).square())).sum(0), count


def _remember(layer: nn.BatchNorm2d, mean: Tensor, variance: Tensor) -> None:
    assert layer.running_mean is not None  # noqa: S101 - checked by the caller; for the type checker
    assert layer.running_var is not None  # noqa: S101 - set together with the mean
    assert layer.num_batches_tracked is not None  # noqa: S101 - likewise
    layer.num_batches_tracked.add_(1)
    # Without a momentum: the cumulative mean.
    share = 1.0 / layer.num_batches_tracked if layer.momentum is None else layer.momentum
    with torch.no_grad():
        layer.running_mean.lerp_(mean.to(layer.running_mean.dtype), share)
        layer.running_var.lerp_(variance.to(layer.running_var.dtype), share)


def _along(channels: Tensor, values: Tensor) -> Tensor:
    """Reshape a tensor of channels to broadcast over N x C x ..."""
    return channels.view(1, -1, *[1] * (values.ndim - 2))
