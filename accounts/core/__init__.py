"""Tools that every other package of `accounts` uses."""
