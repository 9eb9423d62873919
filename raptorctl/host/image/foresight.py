"""What a source would give, as far as that is known before it is pulled: nothing is changed.

For `--dry-run`: every check that a pull begins with, and none that needs a copy of its own.
"""

import os
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from raptorctl.drivers.image import Wanted
from raptorctl.errors import DownloadError
from raptorctl.host.image.download import Http
from raptorctl.host.image.fetch import LARGEST_LIST
from raptorctl.host.image.http import BrokenOffError
from raptorctl.host.image.look import HEAD, foreseen
from raptorctl.host.image.oci import Registry
from raptorctl.host.image.trust import Trust
from raptorctl.host.image.unpack import unpacker
from raptorctl.host.system.caller import open_given
from raptorctl.model.checksum import checksum_of
from raptorctl.model.error_code import Code
from raptorctl.model.image import Image
from raptorctl.model.names import shown
from raptorctl.model.sizes import Size


def foresee(wanted: Wanted, http: Http, largest: Size, trust: Trust) -> Image:
    """Say what a source would give; what nobody knows yet is 0 or "".

    Args:
        wanted: from where.
        http: the way to servers.
        largest: bytes that an image may have.
        trust: who must have signed it.

    Raises:
        InputError: a file is missing, or not theirs to read.
        HostError: no server, no such thing, or it is no image.
        RefusedError: it is not signed as it should be.
    """
    text = wanted.source.text
    if wanted.source.kind not in {"oci", "index"}:
        trust.refuse_unsigned(text)
    match wanted.source.kind:
        case "file":
            form, size = _file(wanted, largest)
        case "oci":
            layer = Registry(http, text, wanted.login).layer()
            trust.accept(layer.claim(text), None)
            form, size = "", Size(0)
        case "index":
            from raptorctl.host.image.index_pull import find, opened

            with opened(wanted.source, http, largest) as folder:
                trust.accept(find(folder, wanted.source, largest).claim(text), None)
            form, size = "", Size(0)
        case _:
            _web(wanted, http, largest)
            form, size = "", Size(0)
    name = wanted.name or wanted.source.name
    return Image(name, text, "", form, size, Size(0), "", "")


def _file(wanted: Wanted, largest: Size) -> tuple[str, Size]:
    """Judge a file by its head; what is packed shows itself once it is unpacked."""
    with open_given(wanted.source.text) as source:
        if unpacker(source):
            return "", Size(0)
        head, length = os.pread(source.fileno(), HEAD, 0), os.fstat(source.fileno()).st_size
    found = foreseen(head, length, wanted.source.file_name, largest)
    return found.format, found.size


def _web(wanted: Wanted, http: Http, largest: Size) -> None:
    try:
        length = http.length(wanted.source.text)
        _listed(wanted, http)
    except BrokenOffError as error:
        said = f"{wanted.source.text} cannot be downloaded: {error.brief}"
        raise DownloadError(said, details=error.details, resolution="try again later") from error
    if length and length > largest:
        raise DownloadError(
            f"{wanted.source.text} is larger than {largest}: it has {Size(length)}",
            resolution="if that is meant, raise images.largest in the settings",
            code=Code.IMAGE_TOO_LARGE,
        )


def _listed(wanted: Wanted, http: Http) -> None:
    """Refuse what its published list of checksums does not have."""
    if not (url := wanted.source.checksum_url):
        return
    body, reply = http.text(url, {}, LARGEST_LIST)
    if reply.status_code != 200:
        raise DownloadError(f"{url}: the server says {reply.status_code}")
    name = PurePosixPath(urlsplit(wanted.source.text).path).name
    if checksum_of(body.decode(errors="replace"), name) is None:
        raise DownloadError(f"{url} has no SHA-256 or SHA-512 of {shown(name)}")
