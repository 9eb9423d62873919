"""Plans for files of machines."""
