"""Images on their way to where others find them."""

from pathlib import Path

from raptorctl.drivers.image import Offer, Pushed, RegistryLogin, Watch
from raptorctl.errors import UploadError
from raptorctl.host.image.download import Http
from raptorctl.model.image_target import Target


class Sharer:
    """Puts images where they are to be shared.

    Args:
        http: the way to servers.
        login: for a registry.
        notes: a path of our own, for how far an upload came.
    """

    def __init__(self, http: Http, login: RegistryLogin, notes: Path) -> None:
        self._http, self._login, self._notes = http, login, notes

    def share(self, offer: Offer, target: Target, watch: Watch) -> Pushed:
        """Share an image.

        Raises:
            UploadError: it is not there; nobody sees a part of it.
        """
        if target.place:
            from raptorctl.host.image.folder_push import FolderPush
            from raptorctl.host.image.ssh_folder import SshFolder

            with SshFolder(target.place, UploadError) as folder:
                return FolderPush(folder, target.expires).push(offer, watch)
        if target.kind == "folder":
            from raptorctl.host.image.folder import LocalFolder
            from raptorctl.host.image.folder_push import FolderPush

            return FolderPush(LocalFolder(target.text), target.expires).push(offer, watch)
        from raptorctl.host.image.oci_push import OciPush

        return OciPush(self._http, target.text, self._login, self._notes).push(offer, watch)
