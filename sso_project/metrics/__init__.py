"""What the site counts, for Prometheus: `definitions` what, `exposition` how it is read."""
