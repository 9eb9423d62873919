"""Files and servers, as sources of what is put together."""

from typing import Final

from raptorctl.drivers.supply import Supply
from raptorctl.errors import DownloadError, HostError, InputError
from raptorctl.host.image.download import Http
from raptorctl.host.system.caller import read_given
from raptorctl.model.names import shown
from raptorctl.model.sizes import MIB

LARGEST: Final = 64 * MIB
"""Bytes of one file or reply: all of a seed is in memory."""


class GivenSupply:
    """Reads with the rights of who asked; a server is asked once. `files`: all that it read."""

    def __init__(self) -> None:
        self.files: set[str] = set()
        self._replies: dict[str, bytes] = {}

    def file(self, path: str) -> bytes:
        """Return what is in a file."""
        if "\0" in path:
            raise InputError(f"{shown(path)} has a NUL, which no path can have")
        data = read_given(path, LARGEST)
        if len(data) > LARGEST:
            raise InputError(f"{shown(path)} is larger than {LARGEST // MIB} MiB")
        self.files.add(path)
        return data

    def url(self, url: str) -> bytes:
        """Return what a server gives."""
        if url not in self._replies:
            self._replies[url] = self._reply(url)
        return self._replies[url]

    def _reply(self, url: str) -> bytes:
        if not url.startswith(("http://", "https://")) or not url.isprintable():
            raise InputError(f"{shown(url)} is no URL of http or https")
        try:
            body, reply = Http().text(url, {}, LARGEST)
        except HostError as error:
            raise DownloadError(f"{url}: {error.brief}", details=error.details) from error
        except ValueError as error:  # half of an IPv6 address
            raise InputError(f"{shown(url)} is no URL: {error}") from error
        if reply.status_code != 200:
            raise DownloadError(
                f"{url}: the server says {reply.status_code} {reply.reason}".strip()
            )
        return body


_: Supply = GivenSupply()
