"""What a B9 build file says, in the words of B9's own types.

github.com/sheyll/b9-vm-image-builder, version 4.0.0-rc.1, below src/lib/B9. What raptorctl has
nothing for is here as well: it is read, and refused by its name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

Place = tuple[str, int, int]
"""File, line, column; from 1."""


@dataclass(frozen=True)
class Con:
    """A constructor of one of the types, and what it is made of.

    Args:
        name: as in `TYPES`.
        args: a `Con`, a whole number, a text that knows its place, or a tuple of such.
        at: where it stands.
    """

    name: str
    args: tuple[Any, ...] = ()
    at: Place = field(default=("", 0, 0), compare=False, repr=False)


Type = str | list[Any] | tuple[Any, ...]
"""A name; `[type]`, a list of such; `(type, type)`, a tuple."""
TEXT: Final = "String"
WHOLE: Final = "Int"
LETTER: Final = "Char"
ANY_NUMBER: Final = "Double"


def _tree(of: str) -> dict[str, tuple[Type, ...]]:
    """`AST Content a`, for one `a`.

    Args:
        of: what a literal in it is; the tree itself is `of` and "Tree".
    """
    tree = f"{of}Tree"
    return {
        "ASTObj": ([(TEXT, tree)],),
        "ASTArr": ([tree],),
        "ASTMerge": ([tree],),
        "ASTEmbed": ("Content",),
        "ASTString": (TEXT,),
        "ASTInt": (WHOLE,),
        "ASTParse": ("SourceFile",),
        "AST": (of,),
    }


TYPES: Final[Mapping[str, Mapping[str, tuple[Type, ...]]]] = {
    "ArtifactGenerator": {
        "Sources": (["ArtifactSource"], ["ArtifactGenerator"]),
        "Let": ([(TEXT, TEXT)], ["ArtifactGenerator"]),
        "LetX": ([(TEXT, [TEXT])], ["ArtifactGenerator"]),
        "Each": ([(TEXT, [TEXT])], ["ArtifactGenerator"]),
        "EachT": ([TEXT], [[TEXT]], ["ArtifactGenerator"]),
        "Artifact": ("InstanceId", "ArtifactAssembly"),
        "EmptyArtifact": (),
    },
    "InstanceId": {"IID": (TEXT,)},
    "ArtifactAssembly": {
        "CloudInit": (["CloudInitType"], TEXT),
        "VmImages": (["ImageTarget"], "VmScript"),
        "VmImagesWithFixup": (["ImageTarget"], "VmScript", "Script"),
    },
    "CloudInitType": {"CI_ISO": (), "CI_VFAT": (), "CI_DIR": ()},
    "ArtifactSource": {
        "FromFile": (TEXT, "SourceFile"),
        "FromContent": (TEXT, "Content"),
        "SetPermissions": (WHOLE, WHOLE, WHOLE, ["ArtifactSource"]),
        "FromDirectory": (TEXT, ["ArtifactSource"]),
        "IntoDirectory": (TEXT, ["ArtifactSource"]),
    },
    "SourceFile": {"Source": ("SourceFileConversion", TEXT)},
    "SourceFileConversion": {"NoConversion": (), "ExpandVariables": ()},
    "Content": {
        "RenderErlang": ("ErlangPropListTree",),
        "RenderYamlObject": ("YamlObjectTree",),
        "RenderCloudConfig": ("CloudConfigYamlTree",),
        "FromByteString": (TEXT,),
        "FromString": (TEXT,),
        "FromTextFile": ("SourceFile",),
        "RenderBase64BinaryFile": (TEXT,),
        "RenderBase64Binary": (TEXT,),
        "FromURL": (TEXT,),
    },
    "ErlangPropListTree": _tree("ErlangPropList"),
    "YamlObjectTree": _tree("YamlObject"),
    "CloudConfigYamlTree": _tree("CloudConfigYaml"),
    "YamlObject": {"YamlObject": (TEXT,)},
    "CloudConfigYaml": {"MkCloudConfigYaml": ("YamlObject",)},
    "ErlangPropList": {"ErlangPropList": ("SimpleErlangTerm",)},
    "SimpleErlangTerm": {
        "ErlString": (TEXT,),
        "ErlFloat": (ANY_NUMBER,),
        "ErlNatural": (WHOLE,),
        "ErlAtom": (TEXT,),
        "ErlChar": (LETTER,),
        "ErlBinary": (TEXT,),
        "ErlList": (["SimpleErlangTerm"],),
        "ErlTuple": (["SimpleErlangTerm"],),
    },
    "ImageTarget": {"ImageTarget": ("ImageDestination", "ImageSource", "MountPoint")},
    "ImageDestination": {
        "Share": (TEXT, "ImageType", "ImageResize"),
        "LiveInstallerImage": (TEXT, TEXT, "ImageResize"),
        "LocalFile": ("Image", "ImageResize"),
        "Transient": (),
    },
    "ImageSource": {
        "EmptyImage": (TEXT, "FileSystem", "ImageType", "ImageSize"),
        "CopyOnWrite": ("Image",),
        "SourceImage": ("Image", "Partition", "ImageResize"),
        "From": (TEXT, "ImageResize"),
    },
    "Image": {"Image": (TEXT, "ImageType", "FileSystem")},
    "ImageType": {"Raw": (), "QCow2": (), "Vmdk": ()},
    "FileSystem": {"NoFileSystem": (), "Ext4": (), "Ext4_64": (), "ISO9660": (), "VFAT": ()},
    "Partition": {"NoPT": (), "Partition": (WHOLE,)},
    "ImageResize": {
        "ResizeImage": ("ImageSize",),
        "Resize": ("ImageSize",),
        "ShrinkToMinimumAndIncrease": ("ImageSize",),
        "ShrinkToMinimum": (),
        "KeepSize": (),
    },
    "ImageSize": {"ImageSize": (WHOLE, "SizeUnit")},
    "SizeUnit": {"KB": (), "MB": (), "GB": ()},
    "MountPoint": {"MountPoint": (TEXT,), "NotMounted": ()},
    "VmScript": {"VmScript": ("CPUArch", ["SharedDirectory"], "Script"), "NoVmScript": ()},
    "CPUArch": {"X86_64": (), "I386": ()},
    "SharedDirectory": {
        "SharedDirectory": (TEXT, "MountPoint"),
        "SharedDirectoryRO": (TEXT, "MountPoint"),
        "SharedSources": ("MountPoint",),
    },
    "Script": {
        "In": (TEXT, ["Script"]),
        "As": (TEXT, ["Script"]),
        "IgnoreErrors": ("Bool", ["Script"]),
        "Verbosity": ("CmdVerbosity", ["Script"]),
        "Begin": (["Script"],),
        "Run": (TEXT, [TEXT]),
        "NoOP": (),
    },
    "CmdVerbosity": {"Debug": (), "Verbose": (), "OnlyStdErr": (), "Quiet": ()},
    "Bool": {"True": (), "False": ()},
}
"""What each type's constructors are made of."""
FIELDS: Final = {"MkCloudConfigYaml": ("fromCloudConfigYaml",)}
"""Constructors whose arguments have names, which Haskell's `read` insists on."""

REFUSED: Final = {
    "CopyOnWrite": "write SourceImage IMAGE NoPT KeepSize: a build works on a copy anyway",
    "LiveInstallerImage": "write LocalFile (Image PATH Raw Ext4) RESIZE",
    "Ext4_64": "write Ext4",
    "RenderErlang": "write the term with FromString, or keep it in a file for FromTextFile",
}
"""What is read and refused, and what to write instead."""
GONE: Final = {
    "VmImagesPostFix": "VmImagesWithFixup",
    "RenderYaml": "RenderYamlObject, or RenderCloudConfig for user-data",
    "Concatenation": "FromContent with one text",
    "Template": "FromFile PATH (Source ExpandVariables PATH)",
    "Templates": "FromFile PATH (Source ExpandVariables PATH) for each file",
    "Embed": "ASTEmbed",
    "DirectFiles": "FromFile PATH (Source NoConversion PATH) for each file",
    "Executables": "SetPermissions 7 5 5 around FromFile for each file",
}
"""Words of earlier versions of B9, and what is written since."""
