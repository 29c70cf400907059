"""The engine: everything it knows of GANs is networks and players."""

import logging
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property, partial

import torch
from torch import Tensor, nn

from ganzoo.data.batch import Batch
from ganzoo.engine.average import MovingAverage
from ganzoo.engine.graph import WARM_UP, CudaRecorder, Graphs, restored
from ganzoo.engine.learning import Learning
from ganzoo.engine.optimizers import Optimizers
from ganzoo.engine.players import check, settle
from ganzoo.engine.ranks import Ranks
from ganzoo.engine.speed import Speed
from ganzoo.errors import ContractError, OptionError
from ganzoo.gan import GAN, Player
from ganzoo.losses import Losses
from ganzoo.networks import Networks
from ganzoo.rng import preserve_rng_state

log = logging.getLogger(__name__)

ALONE, WITH_SHARED = 1, 2
"""What of a player's turn is not compiled, if it differentiates twice: its loss, or what the players share as well."""


class Engine:
    """Trains any GAN, an iteration at a time.

    Its state is the networks, their moving average, the optimizers and the number of iterations made; all else is
    given. The random numbers that networks and losses draw come from torch's default generators.

    Of several processes (`ranks`) each has an engine of its own on its share of the batch; gradients are averaged, so
    that the weights are the same in all.

    Raises:
        ContractError: the players do not fit the networks.
    """

    def __init__(
        self,
        gan: GAN,
        nets: Networks,
        players: Sequence[Player] | None = None,
        speed: Speed | None = None,
        assemble: Callable[[Batch], Batch] | None = None,
        ranks: Ranks | None = None,
        learning: Learning | None = None,
        iterations: int | None = None,
    ) -> None:
        self.speed = speed = speed or Speed()
        self.learning = learning or Learning()
        self.iterations = iterations
        """Of the whole run, which a schedule of learning rates follows; None: it has no end."""
        self.gan, self.nets, self.device = gan, nets, speed.place()
        self.players = settle(gan.players() if players is None else players)
        check(self.players, nets)
        for player in self.players:
            if iterations is not None and player.after >= iterations:
                log.warning(
                    "the player '%s' begins after %d iterations, and the whole run has %d: it will not move; train for "
                    "more epochs, or have it begin earlier",
                    player.name,
                    player.after,
                    iterations,
                )
        self.assemble = assemble
        self.ranks = ranks or Ranks.alone()
        captures = speed.captures(self.device)
        if captures and self.ranks.count > 1:
            log.warning("with several processes iterations are not replayed as CUDA graphs: that was never tried")
            captures = False
        self.graphs = Graphs(CudaRecorder(self.device), self.device, self.state) if captures else None
        speed.apply(nets, self.device)
        self.ranks.broadcast([*nets.parameters(), *nets.buffers()])
        self.channels_last = speed.lays_channels_last(self.device)
        self.iteration = 0
        self._as_written = dict.fromkeys((player.name for player in self.players), 0)
        self._tried_compiled = not speed.compile
        self.weights = {player.name: self._weights(player) for player in self.players}
        captured = self.graphs is not None
        self.optimizers = Optimizers(self.players, self.weights, self.learning, fused=speed.fused, captured=captured)
        self._trained = list(dict.fromkeys(weight for weights in self.weights.values() for weight in weights))
        half_life = self.learning.ema_images
        self.average = MovingAverage(nets, self._trained, half_life) if half_life else None
        self.train()

    @property
    def cycle(self) -> int:
        """Iterations until every player has moved as often as its rhythm says, and all start anew."""
        return math.lcm(*(player.every for player in self.players))

    @property
    def warm_up_cycles(self) -> int:
        """Cycles after which every set of players is recorded, where the engine records, and memory is taken."""
        return WARM_UP + 3 if self.graphs else 2

    @property
    def phases(self) -> list[int]:
        """The iterations at which players begin or end: 0 first, then those at which others move than before."""
        return sorted({0, *(player.after for player in self.players), *(player.until or 0 for player in self.players)})

    def step(self, batch: Batch, everyone: bool = False) -> Losses:
        """One iteration on one batch: the players that are due, or `everyone`, move in turn.

        Args:
            batch: the batch, or what `assemble` makes it of; on any device.
            everyone: whether all players of the last phase move, whose turn it is or not.

        Returns:
            Their loss terms by `player/term`, 0-dimensional and float32, on the device.

        Raises:
            ContractError: a player's loss or its gradients are not what they should be; it says which.
            OptionError: the networks cannot be compiled.
        """
        due = tuple(
            player for player in self.players if (player.until is None if everyone else player.is_due(self.iteration))
        )
        if not self._tried_compiled:
            self._try_compiled(batch)
        self.optimizers.set_rates(self.iteration / self.iterations if self.iterations else 0.0)
        try:
            if self.graphs:
                names = tuple(player.name for player in due)
                losses = self.graphs.make(names, batch, partial(self.iterate, due))
            else:
                losses = self.iterate(due, batch.to(self.device))
        finally:
            self._only_move(self._trained)
        self.iteration += 1
        return losses

    def iterate(self, due: tuple[Player, ...], batch: Batch) -> Losses:
        """What every GAN here does in an iteration, whatever it is."""
        terms = Losses()
        with self.speed.arithmetic(self.device):
            batch = self.generate(due, batch)
            for player in due:
                losses, gradients = self.differentiate(player, batch)
                self.move(player, self.ranks.average(gradients))
                terms |= {f"{player.name}/{term}": value.detach().float() for term, value in losses.items()}
            if self.average:
                images = next(len(value) for value in batch.values() if value.ndim)
                self.average.update(batch.step, images * self.ranks.count)
        return terms

    def generate(self, due: Sequence[Player], batch: Batch) -> Batch:
        """The batch made ready, with what these players share."""
        self._only_move(weight for player in due for weight in self.weights[player.name])
        with self.speed.as_written(any(self._as_written[player.name] == WITH_SHARED for player in due)):
            return self.gan.generate(self.nets, self._ready(batch))

    def differentiate(self, player: Player, batch: Batch) -> tuple[Losses, Sequence[Tensor | None]]:
        """A player's losses and their gradients."""
        self._only_move(self.weights[player.name])
        with self.speed.as_written(self._as_written[player.name] >= ALONE):
            losses = player.loss(self.nets, batch)
            return losses, self.gradients(player, losses)

    def gradients(self, player: Player, losses: Losses) -> Sequence[Tensor | None]:
        """The gradients of a player's summed losses by its own weights and no others."""
        for term, value in losses.items():
            name = f"the loss '{player.name}/{term}'"
            if not isinstance(value, Tensor):
                raise ContractError(f"{name} is {value!r}; expected a tensor")
            if value.ndim or value.device != self.device:
                raise ContractError(
                    f"{name} has shape {tuple(value.shape)} on {value.device}; expected one number on {self.device}"
                )
        total = sum(losses.values(), start=torch.zeros((), device=self.device))
        if not total.requires_grad:
            moved = ", ".join(player.networks)
            raise ContractError(f"the losses of the player '{player.name}' do not depend on what it moves ({moved})")
        try:
            return torch.autograd.grad(total, self.weights[player.name], allow_unused=True)
        except RuntimeError as error:
            if "second time" in str(error) or "modified by an inplace operation" in str(error):
                raise ContractError(
                    f"the player '{player.name}' differentiates through what an earlier player used up or moved: "
                    "call generate(nets, batch) again in its loss, or detach what it only looks at"
                ) from error
            raise

    def move(self, player: Player, gradients: Sequence[Tensor | None]) -> None:
        """One optimizer step of one player."""
        self.optimizers.step(player.name, gradients)
        if player.constrain:
            with torch.no_grad():
                player.constrain(self.nets)

    def sample(self, batch: Batch) -> Tensor:
        """Images made in evaluation mode: the same for the same weights and inputs, whatever is drawn.

        They are N x C x H x W in [-1, 1], float32, on the CPU.
        A moving average makes them, if one is kept; `settle` it first. Training goes on as if nothing had been called.
        """
        with self.evaluating(), self.speed.arithmetic(self.device):
            torch.manual_seed(0)
            return self.gan.sample(self.makers, self._laid_out(batch)).float().cpu()

    @property
    def makers(self) -> Networks:
        """The networks that images are made with: averaged, if a moving average is kept; `settle` it first."""
        return self.average.nets if self.average else self.nets

    def settle(self, inputs: Batch) -> None:
        """Makes the moving average, if one is kept, ready to make images from inputs like these, of training."""
        if self.average:
            with self.evaluating(), self.speed.arithmetic(self.device):
                torch.manual_seed(0)
                self.average.settle(self.gan.sample, self._laid_out(inputs))

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        """Evaluation mode, no gradients, and random numbers that training does not miss."""
        with preserve_rng_state(self.device), torch.no_grad(), self.speed.as_written():
            self.nets.eval()
            try:
                yield
            finally:
                self.train()

    def train(self) -> None:
        """Training mode; a network, or a part of one, with weights that no player moves stays frozen and evaluates."""
        self.nets.train()
        for _, module in self._still_modules():
            module.eval().requires_grad_(False)

    def state(self) -> list[Tensor]:
        """All that an iteration changes but random numbers: the tensors themselves."""
        average = self.average.own.parameters() if self.average else ()
        return [*self.nets.parameters(), *self.nets.buffers(), *self.optimizers.state().values(), *average]

    def load_optimizer_state(self, flat: Mapping[str, Tensor]) -> None:
        """Takes back what `optimizers.state` gave."""
        self.optimizers.load_state(flat)
        if self.graphs:
            self.graphs.forget()

    @cached_property
    def frozen(self) -> frozenset[str]:
        """What of the networks' state no player moves and no iteration changes, by its name in their `state_dict`."""
        return frozenset(
            f"{path}.{name}" for path, module in self._still_modules() for name in module.state_dict(keep_vars=True)
        )

    def broken_weight(self) -> str:
        """The name of a weight that is NaN or infinite; empty if there is none. Waits for the device."""
        if bool(nn.utils.get_total_norm(self._trained).isfinite()):
            return ""
        weights = self.nets.named_parameters()
        return next((name for name, weight in weights if not bool(weight.isfinite().all())), "")

    def _still_modules(self) -> Iterator[tuple[str, nn.Module]]:
        trained = set(self._trained)
        for path, module in self.nets.named_modules():
            weights = list(module.parameters())
            if weights and trained.isdisjoint(weights):
                yield path, module

    def _try_compiled(self, batch: Batch) -> None:
        """Finds what compiling must leave out for which player. Tried on a batch; nothing of it stays.

        Raises:
            OptionError: the networks cannot be compiled at all.
        """
        with restored(self.state(), self.device), self.speed.arithmetic(self.device):
            for player in self.players:
                while not self._can_differentiate(player, batch.to(self.device)):
                    self._as_written[player.name] += 1
                if self._as_written[player.name]:
                    log.warning("the player '%s' differentiates twice, so its turns are not compiled", player.name)
        self._tried_compiled = True

    def _can_differentiate(self, player: Player, batch: Batch) -> bool:
        try:
            self.differentiate(player, self.generate((player,), batch))
        except RuntimeError as error:
            if type(error).__module__.startswith(("torch._dynamo", "torch._inductor")):
                reason = next(iter(str(error).splitlines()), "")
                raise OptionError(f"the networks cannot be compiled here ({reason}); leave --compile out") from error
            if "double backward" not in str(error) or self._as_written[player.name] == WITH_SHARED:
                raise
            return False
        return True

    def _weights(self, player: Player) -> list[nn.Parameter]:
        parameters = (weight for name in player.networks for weight in getattr(self.nets, name).parameters())
        return list(dict.fromkeys(weight for weight in parameters if weight.requires_grad))

    def _only_move(self, weights: Iterable[nn.Parameter]) -> None:
        # Frozen weights cost neither stored activations nor gradients, and no loss can reach another player's networks.
        moving = set(weights)
        for weight in self._trained:
            weight.requires_grad_(weight in moving)

    def _ready(self, batch: Batch) -> Batch:
        return self._laid_out(self.assemble(batch) if self.assemble else batch)

    def _laid_out(self, batch: Batch) -> Batch:
        if not self.channels_last:
            return batch
        images = {name: value for name, value in batch.items() if value.ndim == 4}
        return batch.replace(**{name: image.to(memory_format=torch.channels_last) for name, image in images.items()})
