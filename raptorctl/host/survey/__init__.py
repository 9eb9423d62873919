"""Looks at the whole host."""
