"""What stands, as a file of machines."""

from raptorctl.api.session import Session
from raptorctl.model.machine import no_such_machine
from raptorctl.model.names import MachineName


def export(session: Session, tenant: str | None = None, machine: str | None = None) -> str:
    """Return the file of what stands: laid beside it by `diff`, nothing differs.

    Args:
        session: the host.
        tenant: only this one's machines.
        machine: only this one of them.

    Raises:
        MissingError: that machine is not there.
    """
    from raptorctl.plans.file.export import export
    from raptorctl.render.raptor_toml import SCHEMA, table_lines

    session.require_root()
    people = (tenant,) if tenant else ()
    found = export(session.settings, session.facts(people=people), tenant, machine)
    if tenant and machine and all(table.path[0] != "machine" for table in found):
        raise no_such_machine(MachineName(tenant, machine))
    lines = [
        line for table in found for line in table_lines(table.path, table.said, table.comments)
    ]
    return "\n".join([SCHEMA, *lines]) + "\n"
