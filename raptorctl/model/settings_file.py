"""Where the settings are: known before the nouns that they are read into."""

from typing import Final

DEFAULT_FILE: Final = "/etc/raptorctl/settings.toml"
