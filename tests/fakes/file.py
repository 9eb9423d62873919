"""Files in memory."""


class FakeFiles:
    def __init__(self) -> None:
        self.paths = {"/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"}
        self.texts: dict[str, tuple[str, int]] = {}
        self.sizes: dict[str, int] = {}

    def size(self, path: str) -> int | None:
        return self.sizes.get(path, 0) if path in self.paths else None

    def exists(self, path: str) -> bool:
        return path in self.paths

    def remove(self, path: str) -> None:
        self.paths.discard(path)
        self.texts.pop(path, None)

    def list(self, directory: str) -> tuple[str, ...]:
        there = {*self.texts, *self.paths}
        return tuple(sorted(p for p in there if p.rpartition("/")[0] == directory))

    def read(self, path: str) -> str | None:
        return self.texts[path][0] if path in self.texts else None

    def read_bytes(self, path: str, largest: int) -> bytes | None:
        return self.texts[path][0].encode("latin-1") if path in self.texts else None

    def write(self, path: str, text: str, mode: int) -> None:
        self.texts[path] = (text, mode)

    def write_bytes(self, path: str, data: bytes, mode: int) -> None:
        self.texts[path] = (data.decode("latin-1"), mode)
        self.paths.add(path)
