"""Push the raw image $1 to $2 (`oci://`, `ssh://`, a folder), or pull $1 into the cache $2."""

import sys
from pathlib import Path

from raptorctl.drivers.image import Offer, RegistryLogin, Wanted
from raptorctl.host.image.cache import LocalImages
from raptorctl.model.catalogue import Catalogue
from raptorctl.model.image_source import parse_source
from raptorctl.model.image_target import parse_target
from raptorctl.model.image_version import Paper, Statement
from raptorctl.model.sizes import GIB, Size
from raptorctl.render.image_statement import statement_text

MADE = "2026-11-20T12:00:00Z"


class Quiet:
    """Says nothing."""

    def begin(self, title: str) -> None:
        """Say nothing."""

    def tick(self, done: int, total: int) -> None:
        """Say nothing."""

    def note(self, text: str) -> None:
        """Say nothing."""


def main(verb: str, what: str, where: str, digest: str, way: str) -> None:
    """Do it once."""
    if way:
        from raptorctl.host.image import ssh_folder  # as late as raptorctl itself
        from raptorctl.host.image.ssh_way import SshWay

        host, port, user, key, known = way.split(",")
        found = SshWay(host, int(port), user, "", (key,), (known,), "")
        setattr(ssh_folder, "way_to", lambda _place: found)  # noqa: B010 - typed otherwise
    if verb == "pull":
        images = LocalImages(where, Size(2 * GIB))
        images.pull(Wanted(parse_source(what, Catalogue(), "/")), Quiet())
        return
    target = parse_target(where, "web:1", "/")
    said = Statement("web:1", digest, Path(what).stat().st_size, "raw", MADE, 1)
    offer = Offer(what, said, Paper(statement_text(said)))
    LocalImages(f"{what}.cache").push(offer, target, RegistryLogin(), Quiet())


main(*sys.argv[1:])
