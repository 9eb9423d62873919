"""Who may do what: accounts, polkit, sockets, limits."""
