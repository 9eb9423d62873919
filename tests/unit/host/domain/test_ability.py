"""What libvirt says of itself, read."""

import pytest

from raptorctl.host.domain.ability import read_uid

LABELS = """<capabilities><host>
<secmodel><model>apparmor</model><doi>0</doi></secmodel>
<secmodel><model>dac</model><doi>0</doi>
<baselabel type="kvm">{}</baselabel><baselabel type="qemu">{}</baselabel></secmodel>
</host></capabilities>"""


@pytest.mark.parametrize(
    ("label", "uid"), [("+64055:+108", 64055), ("+0:+0", 0), ("", None), ("qemu:qemu", None)]
)
def test_whom_qemu_runs_as(label: str, uid: int | None) -> None:
    assert read_uid(LABELS.format(label, label)) == uid


def test_a_libvirt_that_does_not_say_is_not_known() -> None:
    assert read_uid("<capabilities><host/></capabilities>") is None
