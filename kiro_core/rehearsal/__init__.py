"""A deterministic ACP version 1 agent in its own process, for trying, testing and fault injection.

Started with `python -m kiro_core.rehearsal`. It uses the standard library only, so that it starts fast
and shares no code with what it tests. `directives.DIRECTIVES` is what a prompt can make it do,
`features.FEATURES` what can be switched on its command line, and `likes` holds the engines that it can be like.
"""
