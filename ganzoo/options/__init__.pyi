from .run import HEADINGS as HEADINGS
from .run import RunOptions as RunOptions
from .run import resolve as resolve
