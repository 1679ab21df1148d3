"""What staff see and do in the admin."""
