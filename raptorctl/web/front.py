"""The front end of tenants' pages: Debian's nginx, under an account without rights.

It ends TLS, bounds what strangers may ask, and brings each request to the agent that the link or
the cookie names. It knows no secret of anybody's: the agent compares them. Its listening socket is
handed to it (systemd.socket(5)), so it needs neither a right nor a network of its own.
"""

import os
import shutil
from collections.abc import Iterable, Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Final

from raptorctl.errors import HostError
from raptorctl.model.metric import TEXTFILE, TEXTFILES
from raptorctl.model.web import AGENTS, Web
from raptorctl.web.edge import HEADERS, LARGEST_BODY, POLICY
from raptorctl.web.paint import files, outside

TENANT: Final = "[a-z][a-z0-9]{0,15}"
"""As `raptorctl.model.names.TENANT`; it becomes part of a socket's path."""
SECRET: Final = "[A-Za-z0-9_-]{43}"  # noqa: S105 - the form of one: 32 bytes in base64url
CONF: Final = "nginx.conf"
BUSY: Final = "The page is asked for too much at once. Load it again in a moment."
EXPOSITION: Final = "text/plain; version=0.0.4; charset=utf-8"
"""What Prometheus has to be told that it is (its documentation, "Exposition formats")."""


def listen(web: Web) -> str:
    """The address, as nginx has to have it to know the socket that it is handed."""
    if web.certificate:
        return f"[::]:{web.port} ipv6only=off ssl"
    return f"127.0.0.1:{web.port}"


def conf(web: Web, folder: Path, scratch: Path, agents: str = AGENTS) -> str:
    """What nginx is to do (nginx.org/en/docs).

    Args:
        web: of the settings.
        folder: where what is laid for it is.
        scratch: where it may write.
        agents: where agents' sockets are.
    """
    headers = {
        **HEADERS,
        "content-security-policy": POLICY.format(inline="", images=""),
        "referrer-policy": "same-origin",
    }
    return f"""\
# raptorctl: written anew at each start.
daemon off;
worker_processes 2;
worker_rlimit_nofile 8192;
pid {scratch}/nginx.pid;
# What it tells of a request has the link in it.
error_log stderr alert;
events {{ worker_connections 3000; }}
http {{
    types {{ text/html html; text/css css; text/javascript js; image/svg+xml svg; }}
    charset utf-8;
    access_log off;
    server_tokens off;
{_lines(8, (f"{kind}_temp_path {scratch}/{kind};" for kind in KINDS))}
    # An emulated or very busy machine has taken more than 10 s for a handshake, which counts here.
    client_header_timeout 20s;
    client_body_timeout 10s;
    send_timeout 10s;
    keepalive_timeout 10s;
    reset_timedout_connection on;
    client_max_body_size {LARGEST_BODY};
    # Each that is held may fill them; MemoryMax of the unit has room for that.
    large_client_header_buffers 2 8k;
{_lines(8, _behind_a_proxy(web))}
    # Who has one address of IPv6 has 2^64 of them; an IPv4 one reads ::ffff:192.0.2.1 here.
    map $binary_remote_addr $source {{
        default $binary_remote_addr;
        "~^\\x00{{10}}\\xff\\xff" $binary_remote_addr;
        "~^(?<net>(?s:.{{8}}))(?s:.{{8}})\\z" $net;
    }}
    limit_conn_zone $source zone=sources:2m;
    limit_req_zone $source zone=links:2m rate=1r/s;
    # Of requests whose head has been read: connections that say nothing are not counted.
    limit_conn sources 300;
    limit_conn_status 429;
    limit_req_status 429;
    map $http_cookie $who {{
        default "";
        "~(?:^|; ?){web.cookie}=(?<in_cookie>{TENANT})\\.{SECRET}(?:;|$)" $in_cookie;
    }}
    map $http_upgrade $connection_wish {{ default close; websocket upgrade; }}
    proxy_http_version 1.1;
    proxy_set_header Host $http_host;
    proxy_set_header Connection $connection_wish;
    proxy_set_header Upgrade $http_upgrade;
    proxy_connect_timeout 5s;
    proxy_read_timeout 60s;
    proxy_send_timeout 60s;
    proxy_max_temp_file_size 0;
    server {{
        listen {listen(web)};
{_lines(8, _tls(web, folder))}
        error_page 401 /outside.html;
        recursive_error_pages on;
        error_page 502 = @unanswered;
        location ~ "^/enter/(?<in_link>{TENANT})\\.{SECRET}$" {{
            limit_req zone=links burst=20 nodelay;
            set $agent $in_link;
            proxy_pass http://unix:{agents}/$in_link.sock:;
        }}
        location / {{
            if ($who = "") {{ return 401; }}
            set $agent $who;
            proxy_pass http://unix:{agents}/$who.sock:;
        }}
        location @unanswered {{
            default_type text/plain;
            add_header cache-control no-store always;
{_lines(12, _added(HEADERS))}
            # An agent's socket goes with it, and so do its logins; one that is there is full. Of a
            # socket that is all that can be asked: -e is for files, directories and links alone.
            if (-x {agents}/$agent.sock) {{ return 503 "{BUSY}\\n"; }}
            return 401;
        }}
{_lines(8, _metrics(web))}
        location /static/ {{
            alias {folder}/static/;
            add_header cache-control "public, max-age=31536000, immutable";
{_lines(12, _added(HEADERS))}
        }}
        location = /outside.html {{
            internal;
            root {folder};
            add_header cache-control no-store always;
{_lines(12, _added(headers))}
        }}
    }}
}}
"""


KINDS: Final = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
"""Of directories that nginx makes, whether it needs them or not."""


def _lines(indent: int, lines: Iterable[str]) -> str:
    return "\n".join(f"{' ' * indent}{line}" for line in lines)


def _added(headers: Mapping[str, str]) -> Iterable[str]:
    return (f'add_header {name} "{value}" always;' for name, value in headers.items())


def _behind_a_proxy(web: Web) -> Iterable[str]:
    """Without TLS of ours, whoever connects is a proxy on this host, which knows who asks it."""
    if not web.certificate:
        yield "set_real_ip_from 127.0.0.1;"
        yield "real_ip_header X-Forwarded-For;"


def _tls(web: Web, folder: Path) -> Iterable[str]:
    if web.certificate:
        yield f"ssl_certificate {folder}/certificate.pem;"
        yield f"ssl_certificate_key {folder}/key.pem;"
        yield "ssl_protocols TLSv1.2 TLSv1.3;"
        yield "ssl_session_cache shared:tls:2m;"
        yield "ssl_session_tickets off;"


def _metrics(web: Web) -> Iterable[str]:
    """The file that the timer writes, for who is named in the settings; else there is none."""
    if not web.scrapers:
        return
    yield "location = /metrics {"
    yield f"    alias {TEXTFILES}/{TEXTFILE};"
    yield f'    types {{ }} charset off; default_type "{EXPOSITION}";'
    yield "    add_header cache-control no-store always;"
    yield from (f"    allow {ip_network(scraper)};" for scraper in web.scrapers)
    yield "    deny all;"
    yield "}"


def lay(web: Web, folder: Path, group: int, scratch: Path) -> None:
    """Lay all that nginx reads; root's, and for its group to read.

    Args:
        web: of the settings.
        folder: it is there, and root's.
        group: the front end's.
        scratch: where it may write.

    Raises:
        HostError: a file cannot be read or written.
    """
    laid = {
        CONF: conf(web, folder, scratch).encode(),
        "outside.html": outside().encode(),
        **{f"static/{name}": content for name, (content, _) in files().items()},
    }
    try:
        if web.certificate:
            laid["certificate.pem"] = Path(web.certificate).read_bytes()
            laid["key.pem"] = Path(web.key).read_bytes()
        shutil.rmtree(folder / "static", ignore_errors=True)
        for name, content in laid.items():
            (folder / name).parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            _write(folder / name, content, group)
    except OSError as error:
        raise HostError(f"the front end cannot have {error.filename}: {error.strerror}") from error


def _write(path: Path, content: bytes, group: int) -> None:
    path.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(path, flags, 0o640), "wb") as file:
        os.fchown(file.fileno(), -1, group)
        file.write(content)
