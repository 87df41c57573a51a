"""Which MCP servers a session gets, from every place that may name one."""
