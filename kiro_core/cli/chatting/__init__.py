"""A conversation at the terminal, or through a pipe: what `kiro-core chat` does."""
