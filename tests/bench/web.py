"""Rows about the page, on a session host of this machine: 300 machines, 200 tabs, 50 consoles.

All of it is real but the guests, whose firmware finds nothing and halts; one has OVMF's shell,
which says again what is typed at its console.
"""

import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from selenium.webdriver import Chrome
from websockets.sync.client import ClientConnection

from tests.bench import contest
from tests.bench.contest import Contender
from tests.bench.figures import Row, count_row, longer_row, memory_row, ratio_row, seconds_row
from tests.chromium import chromium, until
from tests.integration.session_account import Person, somebody
from tests.web import Browser, socket_of

NEEDED: Final = ("starlette", "uvicorn", "websockets", "jinja2")
SCRIPTS: Final = Path(__file__).with_name("scripts")
MACHINES: Final = 300
CONSOLES: Final = 50
TABS: Final = 200
ROUNDS: Final = 5
STALE: Final = 11.0
"""Seconds after which nothing that the page shows is kept from an earlier look."""
WATCHED: Final = 31.0
"""Seconds in which questions to libvirt are counted."""
KEYS: Final = 20
"""Typed in each round."""
QUIET: Final = 0.1
"""Seconds of silence after which a console has said all that it had to say."""
STARTS: Final = 21
LOOK: Final = "getAllDomainStats"
"""Which each look asks once."""
VIRSH: Final = ("virsh", "-q", "-c", "qemu:///session")
TIMES: Final = (
    "const [one] = performance.getEntriesByType('navigation');"
    "const paint = performance.getEntriesByName('first-contentful-paint')[0];"
    "const room = performance.getEntriesByType('resource').find((r) => r.name.endsWith('/room'));"
    "return [one.responseStart, one.loadEventEnd && paint"
    " && Math.max(one.loadEventEnd, paint.startTime), room && room.responseEnd]"
)
"""Milliseconds from the click: to the first byte; until all machines have come and something is
painted; until what the host has, which is fetched after that, has come as well."""


def rows() -> list[Row]:
    """Measure all of them."""
    with somebody(NEEDED) as person:
        person.raptorctl("provision", "dev", "--memory", "256M", "--cpus", "1", "-y")
        _script(person, "web_many.py", f"{person.login}-dev", str(MACHINES - 1), str(CONSOLES - 1))
        try:
            with _opened(person) as page:
                measured = [*_painted(page), *_asked(page), _echoed(page), _remembered(page)]
                return [*measured, *start_up()]
        finally:
            person.raptorctl("stop", "dev", "--timeout", "0", "--force", check=False)


@dataclass(frozen=True)
class _Page:
    """One that is open.

    Args:
        person: whose.
        browser: logged in.
        link: logs in another one.
        server: its process.
        calls: a file with a line for each question to libvirt.
    """

    person: Person
    browser: Browser
    link: str
    server: int
    calls: Path

    def console(self, machine: str) -> ClientConnection:
        """Open a machine's console."""
        return socket_of(self.browser, f"/m/{self.person.login}-{machine}/console/socket?take=1")


def _script(person: Person, name: str, *words: str) -> None:
    person.run(person.python, str(shutil.copy(SCRIPTS / name, person.home)), *words)


@contextmanager
def _opened(person: Person) -> Iterator[_Page]:
    script = str(shutil.copy(SCRIPTS / "web_counted.py", person.home))
    calls = person.home / "calls"
    argv = [person.python, script, str(calls), "web"]
    server = subprocess.Popen(
        argv, cwd=person.home, env=person.environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, **person.who,
    )  # fmt: skip
    assert server.stdout
    try:
        link = server.stdout.readline().strip()
        browser = Browser(int(link.split(":")[2].partition("/")[0]))
        browser.enter(link)
        another = person.raptorctl("web").stdout.strip()
        yield _Page(person, browser, another, server.pid, calls)
    finally:
        server.terminate()
        server.wait(60)


def _painted(page: _Page) -> list[Row]:
    laps = []
    with tempfile.TemporaryDirectory() as profile, chromium(Path(profile)) as window:
        window.get(page.link)
        until(window, lambda w: len(w.find_elements("css selector", "#machines tbody tr")) > 1)
        for number in range(ROUNDS + 1):
            virsh = _virsh(page) if number % 2 else 0.0
            time.sleep(STALE)
            laps.append((*_shown(window, page), virsh or _virsh(page)))
    first, whole, room, virsh_s = ([lap[side] for lap in laps[1:]] for side in range(4))
    what, against = f"page of a host with {MACHINES} machines", "`virsh list --all`"
    return [
        ratio_row(f"{what}, first byte", against, "here", 1.0, (first, virsh_s)),
        ratio_row(f"{what}, painted whole", against, "here", 1.0, (whole, virsh_s)),
        seconds_row(f"{what}, painted whole", "here", 1.0, whole),
        seconds_row(f"{what}, with CPUs, memory and storage", "here", 1.0, room),
    ]


def _shown(window: Chrome, page: _Page) -> tuple[float, ...]:
    window.get(f"http://127.0.0.1:{page.browser.port}/")
    times = until(window, lambda w: all(found := w.execute_script(TIMES)) and found)
    assert len(window.find_elements("css selector", "#machines tbody tr")) == MACHINES
    window.get("about:blank")  # nothing is looked at for a page that nobody has open
    return tuple(each / 1000 for each in times)


def _virsh(page: _Page) -> float:
    began = time.perf_counter()
    said = page.person.run(*VIRSH, "list", "--all").stdout
    took = time.perf_counter() - began
    assert len(said.split("\n")) > MACHINES
    return took


def _asked(page: _Page) -> list[Row]:
    """Count questions to libvirt while pages are open: one look for all, and what it asks.

    A look asks for all states at once, and on a session host, where a machine is off, for those
    that are saved.
    """
    few, many = _questions(page, 1), _questions(page, TABS)
    share = len(many) / len(few)
    return [
        count_row(
            f"questions to libvirt with {TABS} tabs open, times those with one",
            "here",
            1.1,
            share,
            1,
        ),
        count_row("questions to libvirt for each look", "here", 2, len(many) / many.count(LOOK), 1),
    ]


def _questions(page: _Page, tabs: int) -> list[str]:
    with ExitStack() as stack:
        for _ in range(tabs):
            stack.enter_context(socket_of(page.browser, "/live")).recv(timeout=60)
        before = page.calls.stat().st_size
        time.sleep(WATCHED)
        return page.calls.read_text()[before:].split()


def _echoed(page: _Page) -> Row:
    """Compare what is typed at a console of the page with what is typed at virsh's."""
    ours: list[float] = []
    theirs: list[float] = []
    with page.console("dev") as line:
        line.send(b"\r")  # it may have said long ago that it waits
        while "Shell>" not in str(line.recv(timeout=300)):
            pass
    for number in range(ROUNDS):
        for side in (_by_page, _by_virsh) if number % 2 else (_by_virsh, _by_page):
            (ours if side is _by_page else theirs).append(side(page))
    what = "a key typed at a console, said again, later than"
    return longer_row(what, "`virsh console`", "here", 0.02, (ours, theirs))


def _by_page(page: _Page) -> float:
    with page.console("dev") as line:

        def read(seconds: float) -> bool:
            with suppress(TimeoutError):
                return bool(line.recv(timeout=seconds))
            return False

        return _typed(lambda: line.send(b"x"), read)


def _by_virsh(page: _Page) -> float:
    ours, its = os.openpty()
    argv = (*VIRSH, "console", "--force", f"{page.person.login}-dev")
    virsh = subprocess.Popen(
        argv, stdin=its, stdout=its, stderr=its, env=page.person.environment,
        start_new_session=True, **page.person.who,
    )  # fmt: skip

    def read(seconds: float) -> bool:
        return bool(select.select([ours], [], [], seconds)[0] and os.read(ours, 4096))

    try:
        os.write(ours, b"\r")
        assert read(60), "virsh has no console"
        return _typed(lambda: os.write(ours, b"x"), read)
    finally:
        virsh.kill()
        virsh.wait()
        os.close(ours)
        os.close(its)


def _typed(send: Callable[[], object], read: Callable[[float], bool]) -> float:
    """Type some keys, one after the other; return the median of seconds until one is echoed."""
    laps = []
    for _ in range(KEYS):
        while read(QUIET):
            pass
        began = time.perf_counter()
        send()
        assert read(60), "the shell did not echo a key"
        laps.append(time.perf_counter() - began)
    return median(laps)


def _remembered(page: _Page) -> Row:
    """Read how much memory the server has with all consoles open."""
    names = ["dev", *(f"m{number}" for number in range(CONSOLES - 1))]
    with ExitStack() as stack:
        lines = [stack.enter_context(page.console(name)) for name in names]
        for line in lines:  # a console that were not to be had would be closed with a reason
            line.send(b"\r")
            with suppress(TimeoutError):
                line.recv(timeout=0.1)
        status = Path(f"/proc/{page.server}/status").read_text()
    resident = int(status.partition("VmRSS:")[2].split()[0]) << 10
    return memory_row(f"the page's server with {CONSOLES} consoles open", "here", 150, [resident])


def start_up() -> list[Row]:
    """Compare the command line where the extra is installed with one where it is not."""
    hide = "import sys; sys.modules.update(dict.fromkeys({names!r}))"
    run = "; from raptorctl.__main__ import main; sys.exit(main(['--help']))"
    laps = contest.here(
        STARTS,
        Contender("with", (sys.executable, "-c", "import sys" + run)),
        Contender("without", (sys.executable, "-c", hide.format(names=NEEDED) + run)),
    )
    took = contest.seconds(laps, "with", "without")
    against = "without the extra `web`"
    return [ratio_row("`raptorctl --help`", against, "here", 1.05, took)]
