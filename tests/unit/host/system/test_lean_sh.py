"""sh without asyncio, in a Python of its own: this one has long imported both."""

from tests import fresh_python


def said(program: str) -> list[str]:
    """What a program says that begins with our sh."""
    begin = "import sys\nfrom raptorctl.host.system.command import run"
    return fresh_python.said(f"{begin}\n{program}").splitlines()


def test_a_program_runs_without_asyncio_and_without_the_versions_of_packages() -> None:
    program = """
print(run("echo", "it ran"), end="")
print({"asyncio", "email", "importlib.metadata"} & {*sys.modules})
"""
    assert said(program) == ["it ran", "set()"]


def test_who_imports_asyncio_later_gets_the_real_one_and_sh_knows_its_loop() -> None:
    program = """
run("true")
import asyncio, importlib.metadata, sh
async def awaited():
    return await sh.echo("it ran", _async=True)
print(asyncio.run(awaited()), end="")
print(importlib.metadata.version("sh") > "2")
"""
    assert said(program) == ["it ran", "True"]


def test_asyncio_that_was_there_before_stays() -> None:
    program = """
import asyncio
run("true")
print(sys.modules["asyncio"] is asyncio)
"""
    assert said(program) == ["True"]
