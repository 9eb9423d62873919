"""What may be asked of a host: ports without code. `raptorctl.host` answers on a real one."""
