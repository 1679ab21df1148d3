"""The parts of a run, each with a `run(site, options)` that returns an Outcome."""
