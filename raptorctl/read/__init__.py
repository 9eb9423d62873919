"""Text, as people and programs write it, to nouns. Pure."""
