"""Downloads of archives into memory, with retries."""

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
"""Timeout of a server in seconds."""
PAUSES = (1, 5, 25)
"""Seconds to wait before each retry."""
PASSING = frozenset({408, 429})
"""HTTP errors below 500 that are worth a retry."""


def is_address(name: str) -> bool:
    """Whether a name is a URL with http or https; other schemes are not supported."""
    return name.lower().startswith(("http://", "https://"))


def download(address: str) -> BytesIO:
    """Download an archive into memory, and decompress it if gzipped.

    Raises:
        DataError: an invalid URL, a refusal of the server, failed retries, or an archive too large or damaged.
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
        except ValueError as error:  # invalid characters, or an invalid host
            raise DataError(f"'{address}' is no address that can be fetched: {error}") from error
    raise AssertionError("the last try returns or raises")


class _Onwards(urllib.request.HTTPRedirectHandler):
    """Handler that follows redirects to http and https only; urllib's own allows ftp as well."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        if not is_address(newurl):
            raise DataError(f"'{req.full_url}' sends on to {typed(newurl)}, which is no http:// or https:// address")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _download(address: str) -> BytesIO:
    if not is_address(address):  # urllib would also read local files
        raise DataError(f"'{address}' is no http:// or https:// address")
    with urllib.request.build_opener(_Onwards).open(address, timeout=TIMEOUT) as response:
        content = contents(response, address)
        if response.length:  # announced, but not received
            raise IncompleteRead(b"", response.length)
        return content
