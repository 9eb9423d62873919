"""What is to be in a file of a seed or an image, before it is known byte for byte."""

from dataclasses import dataclass, field
from typing import Union


@dataclass(frozen=True)
class Verbatim:
    """What is written here.

    Args:
        data: the bytes.
    """

    data: bytes = field(repr=False)


@dataclass(frozen=True)
class FromPath:
    """What is in a file of this side.

    Args:
        path: of the file.
        expand: whether names in it are replaced by what they stand for.
    """

    path: str
    expand: bool = False


@dataclass(frozen=True)
class FromUrl:
    """What a server gives; anything but a 200 is an error.

    Args:
        url: http or https.
        sha256: what it must be, hexadecimal; "" for anything.
    """

    url: str
    sha256: str = ""


@dataclass(frozen=True)
class Base64:
    """Another content in base64 (RFC 4648, section 4), on one line."""

    of: "Content"


@dataclass(frozen=True)
class Yaml:
    """YAML that is put together.

    Args:
        tree: what it says.
        header: whether it is a cloud-config, with the one header that cloud-init looks for; None
            if it is one as soon as one of its parts is.
    """

    tree: "Tree"
    header: bool | None = False


@dataclass(frozen=True)
class Table:
    """A mapping, in this order; no key is there twice."""

    pairs: tuple[tuple[str, "Tree"], ...]


@dataclass(frozen=True)
class Items:
    """A list."""

    items: tuple["Tree", ...]


@dataclass(frozen=True)
class Parsed:
    """What a content says, read as YAML; a header of cloud-config is passed over."""

    content: "Content"


@dataclass(frozen=True)
class Scalar:
    """A whole number, or a content as one text."""

    value: Union[int, "Content"]


@dataclass(frozen=True)
class Merged:
    """What several say, one appended to the other: see `raptorctl.render.append_merge`.

    Args:
        parts: at least one.
        glue: whether two scalars that are no texts become a list; else they are an error.
    """

    parts: tuple["Tree", ...]
    glue: bool = False


Content = Verbatim | FromPath | FromUrl | Base64 | Yaml
Tree = Table | Items | Parsed | Scalar | Merged
