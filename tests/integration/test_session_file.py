"""A file of machines on a session host, for real: made, changed, told, exported, removed."""

import json

from tests.integration.session_account import Person

FILE = """\
[defaults]
memory = "256M"
cpus = 1
size = "1G"

[machine.web]
graphics = "none"

[machine.db]
"""


def marked(person: Person, name: str) -> str:
    """Have the mark of one that runs say that steps were done, as `up` does after the last."""
    code = f"""
from raptorctl.api import bring, change
from raptorctl.api.session import Session
from raptorctl.model.names import split_domain
done = change.carry_out(Session(), bring.steps_done(split_domain("{name}"), "ab" * 32))
print(done.job.outcome.value if done.job else "so already")
"""
    return person.run(person.python, "-c", code).stdout.strip()


def test_machines_of_a_file_from_the_first_up_to_the_last_down(person: Person) -> None:
    file = person.home / "raptor.toml"
    file.write_text(FILE)
    owner = json.loads(person.raptorctl("up", "--dry-run", "-o", "json").stdout)["plan"]["rows"]
    web, db = (row["machine"] for row in owner)
    assert person.raptorctl("up").stdout == f"{web}: made\n{db}: made\n"
    assert person.raptorctl("up").stdout == f"{web} is already so\n{db} is already so\n"
    assert person.raptorctl("diff", "--exit-code").stdout == "nothing differs\n"

    assert [marked(person, web) for _ in range(2)] == ["done", "so already"]
    assert (
        "abab" in person.run("virsh", "-c", "qemu:///session", "dumpxml", "--inactive", web).stdout
    )

    file.write_text(FILE.replace('size = "1G"', 'size = "2G"').replace("cpus = 1", "cpus = 2"))
    assert person.raptorctl("diff", "--exit-code", check=False).returncode == 10
    changed = person.raptorctl("up", "web")
    assert changed.stdout == f"{web}: size, cpus\n"
    assert "cpus 1, not 2: next start" in changed.stderr

    assert person.raptorctl("down", "--timeout", "0", "--force").stdout == (
        f"{db}: stopped\n{web}: stopped\n"
    )
    exported = person.raptorctl("export").stdout
    file.write_text(exported)
    assert person.raptorctl("diff", "--exit-code").stdout == "nothing differs\n"
    assert person.raptorctl("up").stdout == f"{db}: started\n{web}: started\n"
    gone = person.raptorctl("down", "--destroy", "--timeout", "0", "--force", "-y")
    assert sorted(gone.stdout.splitlines()) == sorted([f"{web}: removed", f"{db}: removed"])
    assert person.files() == set()
