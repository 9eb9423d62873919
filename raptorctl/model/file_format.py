"""The formats of files of machines and of builds, by the words that people give them."""

import enum


class FileFormat(enum.StrEnum):
    """What a file can be."""

    RAPTOR = "raptor"
    VMFILE = "vmfile"
    REGISTRY = "registry"
    SHELL = "shell"
    B9 = "b9"
    B9_CONF = "b9-conf"

    @property
    def noun(self) -> str:
        """What such a file is called."""
        return _NOUNS[self]


_NOUNS = {
    FileFormat.RAPTOR: "raptor.toml",
    FileFormat.VMFILE: "VMFile",
    FileFormat.REGISTRY: "registry of vmp",
    FileFormat.SHELL: "profile in bash",
    FileFormat.B9: "build file of B9's",
    FileFormat.B9_CONF: "b9.conf",
}


class MachinesFormat(enum.StrEnum):
    """What `up`, `down`, `diff` and `reload` take."""

    RAPTOR = FileFormat.RAPTOR.value
    VMFILE = FileFormat.VMFILE.value
    REGISTRY = FileFormat.REGISTRY.value


class BuildsFormat(enum.StrEnum):
    """What `build` takes."""

    RAPTOR = FileFormat.RAPTOR.value
    B9 = FileFormat.B9.value


class ImportFormat(enum.StrEnum):
    """What `import` takes: all but ours."""

    VMFILE = FileFormat.VMFILE.value
    REGISTRY = FileFormat.REGISTRY.value
    SHELL = FileFormat.SHELL.value
    B9 = FileFormat.B9.value
    B9_CONF = FileFormat.B9_CONF.value
