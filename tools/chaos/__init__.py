"""Load with injected faults, and a check of the database afterwards (`make chaos`)."""
