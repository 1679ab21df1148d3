"""Models of a host project, with every kind of relation to the user."""
