"""Which Django user an identity belongs to, and what the user may do."""
