"""What planning a machine imports: the steps that each has, and not those of few."""

from typing import Final

from tests.fresh_python import said

ALWAYS: Final = {"account", "domain", "file", "fit", "log", "network", "record", "slot", "step",
                 "volume", "volume_use"}  # fmt: skip
"""Steps of a machine on an empty disk, and of the tenant who comes with it."""

OTHERS: Final = {"model.probe", "plans.machine.again", "plans.machine.diff", "render.cloud_config",
                 "render.user_data", "render.yaml_text"}  # fmt: skip
"""What doctor looks at, what a machine that stands differs in, and what cloud-init reads."""


def test_what_few_new_machines_have_is_imported_where_it_is_planned() -> None:
    names = said("import sys, raptorctl.plans.machine.provision; print(*sys.modules)").split()
    found = {name.removeprefix("raptorctl.") for name in names if name.startswith("raptorctl.")}
    assert {name for name in found if name.startswith("steps.")} == {f"steps.{n}" for n in ALWAYS}
    assert not OTHERS & found
