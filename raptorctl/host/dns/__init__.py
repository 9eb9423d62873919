"""The name server: what it holds, and updates (RFC 2136).

dnspython comes without what its import brings beside: importlib.metadata, which finds libraries for
DNS over HTTPS, QUIC and names beyond ASCII, and TLS. We ask by TCP, and our names are ASCII.
"""

from raptorctl.host.system.stand_in import NoVersions, nothing, standing_in

with standing_in({"importlib.metadata": NoVersions, "ssl": nothing}):
    import dns.query  # noqa: F401 - the modules of this folder find it imported
