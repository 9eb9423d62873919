"""What plans of machines have in common: disk, CPUs, slot, records, seed."""
