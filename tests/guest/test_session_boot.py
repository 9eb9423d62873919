"""Somebody without rights makes a Debian machine, waits for it, and logs in.

Under the machine's own QEMU, emulated where there is no KVM, and Debian 12's lets a guest's kernel
panic sooner or later: `make full-boots`, and not for every run.
"""

import json

import pytest

from tests.full_boot import full
from tests.guest.session_debian import NAME, SessionDebian, ended
from tests.integration.session_account import somebody

pytestmark = [pytest.mark.timeout(3600), full]


def test_a_machine_of_ones_own_from_its_first_boot_to_its_end() -> None:
    with somebody() as person:
        machine = SessionDebian(person)
        machine.provision()
        assert "SSH-2.0-OpenSSH" in ended(machine.waiting("ssh"))
        assert ended(machine.ssh("id", "-un")) == f"{person.login}\n"
        ended(machine.waiting("cloud-init"))
        assert ended(machine.waiting("agent"))
        why = json.loads(person.raptorctl("why", NAME, "-o", "json").stdout)
        assert (why["reached"], why["problem"]) == ("agent", "")
        stopped = person.raptorctl("stop", NAME, "--timeout", "200").stdout
        assert "switched off" not in stopped
        machine.remove()
        assert person.files() == set()
