"""What is stored about a user, and how it is exported or erased."""
