"""The settings file: whatever stands in it, it is taken as meant or refused with its key."""

import copy
import tomllib
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from raptorctl.errors import SettingsError
from raptorctl.host.system.files import read_settings
from raptorctl.model.settings import Settings
from raptorctl.model.settings_text import parse_settings
from tests.fakes import SETTINGS_TEXT
from tests.fuzz import texts
from tests.fuzz.tally import tried

GOOD = tomllib.loads(SETTINGS_TEXT) | {
    "storage": {"volume_group": "lvm-data", "verify_all_up_to": "100G"},
    "libvirt": {"uri": "qemu:///system", "machine_type": "pc-q35-9.1", "secure_boot": False,
                "nvram_dir": "/var/lib/nvram", "shutdown_timeout": 60},
    "machine": {"memory": "4G", "template": "virtio-console"},
}  # fmt: skip

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.booleans(), st.integers(-(1 << 63), (1 << 63) - 1), st.floats(), texts.anything),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


def toml(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            safe = value.encode(errors="replace").decode()
            return '"' + "".join(f"\\U{ord(char):08X}" for char in safe) + '"'
        case list():
            return f"[{', '.join(map(toml, value))}]"
        case dict():
            return "{" + ", ".join(f"{toml(k)} = {toml(v)}" for k, v in value.items()) + "}"
    return repr(value)


def text_of(data: dict[str, Any]) -> str:
    return "\n".join(f"{toml(key)} = {toml(value)}" for key, value in data.items())


def sound(settings: Settings) -> bool:
    """What every settings file that was taken must say, in other words than the rules'."""
    numbers = [slot.number for slot in settings.slot]
    addresses = [address for slot in settings.slot for address in slot.addresses]
    return (
        sorted(set(numbers)) == sorted(numbers)
        and len(set(addresses)) == len(addresses) >= len(numbers) > 0
        and all(0 < number < 256 for number in numbers)
        and 0 < settings.dns.port < 1 << 16
        and 0 < settings.dns.timeout <= 60
        and settings.libvirt.nvram_dir.startswith("/")
        and settings.storage.volume_group.isascii()
        and "/" not in settings.storage.volume_group
    )


def read(text: str) -> Settings | None:
    try:
        settings = parse_settings(text)
    except SettingsError:
        return None
    assert sound(settings)
    return settings


def test_what_is_bent_here_was_right() -> None:
    assert read(text_of(GOOD)) is not None


@given(text=st.one_of(texts.bent(st.just(SETTINGS_TEXT)), texts.anything, st.text()))
def test_any_text(text: str) -> None:
    tried("settings as text")
    read(text)


@given(depth=st.integers(0, 3000), digits=st.integers(0, 6000))
def test_what_a_reader_chokes_on(depth: int, digits: int) -> None:
    tried("settings that are deep or long")
    assert read(SETTINGS_TEXT + f"x = {'[' * depth}{']' * depth}\n") is None
    assert read(SETTINGS_TEXT.replace("[dns]", f"[dns]\nport = 1{'0' * digits}")) is None or (
        digits < 5
    )


@given(data=st.data())
def test_any_value_in_any_place(data: st.DataObject) -> None:
    tried("settings with another value")
    bent = copy.deepcopy(GOOD)
    table = data.draw(st.sampled_from(sorted(bent)))
    place = bent[table][0] if table == "slot" else bent[table]
    place[data.draw(st.sampled_from(sorted(place)))] = data.draw(VALUES)
    read(text_of(bent))


@given(key=st.text(min_size=1, max_size=12), value=VALUES, data=st.data())
def test_a_key_that_nobody_knows(key: str, value: Any, data: st.DataObject) -> None:
    tried("settings with an unknown key")
    bent = copy.deepcopy(GOOD)
    table = data.draw(st.sampled_from(["", *sorted(bent)]))
    place = bent if not table else bent[table][0] if table == "slot" else bent[table]
    known = {
        "": set(GOOD) | {"cpus"},
        "slot": {"number", "ipv4", "ipv6"},
        "dns": {"zone", "reverse_zones", "server", "port", "key_file", "ttl", "timeout"},
        "storage": {"volume_group", "verify_all_up_to"},
        "machine": {"memory", "template"},
        "cpus": {"reserved"},
    }.get(table)
    if known is not None and key.encode(errors="replace").decode() not in known:
        place[key] = value
        assert read(text_of(bent)) is None


@given(raw=st.one_of(st.binary(max_size=200), texts.bent(st.just(SETTINGS_TEXT)).map(
    lambda text: text.encode(errors="surrogateescape"))))  # fmt: skip
def test_any_file(folder: Path, raw: bytes) -> None:
    tried("settings as files")
    path = folder / "settings.toml"
    path.write_bytes(raw)
    path.chmod(0o644)
    try:
        assert sound(read_settings(path))
    except SettingsError as error:
        assert str(path) in error.brief
