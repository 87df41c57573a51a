"""What a session's agent may do: allowed, asked or denied, by one policy for every kind of session."""
