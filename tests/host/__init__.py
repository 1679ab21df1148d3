"""Models as a site that takes `accounts` in may have them: every way of pointing at a person."""
