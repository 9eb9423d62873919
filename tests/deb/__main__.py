"""`python -m tests.deb`: build the Debian package into dist/."""

import shutil
import sys

from tests.deb import build
from tests.lab.cache import CHECKOUT
from tests.lab.errors import LabError


def main() -> int:
    """Build it; an error is one message and exit code 1."""
    try:
        built = build.package()
    except LabError as error:
        print(f"make deb: {error}", file=sys.stderr)
        return 1
    target = CHECKOUT / "dist" / built.name
    target.parent.mkdir(exist_ok=True)
    shutil.copyfile(built, target)
    print(target.relative_to(CHECKOUT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
