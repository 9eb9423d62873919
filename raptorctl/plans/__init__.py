"""Pure planners: request, settings and facts become a plan. No driver is ever seen here."""
