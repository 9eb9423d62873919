"""Pure: nouns to text and back. Nothing here reads or writes a file."""
