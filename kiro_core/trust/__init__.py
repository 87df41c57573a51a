"""Which folders may start commands: nothing from a working directory runs before its user agreed."""
