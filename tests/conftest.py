"""What all tests share: golden files (`pytest --update-golden` rewrites them), and what they cost."""

import gc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import tally, times

GOLDEN = Path(__file__).parent / "golden"

# Modules and thousands of tests stay to the end: looking for garbage among them, again and again,
# is a tenth of a run of the unit tests.
gc.disable()


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    gc.enable()
    gc.freeze()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite tests/golden from what comes out now"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "long: not for `make check` and `make lab`: `make long`, `make lab-long`"
    )
    config.pluginmanager.register(tally.Tally())
    if times.wanted(config):
        config.pluginmanager.register(times.Times())


@pytest.fixture(scope="session", autouse=True)
def _by_nobodys_sudo() -> Iterator[None]:
    """`sudo make test` is root's: files of the tests are not for the account behind it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("SUDO_UID", raising=False)
        yield


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    seed = terminalreporter.config.getoption("randomly_seed", None)
    if seed is not None and {"failed", "error"} & set(terminalreporter.stats):
        terminalreporter.write_line(f"this order again: -p randomly --randomly-seed={seed}")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare text with a file in tests/golden, by its name."""
    update = bool(request.config.getoption("--update-golden"))

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if update:
            path.write_text(text)
        assert path.exists(), f"no {path.name}: run pytest --update-golden and read the diff"
        assert text == path.read_text()

    return compare
