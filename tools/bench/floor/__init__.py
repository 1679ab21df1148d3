"""The floor: our settings, middleware and server, and a view that returns a constant."""
