"""B9 build files, which hold one value in Haskell's syntax: text to nouns."""
