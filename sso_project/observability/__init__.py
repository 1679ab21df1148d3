"""What operators see: health, metrics and logs."""
