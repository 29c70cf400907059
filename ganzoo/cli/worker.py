"""The command line as one of several processes: together they say what one would."""

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import rich_click as click

from ganzoo.errors import Diverged, PeerError, UserError

PEER_LOST = 75
"""The exit status of a process that could not go on without another: EX_TEMPFAIL of sysexits.h, try again later."""


@contextmanager
def one_of_several() -> Iterator[None]:
    """Within, only the process that leads warns, and only the first that fails says why: then all end."""
    import logging
    import warnings

    if os.environ["RANK"] != "0":
        logging.getLogger("ganzoo").setLevel(logging.CRITICAL)
        warnings.simplefilter("ignore")
    try:
        yield
    except Exception as error:
        from ganzoo.distributed.failures import fails_first, has_spoken

        if fails_first():
            if isinstance(error, UserError | Diverged | PeerError):
                click.echo(f"Error: {error}", err=True)
            else:
                traceback.print_exc()
            has_spoken()
        sys.exit(2 if isinstance(error, UserError) else PEER_LOST if isinstance(error, PeerError) else 1)
