"""B9's build files and its configuration, as a file of ours."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from raptorctl.api.b9 import BuildText, build_sets
from raptorctl.errors import InputError
from raptorctl.model.b9_conf import B9Conf, B9Repository
from raptorctl.model.build import Build
from raptorctl.model.file_format import FileFormat, ImportFormat
from raptorctl.model.names import shown
from raptorctl.read.file_format import read_as
from raptorctl.render.build_toml import build_table
from raptorctl.render.raptor_toml import SCHEMA, table_lines

_OPEN: Final = ("build_id", "build_date", *(f"arg_{number}" for number in range(1, 10)))
"""Variables that both have: what they stand for is not known yet."""


def import_b9(text: str, file: str, form: FileFormat = FileFormat.B9) -> str:
    """Return the same builds as `raptor.toml`; a comment says what could not come along.

    Args:
        text: of a build file, or of a configuration, which has nothing but comments.
        file: its name; paths in what is returned begin where raptorctl runs.
        form: which of the two it is.

    Raises:
        FileError: something in it cannot be; all of it, with line and column.
        HostError: a server does not give what it should.
        MissingError: Lark is not installed.
    """
    with read_as(form, file, text, ImportFormat):
        return _conf(text, file) if form is FileFormat.B9_CONF else _builds(text, file)


def _conf(text: str, file: str) -> str:
    from raptorctl.read.b9.conf import read_conf

    return "\n".join(f"# {line}" for line in conf_lines(read_conf(text, file))) + "\n"


def _builds(text: str, file: str) -> str:
    mark = f"b9{hashlib.sha256(text.encode(errors='replace')).hexdigest()[:8]}"
    open_ = {name: f"{mark}{name}." for name in _OPEN}
    (found,) = build_sets([BuildText(file, text)], {}, [open_])
    lines = [SCHEMA, *_lines(found.builds, mark)]
    return re.sub(rf"{mark}(\w+)\.", r"${\1}", "\n".join(lines)) + "\n"


def _lines(builds: Iterable[Build], mark: str) -> Iterable[str]:
    names: set[str] = set()
    for build in builds:
        said, left = build_table(build)
        # A table's name has no variables.
        name = re.sub(rf"{mark}(\w+)\.", r"\1", build.name).lower()
        if name in names:
            raise InputError(
                f"two builds would be called {shown(name)}", resolution="names have small letters"
            )
        names.add(name)
        yield from table_lines(("build", name), said, [f"not imported: {one}" for one in left])


def conf_lines(conf: B9Conf) -> Iterable[str]:
    """Say what stands for each key of a configuration.

    Args:
        conf: as it was read.
    """
    for one in conf.repositories:
        yield f"{one.name}-repo: raptorctl image push NAME {_address(one)}"
        yield f"{one.name}-repo: raptorctl image pull {_address(one)}#NAME"
        yield f"{one.name}-repo: ssh(1) is to know the key: IdentityFile {one.key}"
    if conf.cache:
        yield f"repository_cache: raptorctl image pull {conf.cache}/NAME_ID.qcow2 --name NAME"
    if conf.cached:
        yield f"max_cached_shared_images: raptorctl image keep {conf.cached} NAME"
    if conf.timeout_factor != 1:
        yield f"timeout_factor: raptorctl build --timeout-factor {conf.timeout_factor}"
    if conf.timeout:
        yield f'default_timeout_seconds: steps = [{{ timeout = "{conf.timeout}s" }}]'
    if conf.lifetime:
        yield f'max_lifetime_seconds: steps = [{{ timeout = "{conf.lifetime}s" }}]'
    if conf.keep:
        yield "keep_temp_dirs: raptorctl build --keep"
    yield from (str(replace(one, file="not imported")) for one in conf.left)


def _address(one: B9Repository) -> str:
    port = "" if one.port == 22 else f":{one.port}"
    return f"ssh://{one.user}@{one.host}{port}/{one.path.lstrip('/')}"
