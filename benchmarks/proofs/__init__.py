"""What shows that a GAN learns: for each family the data, the figures, what they stand beside, and a picture.

Which proofs a GAN is put to follows from what it needs and can do, never from its name.
"""

from benchmarks.proofs.captions import Retrieval
from benchmarks.proofs.digits import Digits, DigitsByCaption, DigitsByClass, DigitsByCode, FewLabels
from benchmarks.proofs.pairs import Enlargement, Filling, Translation
from benchmarks.proofs.proof import Figures, Proof, untrained
from ganzoo.contract.gan import GAN
from ganzoo.options.run import resolve

__all__ = ["PROOFS", "Figures", "Proof", "proofs", "untrained"]

PROOFS: tuple[type[Proof], ...] = (
    Digits,
    DigitsByCode,
    DigitsByClass,
    DigitsByCaption,
    Retrieval,
    FewLabels,
    Translation,
    Enlargement,
    Filling,
)


def proofs(gan: type[GAN]) -> list[type[Proof]]:
    """The proofs for a GAN as it is by default."""
    run = resolve(gan, {})
    return [proof for proof in PROOFS if proof.applies(run)]
