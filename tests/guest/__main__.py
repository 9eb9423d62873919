"""`python -m tests.guest`: where the guests' disks are; what is missing is built."""

import sys

from tests import guest
from tests.lab.errors import LabError


def main() -> int:
    """Print a line for each guest; an error is one message and exit code 1."""
    try:
        print(f"debian {guest.debian()}")
        print(f"small  {guest.small()}")
        print(f"tiny   {guest.tiny()}")
        print(f"installer {guest.installer()}")
    except LabError as error:
        print(f"guest: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
