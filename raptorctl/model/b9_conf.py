"""What B9's configuration says, `~/.b9/b9.conf`."""

from dataclasses import dataclass, field

from raptorctl.model.diagnostic import Diagnostic


@dataclass(frozen=True)
class B9Repository:
    """Where images are shared: a folder that ssh leads to.

    Args:
        name: of its section, without `-repo`.
        path: the folder there.
        key: the file of the private key.
        host, port, user: how it is reached.
    """

    name: str
    path: str
    key: str
    host: str
    port: int
    user: str


@dataclass(frozen=True)
class B9Conf:
    """A configuration, as far as raptorctl has something for it.

    Args:
        cache: the folder of shared images; `~` is the reader's home; or "".
        cached: how many versions of an image stay there; None for all.
        repository: the name of the one that is pushed to, or "".
        repositories: all of them.
        timeout: seconds for a command that says nothing else; None for no limit.
        lifetime: seconds for a whole script; None for no limit.
        timeout_factor: what each limit is multiplied by.
        keep: whether a build's folder stays.
        left: what raptorctl has nothing for, with what stands for it.
    """

    cache: str = ""
    cached: int | None = None
    repository: str = ""
    repositories: tuple[B9Repository, ...] = ()
    timeout: int | None = None
    lifetime: int | None = None
    timeout_factor: int = 1
    keep: bool = False
    left: tuple[Diagnostic, ...] = field(default=())
