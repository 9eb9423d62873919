"""Does what tenants request; systemd starts it for each connection (systemd.socket(5))."""

import os

from raptorctl.api.petition_service import serve_standard_input


def main() -> None:
    """Answer whoever is at the other end of standard input."""
    os.umask(0o077)
    serve_standard_input()


if __name__ == "__main__":
    main()
