import pytest

from raptorctl.errors import InputError, SettingsError
from raptorctl.model.sizes import GIB, Size
from raptorctl.model.tenant import (
    GROUP,
    Account,
    Mode,
    Quota,
    Tenant,
    TenantRecord,
    parse_record,
    record_path,
    record_text,
)

RECORD = TenantRecord(
    "alice", 1001, False, "20261123-000000-ab12", "2026-11-23T00:00:00Z", "root", Quota(machines=2)
)


@pytest.mark.parametrize(
    ("text", "quota"),
    [
        ("machines=2", Quota(machines=2)),
        ("cpus=8,memory=16G", Quota(cpus=8, memory=Size(16 * GIB))),
        ("none", Quota()),
        ("machines=0", Quota(machines=0)),
    ],
)
def test_a_quota_is_read(text: str, quota: Quota) -> None:
    assert Quota.parse(text) == quota


@pytest.mark.parametrize(
    "text", ["disk=3", "machines", "machines=", "machines=-1", "machines=1,machines=2", "cpus=1e3",
             "memory=16", "size=x", "machines=\u0663", "machines =2", "", ",", "none,cpus=2"]
)  # fmt: skip
def test_nonsense_is_no_quota(text: str) -> None:
    with pytest.raises(InputError):
        Quota.parse(text)


def test_a_quota_reads_as_it_was_written() -> None:
    assert str(Quota.parse("machines=2,cpus=8,memory=16G,size=100G")) == (
        "machines=2,cpus=8,memory=16G,size=100G"
    )
    assert str(Quota()) == "none"


def test_a_record_survives_its_file() -> None:
    assert parse_record(record_text(RECORD), record_path("alice")) == RECORD


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"name": "alice"}', record_text(RECORD).replace("alice", "bob"),
             record_text(RECORD).replace('"uid": 1001', '"uid": "1001"')]
)  # fmt: skip
def test_what_is_no_record_is_said_with_its_file(text: str) -> None:
    with pytest.raises(SettingsError, match=r"tenants/alice\.json"):
        parse_record(text, record_path("alice"))


def test_a_tenant_is_ours_if_record_and_account_agree() -> None:
    account = Account("alice", 1001, 1001, groups=frozenset({GROUP}))
    assert Tenant("alice", RECORD, account).ours
    assert not Tenant("alice", RECORD, None).ours
    assert not Tenant("alice", None, account).ours
    assert not Tenant("alice", RECORD, Account("alice", 1002, 1002, groups=account.groups)).ours
    assert not Tenant("alice", RECORD, Account("alice", 1001, 1001)).ours


@pytest.mark.parametrize("mode", Mode)
def test_the_login_shell_tells_the_mode(mode: Mode) -> None:
    assert Tenant("alice", account=Account("alice", 1, 1, shell=mode.shell)).mode is mode
