"""The page: the host in a browser. The extra `web`; the command line imports it only for `web`."""
