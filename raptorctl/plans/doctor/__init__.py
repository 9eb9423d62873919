"""What does not belong on a host, and what is missing."""
