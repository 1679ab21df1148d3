"""Attacks on a rehearsed site while honest users work on it (`make hostile`)."""
