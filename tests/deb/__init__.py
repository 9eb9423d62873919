"""The Debian package: built, and tried out, in chroots of Debian 13."""
