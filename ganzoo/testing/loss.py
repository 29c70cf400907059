"""`check_loss_scheme`: checks of losses."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ganzoo.base.rng import seeded
from ganzoo.losses import LossScheme
from ganzoo.testing.configuration import check_configuration, configured
from ganzoo.testing.demands import complaining, contract, demand
from ganzoo.testing.drawing import drawing

__tracebackhide__ = True

SHAPES: tuple[tuple[int, ...], ...] = ((8,), (8, 1), (8, 1, 4, 4))
FAR = 100.0
"""Logit that a confident discriminator may give, whose probability float32 rounds to 0 or 1."""
STEPS, STEP = 60, 0.05
"""Number and mean size of the steps with which logits descend a loss."""


def check_loss_scheme(loss: type[LossScheme] | LossScheme) -> None:
    """Check everything that is expected of a loss.

    Name, documentation and options; one finite number for logits of any shape; finite gradients, also of large logits;
    a discriminator's loss that separates real from fake logits, and a generator's that does the opposite; purity, and
    use of real logits if and only if it is declared; differentiable penalties.

    Args:
        loss: class, checked with its default options, or a configuration.

    Raises:
        AssertionError: if it breaks the contract; the message says what to change.
    """
    with drawing(), contract():
        scheme = configured(loss, LossScheme)
        check_configuration(scheme)
        check_pure(scheme)
        for shape in SHAPES:
            check_numbers(scheme, shape)
        check_needs_real(scheme)
        check_direction(scheme)
        check_penalties(scheme)


def logits(shape: tuple[int, ...], seed: int, scale: float = 1.0) -> Tensor:
    """Return logits that require gradients."""
    return (scale * torch.randn(shape, generator=seeded("logits", seed))).requires_grad_()


def check_numbers(scheme: LossScheme, shape: tuple[int, ...]) -> None:
    """Check that logits of this shape, small and large, give one finite number and finite gradients."""
    for scale in (1.0, FAR):
        real, fake = logits(shape, 0, scale), logits(shape, 1, scale)
        for name, given, value in (
            ("discriminator", (real, fake), scheme.discriminator(real, fake)),
            ("generator", (fake,), generator(scheme, real, fake)),
        ):
            check_number(f"{name}()", value, shape)
            demand(value.requires_grad, f"{name}() cannot be differentiated: compute it from the logits by torch alone")
            gradients = [one for one in torch.autograd.grad(value, given, allow_unused=True) if one is not None]
            demand(
                all(gradient.isfinite().all() for gradient in gradients),
                f"{name}() has no finite gradient by logits of {shape} near {scale:g}: take functions that stay finite,"
                " such as softplus or logsumexp, for logarithms of probabilities",
            )


def check_number(name: str, value: object, shape: tuple[int, ...]) -> None:
    """Check that a value is one finite float32 number."""
    if not isinstance(value, Tensor):
        raise AssertionError(f"{name} gives a {type(value).__name__}; expected a tensor")  # noqa: TRY004 - a demand
    demand(
        not value.ndim and value.dtype == torch.float32,
        f"{name} gives {value.dtype} of shape {tuple(value.shape)} for logits of {shape}; expected one float32: take "
        "the mean",
    )
    demand(
        value.isfinite(),
        f"{name} is {value.item()} for logits of {shape}: take functions that stay finite, such as softplus or "
        "logsumexp, for logarithms of probabilities",
    )


def generator(scheme: LossScheme, real: Tensor, fake: Tensor) -> Tensor:
    """Return the generator's loss, which must not depend on real logits unless the scheme declares it."""
    value = scheme.generator(real, fake)  # an error here has another cause
    if scheme.needs_real:
        return value
    change = "without real logits{}: leave them alone, or say needs_real = True"
    with complaining("generator() fails " + change.replace("{}", " ({})")):
        alone = scheme.generator(real[:0], fake)
    demand(value.isnan() or not alone.isnan(), f"generator() is NaN {change.format('')}")
    same = torch.equal(alone.nan_to_num(), value.nan_to_num())
    demand(same, f"generator() is {alone.item():.4g} {change.format(f', and {value.item():.4g} with them')}")
    return alone


def check_pure(scheme: LossScheme) -> None:
    """Check that a loss is a repeatable number, and neither changes the logits nor draws random numbers."""
    for name, method in (("discriminator", scheme.discriminator), ("generator", scheme.generator)):
        with torch.no_grad():
            real, fake = logits((8, 1), 2), logits((8, 1), 3)
            before, state = (real.clone(), fake.clone()), torch.get_rng_state()
            first, second = method(real, fake), method(real, fake)
        demand(
            torch.equal(real, before[0]) and torch.equal(fake, before[1]),
            f"{name}() changes the logits that it is given: use no operation that works in place (`add_`, `+=`)",
        )
        check_number(f"{name}()", first, (8, 1))
        demand(
            torch.equal(first, second) and torch.equal(torch.get_rng_state(), state),
            f"{name}() gives other numbers each time, or draws some: a loss is a pure function of logits, and what is "
            "random belongs into penalties()",
        )


def check_needs_real(scheme: LossScheme) -> None:
    """Check that the generator's loss depends on real logits if `needs_real` is true."""
    if not scheme.needs_real:
        return  # the other case is checked elsewhere
    fake = logits((8, 1), 4)
    values = [scheme.generator(logits((8, 1), seed), fake).detach() for seed in (5, 6)]
    demand(
        not torch.equal(*values),
        "generator() is the same whatever the real logits, which cost a pass of the discriminator: say "
        "needs_real = False",
    )


def check_direction(scheme: LossScheme) -> None:
    """Check that the discriminator's loss separates real and fake logits, and the generator's does the opposite."""
    real, fake = descend(scheme)
    gap = (real.mean() - fake.mean()).item()
    demand(
        abs(gap) > STEP,
        f"discriminator() does not tell real from fake: minimised, it leaves their mean logits {abs(gap):.2g} apart; "
        "does one of its terms fall where the other rises?",
    )
    # At half the distance, where no loss is flat: some are where the discriminator is confident.
    middle = (real + fake).mean() / 2
    near = [(middle + (side - middle) / 2).detach().requires_grad_() for side in (real, fake)]
    value = generator(scheme, near[0], near[1])
    moves = -torch.autograd.grad(value, near[1])[0].sum().item()
    demand(
        moves * gap > 0,
        "generator() does not draw fakes towards the real side: minimised, it moves their logits "
        f"{'up' if moves > 0 else 'down' if moves < 0 else 'nowhere'}, and discriminator() has those of real images "
        f"{'above' if gap > 0 else 'below'}",
    )
    check_certainty(scheme, real, fake)
    if scheme.least_loss is not None:
        sure = [scheme.discriminator(*apart).item() for apart in ((real, fake), (10 * real, 10 * fake))]
        demand(
            abs(min(sure) - scheme.least_loss) < 2 * STEP,
            f"least_loss is {scheme.least_loss}, but discriminator() comes to {min(sure):.3g} when it tells all apart: "
            "say that, or leave `least_loss` out",
        )


def descend(scheme: LossScheme) -> tuple[Tensor, Tensor]:
    """Return logits that were alike, after gradient descent on the discriminator's loss."""
    start = logits((16, 1), 7, 0.1).detach()
    sides = [start.clone(), start.flip(0).clone()]
    for _ in range(STEPS):
        given = [side.requires_grad_() for side in sides]
        slopes = torch.autograd.grad(scheme.discriminator(*given), given, allow_unused=True)
        known = [torch.zeros_like(start) if slope is None else slope for slope in slopes]
        scale = torch.cat(known).abs().mean().clamp(min=1e-12)
        sides = [(side - STEP * slope / scale).detach() for side, slope in zip(given, known, strict=True)]
    return sides[0], sides[1]


def check_certainty(scheme: LossScheme, real: Tensor, fake: Tensor) -> None:
    """Check that the overfitting signal is in [-1, 1], and positive if the discriminator recognizes real images."""
    value = scheme.overfitting_signal(real, fake)
    check_number("certainty()", value, tuple(real.shape))
    demand(
        0 < value.item() <= 1,
        f"certainty() is {value.item():.2g} where the discriminator tells real images from fakes; expected more than 0 "
        "and 1 at most: define it for what its logits mean",
    )


class Critic(nn.Module):
    """Smooth critic, from images to one logit each."""

    def __init__(self, images: Tensor) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(images[0].numel(), 8), nn.Softplus(), nn.Linear(8, 1))

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images)


def check_penalties(scheme: LossScheme) -> None:
    """Check that penalties are named numbers with gradients for the critic, in any iteration."""
    real, fake = (torch.rand((8, 1, 8, 8), generator=seeded("images", seed)) * 2 - 1 for seed in range(2))
    critic, before = Critic(real), (real.clone(), fake.clone())
    penalties: Callable[..., object] = scheme.penalties
    for step in (0, 1000):
        terms = penalties(critic, real, fake, torch.tensor(step))
        named = isinstance(terms, dict) and all(isinstance(name, str) for name in terms)
        demand(named, f"penalties() gives a {type(terms).__name__}; expected terms by name: {{'r1': ...}}")
        for name, value in terms.items() if isinstance(terms, dict) else ():
            check_number(f"the penalty '{name}'", value, (8, 1))
            demand(name != "adversarial", "a penalty is called 'adversarial', as the loss itself; give it another name")
            demand(
                value.requires_grad,
                f"the penalty '{name}' teaches the critic nothing: take slopes by ganzoo.gradient(critic(x), x), "
                "which can be differentiated again",
            )
            gradients = torch.autograd.grad(value, list(critic.parameters()), allow_unused=True, retain_graph=True)
            demand(
                all(gradient is None or gradient.isfinite().all() for gradient in gradients),
                f"the penalty '{name}' has no finite gradient: guard roots where the slope is 0 (+ 1e-8)",
            )
    untouched = torch.equal(real, before[0]) and torch.equal(fake, before[1])
    demand(
        untouched and not real.requires_grad and not fake.requires_grad,
        "penalties() changes the images that it is given: differentiate by images.detach().requires_grad_(), and "
        "change none in place",
    )
