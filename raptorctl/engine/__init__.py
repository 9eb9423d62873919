"""Applies plans: journal, lock, rollback, recovery. Knows Step and Plan; nothing of LVM or DNS."""
