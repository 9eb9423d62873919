"""The only code that touches the machine: one file per outside thing."""
