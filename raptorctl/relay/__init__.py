"""What stands between tenants and libvirtd's socket; a daemon of its own, standard library only."""
