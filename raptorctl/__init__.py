"""raptorctl: machines for many people on one server."""

__version__ = "0.1.0"
