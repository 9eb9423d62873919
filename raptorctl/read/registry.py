"""A registry of vmp: its files laid over one another, and the machines in it."""

from collections.abc import Iterable, Iterator
from functools import cached_property

from raptorctl.errors import InputError
from raptorctl.model.diagnostic import Diagnostic, nearest
from raptorctl.model.error_code import Code
from raptorctl.model.merge import merge
from raptorctl.model.names import shown
from raptorctl.model.registry import DEFAULTS, RegistryVm, TaggedImage, Text, Tree
from raptorctl.read.braces import lookup, put_in_all, solved
from raptorctl.read.registry_image import image_tree, tagged, whole_image
from raptorctl.read.registry_shape import IMAGE, NODE, REGISTRY, WHOLE
from raptorctl.read.registry_vm import made, unfit, unfit_settings
from raptorctl.read.registry_yaml import load_yaml, place_of, read_otherwise, refuse_all
from raptorctl.read.shape import At, Checking, list_of

DEEPEST = 50
"""Templates in a row."""
LaidOut = tuple[Tree, dict[Diagnostic, None]]
"""An entry over its templates, and what is wrong with that, in order."""
LATEST = "latest"
"""The tag where none is named."""


def parse_registry(files: Iterable[tuple[str, str]]) -> "VmRegistry":
    """Read the files of a registry, each laid over those before it.

    Args:
        files: name and text of each.

    Raises:
        FileError: all that is wrong in them, with line and column.
    """
    merged: Tree = {}
    wrong: list[Diagnostic] = []
    for file, text in files:
        tree, broken = load_yaml(text, file)
        check = Checking(whole=False)
        if tree is not None and not broken:
            REGISTRY(tree, At("", (file, 1, 1)), check)
        wrong += broken + check.wrong
        merged = merge(merged, tree or {})
    refuse_all(wrong)
    registry = VmRegistry(merged)
    refuse_all(registry.wrong())
    return registry


class VmRegistry:
    """Nodes, images, templates and machines, by their names.

    Args:
        tree: of all files, each by itself as the schema has it.
    """

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self.notes = tuple(map(str, read_otherwise(tree)))
        self._done: dict[Text, LaidOut] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The machines, in the order of the files."""
        return tuple(map(str, self._entries["vms"]))

    def listed(self) -> list[dict[str, str]]:
        """Say of each machine its name, and which node and image it or a template of it names."""
        whole = (self.laid_out("vms", entry)[0] for entry in self._entries["vms"].values())
        words = {"name": "name", "node": "nodeName", "image": "image"}
        return [{key: str(vm.get(word) or "") for key, word in words.items()} for vm in whole]

    def wrong(self) -> Iterator[Diagnostic]:
        """Say what is wrong with nodes, images, templates, be they used or not."""
        check = Checking(whole=True)
        for key, shape in (("nodes", NODE), ("images", IMAGE)):
            list_of(shape)(self._tree.get(Text(key)) or [], At(key, ("", 0, 0)), check)
        yield from check.wrong
        for key in ("templates", "vms"):
            for entry in self._entries[key].values():
                _, wrong = self.laid_out(key, entry)
                yield from wrong

    def image(self, reference: str) -> TaggedImage:
        """Find an image.

        Args:
            reference: `name:tag`; the tag is "latest" if it is not said.

        Raises:
            InputError: there is none.
            FileError: what the registry says of it cannot be.
        """
        found, why = self.found_image(reference)
        if found is None:
            raise InputError(why, code=Code.IMAGE_NOT_FOUND, subject=reference)
        refuse_all(whole_image(found, At("image", ("", 0, 0))))
        return found

    def machines(self, names: Iterable[str] = ()) -> tuple[RegistryVm, ...]:
        """Find machines, with all that they are made of.

        Args:
            names: which; all, if none is named.

        Raises:
            InputError: one of these names is not there.
            FileError: all that is wrong with them.
        """
        found, wrong = [], []
        for name in dict.fromkeys(names or self.names):
            if Text(name) not in self._entries["vms"]:
                raise InputError(
                    f"there is no machine {shown(name)} in the registry",
                    resolution=nearest(name, self.names),
                    code=Code.MACHINE_NOT_FOUND,
                    subject=name,
                )
            one = _Machine(self, self._entries["vms"][Text(name)])
            found.append(one)
            wrong += one.wrong
        refuse_all(wrong)
        return tuple(one.made() for one in found)

    @cached_property
    def _entries(self) -> dict[str, dict[Text, Tree]]:
        return {
            key: {entry["name"]: entry for entry in self._tree.get(key) or []}
            for key in ("nodes", "images", "templates", "vms")
        }

    def node(self, name: Text) -> Tree:
        """Return a node, or None."""
        return self._entries["nodes"].get(name)

    def found_image(self, reference: str) -> tuple[TaggedImage | None, str]:
        """Return an image; or None, and why."""
        name, _, tag = reference.partition(":")
        images = self._entries["images"]
        if Text(name) not in images:
            known = nearest(name, map(str, images))
            return None, f"there is no image {shown(name)} in the registry; {known}"
        return tagged(images[Text(name)], tag or LATEST)

    def laid_out(self, kind: str, entry: Tree, above: tuple[Text, ...] = ()) -> "LaidOut":
        """Lay an entry over its templates, and theirs, from left to right.

        Args:
            kind: `templates` or `vms`.
            entry: of that list.
            above: the templates on the way to it.
        """
        name, wrong = entry["name"], dict[Diagnostic, None]()
        key, merged = f"{kind}.{name}", dict[Text, Tree]()
        one, several = entry.get("template"), entry.get("templates")
        if one is not None and several is not None:
            both = "template and templates are both there"
            wrong[Diagnostic(*place_of(one, name.place), key, both, "write one of them")] = None
        chain = (*above, name) if kind == "templates" else above
        for wanted in several or ([] if one is None else [one]):
            found, told = self._template(wanted, chain, key)
            merged, wrong = merge(merged, found), wrong | told
        return merge(merged, entry), wrong

    def _template(self, name: Text, above: tuple[Text, ...], key: str) -> "LaidOut":
        known = self._entries["templates"]
        if name in above or len(above) > DEEPEST:
            line = " -> ".join((*above, name))
            said = f"a template includes itself: {line}" if name in above else "goes too deep"
            return {}, {Diagnostic(*name.place, key, said): None}
        if name not in known:
            hint = nearest(name, map(str, known))
            return {}, {Diagnostic(*name.place, key, f"there is no template {name}", hint): None}
        if name not in self._done:
            self._done[name] = self.laid_out("templates", known[name], above)
        return self._done[name]


class _Machine:
    """One machine on its way to what is made of it, and what is wrong with it."""

    def __init__(self, registry: VmRegistry, entry: Tree) -> None:
        self.wrong: list[Diagnostic] = []
        self._at = At(f"vms.{entry['name']}", entry["name"].place)
        self.image: TaggedImage | None = None
        self.uri = ""
        self.variables: dict[str, str] = {}
        tree, _ = registry.laid_out("vms", entry)
        self.tree: Tree = {k: v for k, v in tree.items() if k not in {"template", "templates"}}
        self._resolve(registry)

    def made(self) -> RegistryVm:
        """Return the noun; nothing is wrong.

        Raises:
            LookupError: something is.
        """
        if self.image is None:
            raise LookupError(self._at.key)
        return made(self.tree, self.variables, self.image, self.uri)

    def _resolve(self, registry: VmRegistry) -> None:
        node = self._found_node(registry)
        self.image = self._found_image(registry)
        if node is None or self.image is None:
            return
        self.uri = str(node["libvirt"]["connection"]["uri"])
        self.variables = solved(self._layers(node, self.image), self._tell_variable)
        known = lookup(self.variables)
        whole = put_in_all(self.tree, known, self._tell)
        check = Checking(whole=True)
        if not self.wrong:
            WHOLE(whole, self._at, check)
        self.wrong += check.wrong
        self.tree = {
            "vars": {Text(key): Text(value) for key, value in sorted(self.variables.items())},
            "image": image_tree(self.image),
            "node": node,
            "vm": whole,
        }
        if not self.wrong:
            self.wrong += unfit(whole, self._at)
            self.wrong += unfit_settings(self.variables, self._at)

    def _layers(self, node: Tree, image: TaggedImage) -> dict[str, Text]:
        own = {
            "IMAGE_FORMAT": image.format,
            "IMAGE_NAME": image.name,
            "IMAGE_TAG": image.tag,
            "IMAGE_URL": image.url,
            "IMAGE_VOLUME_NAME": image.volume_name,
            "NODE_NAME": node["name"],
            "VM_NAME": self.tree["name"],
        }
        below = {key: Text(value) for key, value in DEFAULTS.items()}
        said = (node.get("vars"), image.variables, self.tree.get("vars"))
        for layer in said:
            below |= {str(key): value for key, value in (layer or {}).items() if value is not None}
        return below | {
            key: Text(value.replace("{", "{{").replace("}", "}}")) for key, value in own.items()
        }

    def _found_node(self, registry: VmRegistry) -> Tree:
        name = self.tree.get("nodeName")
        if name is None:
            self._missing("nodeName")
            return None
        node = registry.node(name)
        if node is None:
            self._tell(name, f"there is no node {name}")
        return node

    def _found_image(self, registry: VmRegistry) -> TaggedImage | None:
        reference = self.tree.get("image")
        if reference is None:
            self._missing("image")
            return None
        image, why = registry.found_image(reference)
        if image is None:
            self._tell(reference, why)
            return None
        self.wrong += whole_image(image, At(f"{self._at.key}.image", reference.place))
        return image

    def _missing(self, key: str) -> None:
        self.wrong.append(Diagnostic(*self._at.place, self._at.key, f"{key} is missing"))

    def _tell(self, text: Text, why: str) -> None:
        place = place_of(text, self._at.place)
        self.wrong.append(Diagnostic(*place, self._at.key, why))

    def _tell_variable(self, text: Text, name: str, why: str) -> None:
        place = place_of(text, self._at.place)
        self.wrong.append(Diagnostic(*place, f"{self._at.key}.vars.{name}", why))
