"""Health checks, metrics and logs: how operators observe the site."""
