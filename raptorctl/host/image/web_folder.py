"""A folder of images behind a web server, which need do no more than serve files."""

from urllib.parse import quote, urljoin

from raptorctl.drivers.image import Watch
from raptorctl.errors import DownloadError
from raptorctl.host.image.download import Download, Http
from raptorctl.host.image.http import BrokenOffError
from raptorctl.host.image.partial import Partial
from raptorctl.model.sizes import Size


class WebFolder:
    """What of `raptorctl.host.image.folder.Folder` pulling needs.

    Args:
        http: how to ask.
        index: the URL of its index.
        largest: bytes of an image.
    """

    def __init__(self, http: Http, index: str, largest: Size) -> None:
        self._http, self._index, self._largest = http, index, largest

    def __str__(self) -> str:
        return self._index.rpartition("/")[0]

    def url(self, name: str) -> str:
        """Where a file is, from where the index is. A colon in a name is no scheme."""
        return urljoin(self._index, quote(name, safe="/"))

    def read(self, name: str, largest: int) -> bytes | None:
        """See `Folder`."""
        url = self.url(name)
        try:
            body, reply = self._http.text(url, {}, largest)
        except BrokenOffError as error:
            raise DownloadError(f"{url}: {error.brief}", details=error.details) from error
        if reply.status_code == 404:
            return None
        if reply.status_code != 200:
            raise DownloadError(f"{url}: the server says {reply.status_code}")
        return body

    def fetch(self, name: str, version: str, size: int, partial: Partial, watch: Watch) -> None:
        """See `Folder`."""
        download = Download(self.url(name), self._largest, size=size, checked=True, version=version)
        self._http.download(download, partial, watch)
