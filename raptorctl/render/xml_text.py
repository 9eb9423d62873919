"""A document of libvirt's as text."""

from lxml import etree
from lxml.etree import _Element


def xml_text(root: _Element) -> str:
    """Return a document, indented as libvirt prints it, with a line break at its end."""
    etree.indent(root, space="  ")
    return etree.tostring(root, encoding="unicode") + "\n"
