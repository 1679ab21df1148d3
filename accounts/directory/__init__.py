"""Links between the users of this site and the user pool."""
