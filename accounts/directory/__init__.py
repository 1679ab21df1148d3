"""How the users of this site match the user pool."""
