"""How a sign-in lives and ends."""
