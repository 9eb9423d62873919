"""A build file's `Content` and `AST`, as contents of ours."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from raptorctl.model.b9 import Con
from raptorctl.model.content import (
    Base64,
    Content,
    FromPath,
    FromUrl,
    Items,
    Merged,
    Parsed,
    Scalar,
    Table,
    Tree,
    Verbatim,
    Yaml,
)
from raptorctl.model.registry import Text
from raptorctl.read.b9.variables import Expanding

Known = Mapping[str, str]


def beside(path: Text, folder: str = "") -> str:
    """Return a path of this side: a relative one begins beside the file that names it.

    Args:
        path: as it was written, which knows its file.
        folder: which it is in, if it says nothing else.
    """
    return str(PurePosixPath(path.file).parent / folder / path)


@dataclass(frozen=True)
class Contents:
    """What is read where some variables are set.

    Args:
        known: variables, for paths of files: nothing else is expanded.
        expanding: is told what is wrong.
    """

    known: Known
    expanding: Expanding

    def content(self, con: Con) -> Content:
        """Return a `Content` as one of ours."""
        match con.name, con.args:
            case "FromString", (text,):
                return Verbatim(text.encode())
            case "FromByteString", (text,):
                return Verbatim(self._bytes(text))
            case "RenderBase64Binary", (text,):
                return Base64(Verbatim(self._bytes(text)))
            case "RenderBase64BinaryFile", (path,):
                return Base64(FromPath(beside(path)))
            case "FromTextFile", (source,):
                return self.source_file(source)
            case "FromURL", (url,):
                return FromUrl(str(url))
        # A key of cloud-config has one value: a list of two means nothing to it.
        header = con.name == "RenderCloudConfig"
        return Yaml(self._tree(con.args[0], glue=not header), header)

    def source_file(self, con: Con, folder: str = "") -> FromPath:
        """Return a `SourceFile` as a content.

        Args:
            con: the constructor.
            folder: which it is in.
        """
        conversion, path = con.args
        found = beside(self.expanding.text(path, self.known), folder)
        return FromPath(found, expand=conversion.name == "ExpandVariables")

    def _bytes(self, text: Text) -> bytes:
        """Bytes as Haskell shows them: a character for each."""
        try:
            return text.encode("latin-1")
        except UnicodeEncodeError as error:
            at = (text.file, text.line, text.column)
            problem = f"has the character {ord(text[error.start])}, which is no byte"
            self.expanding.tell(at, problem, "write FromString for text")
            return b""

    def _tree(self, con: Con, *, glue: bool) -> Tree:
        match con.name, con.args:
            case "ASTObj", (pairs,):
                return Table(tuple((str(key), self._tree(one, glue=glue)) for key, one in pairs))
            case "ASTArr", (items,):
                return Items(tuple(self._tree(one, glue=glue) for one in items))
            case "ASTMerge", (parts,):
                if not parts:
                    self.expanding.tell(con.at, "ASTMerge has nothing to merge")
                return Merged(tuple(self._tree(one, glue=glue) for one in parts), glue)
            case "ASTParse", (source,):
                return Parsed(self.source_file(source))
            case "AST", (literal,):
                return Parsed(Verbatim(_yaml_text(literal).encode()))
        return self._scalar(con)

    def _scalar(self, con: Con) -> Tree:
        (value,) = con.args
        if con.name == "ASTEmbed":
            return Scalar(self.content(value))
        return Scalar(value) if con.name == "ASTInt" else Scalar(Verbatim(value.encode()))


def _yaml_text(con: Con) -> str:
    """Of a `YamlObject`, or of the one that is in a `MkCloudConfigYaml`."""
    (inner,) = con.args
    return _yaml_text(inner) if isinstance(inner, Con) else str(inner)
