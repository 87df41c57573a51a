"""Asks an https address once a day, so that a session does not wait for it and a change still arrives."""

from __future__ import annotations

import json
import logging
import time
from datetime import UTC, datetime, timedelta
from http.client import HTTPException, HTTPMessage, HTTPResponse
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from kiro_core.agentconfig.reading import MAX_BYTES, Unreadable, read_text
from kiro_core.mcp_servers.reading import json_object
from kiro_core.settings.files import replace_file

CACHE = "mcp_registry.json"
"""The file below Kiro's folder: `{format, source, read, registry}`, `read` in RFC 3339, `registry` the answer."""

DAY = timedelta(hours=24)
_CHUNK = 65536

_log = logging.getLogger(__name__)


def daily(address: str, home: Path, timeout_s: float) -> dict[str, Any]:
    """The JSON object behind an address: as it was answered within the last day, else asked now.

    What is older is never used, also when nobody answers.

    Raises:
        Unreadable: it cannot be had within about `timeout_s` seconds.

    """
    kept = _kept(address, home / CACHE)
    if kept is not None:
        return kept
    value = json_object(_asked(address, timeout_s))
    cache = {"format": 1, "source": address, "read": datetime.now(UTC).isoformat(timespec="seconds"), "registry": value}
    try:
        replace_file(home / CACHE, json.dumps(cache).encode())
    except OSError as error:
        _log.warning("The answer of %s is not kept for the day: %s.", address, error.strerror)
    return value


def _kept(address: str, path: Path) -> dict[str, Any] | None:
    try:
        cache = json_object(read_text(path)[0])
        age = datetime.now(UTC) - datetime.fromisoformat(cache["read"])
    except (Unreadable, KeyError, TypeError, ValueError):
        return None
    # One that was read in the future is as old as the clock is wrong.
    is_fresh = cache.get("source") == address and timedelta() <= age < DAY
    value = cache.get("registry")
    return value if is_fresh and isinstance(value, dict) else None


def _asked(address: str, timeout_s: float) -> str:
    until = time.monotonic() + timeout_s
    asking = {"Accept": "application/json", "User-Agent": "kiro-core"}
    request = Request(address, headers=asking)  # noqa: S310 - the settings take https only
    try:
        with build_opener(_OnlyHttps).open(request, timeout=timeout_s) as answer:
            return _body(answer, until).decode("utf-8-sig")
    except HTTPError as error:
        error.close()
        raise Unreadable(f"answered with {error.code}") from error
    except TimeoutError as error:
        raise Unreadable(f"did not answer within {timeout_s:g} s") from error
    except URLError as error:
        raise Unreadable(f"cannot be reached: {error.reason}") from error
    except UnicodeDecodeError as error:
        raise Unreadable(f"is not UTF-8 at byte {error.start}") from error
    except (OSError, HTTPException) as error:
        raise Unreadable(f"cannot be read: {error}") from error


def _body(answer: HTTPResponse, until: float) -> bytes:
    """All of it; a server that sends a byte at a time would never be late in a single read."""
    raw = b""
    while chunk := answer.read1(_CHUNK):
        raw += chunk
        if time.monotonic() > until:
            raise TimeoutError
        if len(raw) > MAX_BYTES:
            raise Unreadable(f"is larger than {MAX_BYTES} bytes")
    return raw


class _OnlyHttps(HTTPRedirectHandler):
    """Follows a redirection to another https address and to nothing else."""

    def redirect_request(  # noqa: PLR0913, PLR0917 - the signature is the standard library's
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        """See `HTTPRedirectHandler.redirect_request`."""
        if not newurl.startswith("https://"):
            raise HTTPError(req.full_url, code, "it leads to an address that is not https", headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)
