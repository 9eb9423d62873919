"""A real registry on loopback, Debian's docker-registry, and a token server of our own."""

import base64
import hashlib
import json
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from tests.integration.image_server import ImageServer, Page, Request
from tests.integration.named import free_port

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
QCOW2 = "application/vnd.cloudnebula.qcow2.layer.v1"
SERVICE, ISSUER = "the registry", "the token server"
USER, PASSWORD = "alice", "secret"
# bcrypt of "secret", which is the only kind that the registry takes (htpasswd(1), -B).
HTPASSWD = "alice:$2b$04$9rr9q/wD1mjpRoLTJwyCH.CsJKSmFx9oMclafFAB8WvZxcDrod6Ci\n"
_SECONDS = 30


@dataclass
class Registry:
    """A running registry.

    Args:
        address: `127.0.0.1:PORT`.
        process: in the foreground.
    """

    address: str
    process: subprocess.Popen[bytes] = field(repr=False)

    def push(self, repository: str, data: bytes) -> str:
        """Put a blob there, as the specification has it, and return its digest."""
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        begun = self._ask("POST", f"/v2/{repository}/blobs/uploads/", b"")
        place = begun["Location"]
        url = f"{place}{'&' if '?' in place else '?'}digest={digest}"
        self._ask("PUT", url, data, {"Content-Type": "application/octet-stream"})
        return digest

    def image(
        self, repository: str, tag: str, *layers: tuple[str, bytes], kind: str = MANIFEST
    ) -> str:
        """Put layers there, each with its media type, and a manifest of them; return its digest."""
        config = self.push(repository, b"{}")
        manifest = {
            "schemaVersion": 2,
            "mediaType": kind,
            "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": config, "size": 2},
            "layers": [
                {"mediaType": media, "digest": self.push(repository, data), "size": len(data)}
                for media, data in layers
            ],
        }  # fmt: skip
        return self.manifest(repository, tag, manifest)

    def manifest(self, repository: str, tag: str, manifest: Mapping[str, Any]) -> str:
        """Put a manifest there as it is."""
        body = json.dumps(manifest).encode()
        kind = {"Content-Type": str(manifest["mediaType"])}
        return str(
            self._ask("PUT", f"/v2/{repository}/manifests/{tag}", body, kind)[
                "Docker-Content-Digest"
            ]
        )

    def size(self, repository: str, reference: str) -> int:
        """Bytes of a manifest."""
        accept = {"Accept": f"{MANIFEST}, {INDEX}"}
        path = f"/v2/{repository}/manifests/{reference}"
        return int(self._ask("HEAD", path, None, accept)["Content-Length"])

    def _ask(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str] | None = None
    ) -> Mapping[str, str]:
        url = path if path.startswith("http") else f"http://{self.address}{path}"
        request = urllib.request.Request(url, body, dict(headers or {}), method=method)  # noqa: S310
        with direct().open(request, timeout=_SECONDS) as reply:
            return reply.headers  # type: ignore[no-any-return]


def direct() -> urllib.request.OpenerDirector:
    """No proxy of the environment stands before loopback."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


@contextmanager
def registry(directory: Path, auth: str = "") -> Iterator[Registry]:
    """Run a registry on blobs in a directory; end it afterwards.

    Args:
        directory: kept; several may serve it in turn.
        auth: YAML for its `auth`.
    """
    port = free_port()
    config = directory / f"config-{port}.yml"
    config.write_text(
        "version: 0.1\n"
        f"storage: {{filesystem: {{rootdirectory: {directory / 'blobs'}}}}}\n"
        f"http: {{addr: '127.0.0.1:{port}'}}\n"
        f"{auth}"
    )
    with (directory / "log").open("ab") as log:
        words = ["docker-registry", "serve", str(config)]
        process = subprocess.Popen(words, stdout=log, stderr=log, start_new_session=True)
    running = Registry(f"127.0.0.1:{port}", process)
    try:
        _await(running, directory / "log")
        yield running
    finally:
        process.terminate()
        process.wait(_SECONDS)


def _await(running: Registry, log: Path) -> None:
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end and running.process.poll() is None:
        try:
            direct().open(f"http://{running.address}/v2/", timeout=_SECONDS).close()
        except urllib.error.HTTPError:
            return  # it wants a login
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"the registry did not start:\n{log.read_text()}")


class TokenServer(ImageServer):
    """Gives tokens that the registry believes, signed by a key whose certificate it knows.

    Args:
        directory: for the certificate.
        private: whether it wants a login.
    """

    def __init__(self, directory: Path, *, private: bool) -> None:
        super().__init__()
        self._key = rsa.generate_private_key(65537, 2048)
        self._private = private
        self._certificate = _certificate(self._key)
        self.bundle = directory / "token.pem"
        self.bundle.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def auth(self) -> str:
        """What the registry's configuration says of it."""
        return (
            f"auth: {{token: {{realm: '{self.url}/token', service: '{SERVICE}', "
            f"issuer: '{ISSUER}', rootcertbundle: '{self.bundle}'}}}}\n"
        )

    def page(self, request: Request) -> Page:
        """Give a token for what is asked, to anybody or to alice."""
        pair = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self._private and request.headers.get("authorization") != f"Basic {pair}":
            return Page(b'{"errors": []}', 401)
        query = urllib.parse.parse_qs(request.path.partition("?")[2])
        _, name, actions = query["scope"][0].split(":")
        return Page(json.dumps({"token": self._token(name, actions.split(","))}).encode())

    def _token(self, name: str, actions: list[str]) -> str:
        now = int(time.time())
        der = self._certificate.public_bytes(serialization.Encoding.DER)
        head = {"typ": "JWT", "alg": "RS256", "x5c": [base64.b64encode(der).decode()]}
        access = [{"type": "repository", "name": name, "actions": actions}]
        claims = {"iss": ISSUER, "aud": SERVICE, "sub": "", "jti": "1", "access": access,
                  "iat": now, "nbf": now - 60, "exp": now + 600}  # fmt: skip
        signed = f"{_packed(head)}.{_packed(claims)}"
        signature = self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{_base64(signature)}"


def _certificate(key: rsa.RSAPrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tokens")])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .sign(key, hashes.SHA256())
    )


def _packed(data: Mapping[str, Any]) -> str:
    return _base64(json.dumps(data).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
