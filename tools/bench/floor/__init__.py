"""The floor: our settings, our middleware, our server, and a view that says what it always says."""
