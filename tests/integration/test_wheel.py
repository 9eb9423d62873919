"""An installed wheel works as the checkout does: templates and the polkit file come with it."""

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = ["-m", "build", "--wheel", "--outdir", str(folder), str(CHECKOUT)]
    done = subprocess.run([sys.executable, *build], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, with_pip=True)
    pip = [str(folder / "bin/pip"), "install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(pip, check=True)
    # The dependencies are this environment's: what is tested is our wheel, not the registry.
    (site,) = folder.glob("lib/python3*/site-packages")
    here = next(path for path in sys.path if path.endswith("site-packages"))
    (site / "borrowed.pth").write_text(f"{here}\n")
    return folder / "bin"


def test_the_wheel_carries_every_template_and_the_rules(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert "raptorctl/py.typed" in names  # PEP 561: whoever imports it sees its types
    folders = ("domain_templates/*.xml", "machine_templates/*", "polkit/*.rules")
    page = [path for path in (CHECKOUT / "raptorctl/web").rglob("*") if path.suffix != ".pyc"]
    assert {str(p.relative_to(CHECKOUT)) for p in page if p.is_file()} <= names
    for source in (file for folder in folders for file in CHECKOUT.glob(folder)):
        assert f"raptorctl/_data/{source.parent.name}/{source.name}" in names


def test_man_pages_and_completion_lie_where_they_are_looked_for(installed: Path) -> None:
    there = installed.parent / "share"
    shipped = [path for path in (CHECKOUT / "share").rglob("*") if path.is_file()]
    assert len(shipped) > 30
    for path in shipped:
        assert (there / path.relative_to(CHECKOUT / "share")).read_bytes() == path.read_bytes()


def run(installed: Path, *words: str) -> str:
    environment = {"PATH": f"{installed}:{os.environ['PATH']}", "HOME": "/nonexistent"}
    done = subprocess.run(
        words, cwd="/", env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_command_answers(installed: Path) -> None:
    assert run(installed, "raptorctl", "--version").startswith("raptorctl ")
    assert "provision" in run(installed, "raptorctl", "--help")


def test_installed_templates_are_the_checkouts(installed: Path) -> None:
    script = "from raptorctl.host.system import files; print(files.__file__); print(sorted(files.templates()))"
    where, names = run(installed, "python", "-I", "-c", script).splitlines()
    assert str(installed.parent) in where
    shipped = sorted(path.stem for path in CHECKOUT.glob("domain_templates/*.xml"))
    assert names == str(shipped)
