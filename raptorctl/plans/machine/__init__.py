"""Plans for machines."""
