"""The name server: what it holds, and updates (RFC 2136).

dnspython comes without importlib.metadata, by which it finds libraries for DNS over HTTPS, QUIC and
names beyond ASCII: ours are ASCII, and we ask by TCP. It does need ssl, where a name server takes a
moment to answer (dns.query of 2.7, `_net_read`).
"""

from raptorctl.host.system.stand_in import NoVersions, standing_in

with standing_in({"importlib.metadata": NoVersions}):
    import dns.query  # noqa: F401 - the modules of this folder find it imported
