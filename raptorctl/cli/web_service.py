"""The door of tenants' pages; systemd starts it for each connection (systemd.socket(5))."""

from raptorctl.api.caller import Caller
from raptorctl.api.session import Session
from raptorctl.api.web import connected
from raptorctl.web.mint import serve


def main() -> None:
    """Answer whoever is at the other end of standard input."""
    with connected() as client:
        serve(client, Session(caller=Caller("root", root=True)))


if __name__ == "__main__":
    main()
