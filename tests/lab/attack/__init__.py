"""What a tenant might try, as programs that run in the lab under his own account."""
