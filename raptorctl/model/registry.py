"""A registry of virtual machines as vmp reads it (vm-provisioner-libvirt): what its files say."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

PROVISIONER: Final = "v1alpha1"
"""The one version of vmp's provisioners that there is."""
SETTING: Final = f"{PROVISIONER.upper()}_"
"""How the variables begin that are the provisioner's own."""
TEXT_SETTINGS: Final = ("SSH_EXTRA_OPTS", "SSH_HOST", "SSH_OPTS", "SSH_USER")
SECONDS_SETTINGS: Final = (
    "STOP_TIMEOUT_SECS",
    "WAIT_FOR_READY_INTERVAL_SECS",
    "WAIT_FOR_READY_SSH_CONNECT_TIMEOUT_SECS",
    "WAIT_FOR_READY_TIMEOUT_SECS",
)
SETTINGS: Final = ("IP_CMD", *TEXT_SETTINGS, *SECONDS_SETTINGS)
"""The variables that a provisioner knows, without how they begin; IP_CMD is a command."""
DEFAULTS: Final = {
    "DEFAULT_IMAGE_DIR": ".images",
    "DEFAULT_NETWORK_NAME": "default",
    "DEFAULT_POOL_NAME": "default",
    "DEFAULT_POOL_PATH": "/var/lib/libvirt/images",
}
"""Variables below all others."""

TAG: Final = "tag:yaml.org,2002:"
"""How the tags of YAML's own types begin (YAML 1.1, yaml.org/type)."""


class Text(str):
    """A scalar as it was written, and where.

    Attributes:
        file: as it was named; "" for what no file says.
        line, column: counted from 1.
        tag: what YAML 1.1 takes it for; text, if it is quoted.
    """

    file: str
    line: int
    column: int
    tag: str

    def __new__(
        cls, text: str, place: tuple[str, int, int] = ("", 0, 0), tag: str = f"{TAG}str"
    ) -> Self:
        """Make one.

        Args:
            text: as it was written, without its quotes.
            place: file, line, column.
            tag: see the class.
        """
        made = super().__new__(cls, text)
        made.file, made.line, made.column = place
        made.tag = tag
        return made

    @property
    def place(self) -> tuple[str, int, int]:
        """File, line, column."""
        return self.file, self.line, self.column

    @property
    def truth(self) -> bool | None:
        """What it says if it is a truth value of YAML 1.2, unquoted; `no` is text."""
        return _TRUTHS.get(self) if self.tag == f"{TAG}bool" else None


_TRUTHS: Final = {
    word: word.lower() == "true" for word in ("true", "True", "TRUE", "false", "False", "FALSE")
}

Tree = Any
"""Tables, lists, `Text` and None."""


class DeletionPolicy(enum.StrEnum):
    """Whether `make delete` removes a pool or volume, or only `make delete-all`."""

    DELETE = "Delete"
    RETAIN = "Retain"


@dataclass(frozen=True)
class TaggedImage:
    """An image of a registry with a tag: where it comes from.

    Args:
        name, tag: as in `name:tag`.
        variables: the image's, and over them the tag's.
        url: where it is.
        volume_name: what its file and its volume are called.
        format: of its contents, as qemu-img calls it.
        archive: what it is packed with: 7z, xz, zst; or "".
        archive_path: which file of an archive; or "".
        sha256: of what is downloaded, hexadecimal; or "".
        notes: what people should know, one line each.
    """

    name: str
    tag: str
    variables: Mapping[str, Text]
    url: str
    volume_name: str
    format: str
    archive: str = ""
    archive_path: str = ""
    sha256: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class DirectoryPool:
    """A libvirt pool that is a directory."""

    name: str
    path: str
    policy: DeletionPolicy


@dataclass(frozen=True)
class PoolVolume:
    """A volume in a libvirt pool: blank, over another, or uploaded.

    Args:
        pool, name: which it is.
        format: of its contents.
        policy: see `DeletionPolicy`.
        capacity: bytes, or with a unit that virsh knows; "" for as large as what it begins as.
        upload: the file that it begins as, or "".
        backing: pool, name and format of the volume below it, or None.
    """

    pool: str
    name: str
    format: str
    policy: DeletionPolicy
    capacity: str = ""
    upload: str = ""
    backing: tuple[str, str, str] | None = None


@dataclass(frozen=True)
class NoCloudSeed:
    """What cloud-init is told.

    Args:
        path: of the ISO, below the machine's folder.
        data: by the file's name: a tree, or a text.
    """

    path: str
    data: Mapping[str, Tree]


@dataclass(frozen=True)
class SshAccess:
    """How to log in.

    Args:
        user, host: "" for the default: whoever runs it, and the address that the machine has.
        password: "" for keys.
        options: `-o` of ssh(1), by name.
    """

    user: str = ""
    host: str = ""
    password: str = field(default="", repr=False)
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RegistryVm:
    """A machine of a registry: node and image found, templates merged, variables put in.

    Args:
        name: what its folder is called.
        uri: of its node's libvirt.
        image: what it begins as.
        variables: all that counted, and what they stand for.
        domain: what libvirt calls it.
        virt_install: arguments of virt-install(1), sorted.
        pools, volumes: in the order of the registry.
        seed: for cloud-init, or None.
        ssh: how to log in, or None.
        tree: all of it, as `registry config` prints it.
        uuid: of the domain that `domain.xml` among the files defines; "" where virt-install does.
        files: further ones of its folder, by name.
    """

    name: str
    uri: str
    image: TaggedImage
    variables: Mapping[str, str]
    domain: str
    virt_install: tuple[str, ...]
    pools: tuple[DirectoryPool, ...]
    volumes: tuple[PoolVolume, ...]
    seed: NoCloudSeed | None
    ssh: SshAccess | None
    tree: Tree
    uuid: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
