"""What runs in a machine: logins, first boot, consoles' logs."""
