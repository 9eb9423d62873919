"""Metrics by the role's timer, and what tenants and time do with machines, on the real host."""

from tests.lab.host import TIMERS, Lab

SMALL = ("--size", "64M", "--memory", "128M", "--template", "serial-console", "-y")
TEXTFILE = "/var/lib/prometheus/node-exporter/raptorctl.prom"


def test_the_timer_writes_what_node_exporter_reads(quiet: Lab) -> None:
    assert quiet.run("systemctl", "is-active", *TIMERS).stdout == "active\n" * len(TIMERS)
    quiet.run("systemctl", "start", "raptorctl-metrics.service")
    text = quiet.run("cat", TEXTFILE).stdout
    assert 'raptorctl_slots{state="free"} 5\n' in text
    printed = quiet.run("raptorctl", "metrics").stdout
    # The unit's sandbox hides nothing from doctor that root at a shell sees.
    assert findings(text) == findings(printed)
    assert findings(text)


def findings(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("raptorctl_doctor_findings")]


def test_what_is_kept_comes_back_with_its_bytes_and_its_keys(quiet: Lab) -> None:
    lab = quiet
    lab.tenant("alice")
    lab.run("raptorctl", "provision", "alice", "dev", "--cpus", "2-2", "--expires", "3d", *SMALL)
    lab.run("systemctl", "start", "raptorctl-expire.service")
    assert "expire" in lab.run("raptorctl", "job", "list").stdout
    lab.run("raptorctl", "extend", "alice", "dev", "2099-12-31")
    assert "2099-12-31" in lab.run("raptorctl", "list", user="alice").stdout
    device, says = "/dev/lvm-data/guest-alice-dev", "years of work"
    lab.run("virsh", "destroy", "alice-dev")
    lab.run("sh", "-c", f"printf '{says}' | dd of={device} conv=notrunc status=none")
    lab.run("raptorctl", "deprovision", "alice", "dev", "--keep", "1h")
    assert lab.run("virsh", "list", "--all", "--name").stdout.strip() == ""
    lab.run("raptorctl", "provision", "alice", "dev", "--cpus", "2-2", *SMALL)
    lab.run("raptorctl", "deprovision", "alice", "dev", "-y")
    lab.run("raptorctl", "undelete", "alice", "dev")
    assert says in lab.run("head", "-c", str(len(says)), device).stdout
    lab.run("virsh", "start", "alice-dev")
    lab.run("raptorctl", "deprovision", "alice", "dev", "--keep", "1h", "--force")
    lab.run("systemctl", "start", "raptorctl-expire.service")
    kept = lab.run("raptorctl", "disk", "list").stdout
    assert "retired" in kept
    lab.run("raptorctl", "disk", "remove", "alice", "dev.old", "-y")
    left = "/var/lib/libvirt/qemu/nvram", "/var/lib/libvirt/raptorctl"
    assert "alice" not in lab.run("ls", *left).stdout
