"""What the official suite asks of a server by fixed names: tools, resources and prompts that no product has."""
