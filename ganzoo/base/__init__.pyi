from . import environment as environment
from . import io as io
from . import rng as rng
from . import system as system
