"""Metrics by the role's timer, and what tenants and time do with machines, on the real host."""

from tests.lab.host import Lab

TEXTFILE = "/var/lib/prometheus/node-exporter/raptorctl.prom"


def test_the_timer_writes_what_node_exporter_reads(quiet: Lab) -> None:
    assert quiet.run("systemctl", "is-active", "raptorctl-metrics.timer").stdout == "active\n"
    quiet.run("systemctl", "start", "raptorctl-metrics.service")
    text = quiet.run("cat", TEXTFILE).stdout
    assert 'raptorctl_slots{state="free"} 5\n' in text
    printed = quiet.run("raptorctl", "metrics").stdout
    # The unit's sandbox hides nothing from doctor that root at a shell sees.
    assert findings(text) == findings(printed)
    assert findings(text)


def findings(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("raptorctl_doctor_findings")]
