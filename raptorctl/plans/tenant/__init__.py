"""Plans for tenants."""
