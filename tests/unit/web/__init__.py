"""The page, on a host in memory."""
