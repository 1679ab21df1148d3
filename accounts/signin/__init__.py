"""How a browser signs in."""
