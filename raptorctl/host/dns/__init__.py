"""The name server: what it holds, and updates (RFC 2136)."""
