"""Archives from a server: fetched into memory, tried again where that may help."""

import logging
import time
import urllib.request
from http.client import HTTPException, HTTPMessage, IncompleteRead
from io import BytesIO
from typing import IO
from urllib.error import HTTPError

from ganzoo.data.tar import contents
from ganzoo.errors import DataError, typed

log = logging.getLogger(__name__)

TIMEOUT = 60
"""Seconds that a server may keep silent."""
PAUSES = (1, 5, 25)
"""Seconds to wait before each further try."""
PASSING = frozenset({408, 429})
"""Among a server's refusals, those that mean: later."""


def is_address(name: str) -> bool:
    """Whether something is to be fetched, by http or https: nothing else is."""
    return name.lower().startswith(("http://", "https://"))


def download(address: str) -> BytesIO:
    """The whole of an archive that a server has, in memory, unpacked if it was gzipped.

    Raises:
        DataError: it is no address, the server refuses, all tries failed, or the archive is too large or damaged.
    """
    for pause in (*PAUSES, None):
        try:
            return _download(address)
        except (OSError, EOFError, HTTPException) as error:
            refused = isinstance(error, HTTPError) and error.code < 500 and error.code not in PASSING
            if isinstance(error, HTTPError):
                error.close()
            if refused or pause is None:
                raise DataError(f"'{address}' cannot be fetched: {error}") from error
            log.warning("'%s' cannot be fetched: %s; trying again in %d s", address, error, pause)
            time.sleep(pause)
        except ValueError as error:  # of letters, or a host, that no address can have
            raise DataError(f"'{address}' is no address that can be fetched: {error}") from error
    raise AssertionError("the last try returns or raises")


class _Onwards(urllib.request.HTTPRedirectHandler):
    """Follows a server that sends on to another address, by http or https only: urllib would take ftp as well."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        if not is_address(newurl):
            raise DataError(f"'{req.full_url}' sends on to {typed(newurl)}, which is no http:// or https:// address")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _download(address: str) -> BytesIO:
    if not is_address(address):  # urllib would read files as well
        raise DataError(f"'{address}' is no http:// or https:// address")
    with urllib.request.build_opener(_Onwards).open(address, timeout=TIMEOUT) as response:
        content = contents(response, address)
        if response.length:  # announced, and not sent
            raise IncompleteRead(b"", response.length)
        return content
