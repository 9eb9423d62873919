"""Options of what cloud-init is told in its own words."""

from typing import Annotated

import typer

UserDataFile = Annotated[
    str | None,
    typer.Option(
        "--user-data",
        metavar="FILE|-",
        help="Your cloud-config (merged with ours) or script; - reads standard input.",
        show_default=False,
    ),
]
VendorDataFile = Annotated[
    str | None,
    typer.Option(
        "--vendor-data",
        metavar="FILE|-",
        help="Cloud-config or script of less weight than user-data; - reads standard input.",
        show_default=False,
    ),
]
NetworkFile = Annotated[
    str | None,
    typer.Option(
        "--network-config",
        metavar="FILE|-",
        help="The guest's network in cloud-init's words, in place of ours.",
        show_default=False,
    ),
]
MetaDataFile = Annotated[
    str | None,
    typer.Option(
        "--meta-data",
        metavar="FILE|-",
        help="What cloud-init knows of the machine, beside ours; - reads standard input.",
        show_default=False,
    ),
]
SeedFolder = Annotated[
    str | None,
    typer.Option(
        "--cloud-init",
        metavar="FOLDER",
        help="Folder of cloud-init's files: user-data, vendor-data, network-config, meta-data. "
        "Each one's own option counts more.",
        show_default=False,
    ),
]
AllowJinja = Annotated[
    bool, typer.Option("--allow-jinja", help="Accept user-data that is a jinja template.")
]
NoSeed = Annotated[bool, typer.Option("--no-seed", help="Do not make a seed for cloud-init.")]
AllowPrivateKey = Annotated[
    bool, typer.Option("--allow-private-key", help="Accept user-data that contains private keys.")
]
