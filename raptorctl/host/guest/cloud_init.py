"""cloud-init's own opinion of a cloud-config, where its program is on this host."""

import tempfile

from raptorctl.errors import CommandError, InputError, MissingError
from raptorctl.host.system.command import find, run


def check_schema(text: str) -> bool:
    """Have `cloud-init schema` judge a cloud-config.

    Returns:
        Whether it was judged: not where the program is not there.

    Raises:
        InputError: it is refused; says why.
    """
    try:
        find("cloud-init")
    except MissingError:
        return False
    # It may hold secrets: a file that only we can read, and no argument.
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        try:
            run("cloud-init", "schema", "--config-file", file.name)
        except CommandError as error:
            said = error.reason.line.replace(file.name, "user-data")
            raise InputError(f"cloud-init refuses it: {said}") from error
    return True
