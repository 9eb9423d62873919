"""`raptorctl registry`: machines that a registry of vmp describes."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated

import typer

from raptorctl.api.registry import STDIN, read_registry
from raptorctl.api.registry_gen import generate, remove, stale
from raptorctl.cli.listing import Listed, View, show_list
from raptorctl.cli.options import Output, example, given_text
from raptorctl.cli.output import Format, plain, say, say_json, tell
from raptorctl.cli.spread import spread
from raptorctl.model.registry import RegistryVm
from raptorctl.read.registry import VmRegistry
from raptorctl.read.registry_yaml import LARGEST
from raptorctl.render.registry_yaml import config_json, config_yaml

Row = Mapping[str, str]
Registry = Annotated[
    str,
    typer.Option(
        "--registry",
        metavar="GLOB",
        envvar="VMP_REGISTRY",
        help="The registry's files, e.g. 'registry/**/*.yaml'; - is standard input.",
    ),
]
Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NAME]...", help="Only these machines.", show_default=False),
]
BaseDir = Annotated[
    Path,
    typer.Option(
        "--base-dir",
        metavar="DIR",
        envvar="VMP_GEN_BASE_DIR",
        help="What the folders are made in.",
    ),
]
Prune = Annotated[
    bool,
    typer.Option("--prune", help="Remove what was generated once, and would not be today."),
]
Reference = Annotated[
    str,
    typer.Argument(metavar="IMAGE", help="NAME:TAG; the tag is latest by default."),
]

MOST_NOTES = 10
"""About values that another reader takes for something else."""


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer()
    group.command("list", epilog=example("raptorctl registry list < registry.yaml"))(list_machines)
    group.command(
        "config", epilog=example("raptorctl registry config --registry 'registry/**/*.yaml' vm1")
    )(config)
    group.command(
        "image-url",
        epilog=example("raptorctl registry image-url ubuntu-cloud:24.04 < registry.yaml"),
    )(image_url)
    group.command("gen", epilog=example("raptorctl registry gen --base-dir vms < registry.yaml"))(
        gen
    )
    app.add_typer(group, name="registry")


@spread
def list_machines(registry: Registry = STDIN, *, how: Listed) -> None:
    """List the machines of a registry, in the order of its files."""
    view = View[Row]("machines", dict, _names, "there are no machines in the registry")
    show_list(_read(registry).listed(), view, how)


def config(names: Names = None, registry: Registry = STDIN, form: Output = Format.TEXT) -> None:
    """Print machines with their node and image found, templates merged, variables put in."""
    read = _read(registry)
    found = read.machines(names or ())
    _note(read, found)
    if form is Format.JSON:
        say_json({"machines": [config_json(machine.tree) for machine in found]})
    else:
        say("---\n".join(config_yaml(machine.tree) for machine in found).rstrip("\n"))


def gen(
    names: Names = None,
    registry: Registry = STDIN,
    base: BaseDir = Path(),
    prune: Prune = False,
) -> None:
    """Write a folder for each machine, whose Makefile needs virsh, and nothing of raptorctl."""
    found = _read(registry)
    machines = found.machines(names or ())
    _note(found, machines)
    old = stale(machines, base, found.names, whole=not names)
    for path in generate(machines, base, {} if prune else old):
        tell(f"Generated {plain(str(path))}")
    if prune:
        for path in remove(old):
            tell(f"Removed {plain(str(path))}")
    elif old:
        tell("note: some files there are stale; --prune removes them")


def image_url(reference: Reference, registry: Registry = STDIN, form: Output = Format.TEXT) -> None:
    """Print where an image of a registry comes from."""
    image = _read(registry).image(reference)
    if form is Format.JSON:
        shape = {"name": image.name, "tag": image.tag, "url": image.url,
                 "volume_name": image.volume_name, "format": image.format}  # fmt: skip
        say_json(shape)
    else:
        say(plain(image.url))


def _names(rows: Iterable[Row]) -> list[str]:
    return [plain(row["name"]) for row in rows]


def _read(registry: str) -> VmRegistry:
    return read_registry(registry, given_text(STDIN, LARGEST) if registry == STDIN else "")


def _note(registry: VmRegistry, machines: Iterable[RegistryVm]) -> None:
    """Tell what people should know, once."""
    for note in registry.notes[:MOST_NOTES]:
        tell(f"note: {plain(note)}")
    if (more := len(registry.notes) - MOST_NOTES) > 0:
        tell(f"note: and {more} more that PyYAML reads otherwise")
    for note in dict.fromkeys(note for machine in machines for note in machine.image.notes):
        tell(f"note: {plain(note)}")
