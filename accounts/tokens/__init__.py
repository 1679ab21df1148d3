"""What happens to tokens after they are verified."""
