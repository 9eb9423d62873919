"""The front door below the command line: what may be asked of a host, printing nothing."""
