"""Ten minutes of mixed load while things break, and a checker that compares what people were told
with what the database holds (`make chaos`)."""
