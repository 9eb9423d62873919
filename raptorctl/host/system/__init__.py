"""The machine itself: programs, files, CPUs, accounts' sessions."""
