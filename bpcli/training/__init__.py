"""Training: the steps, the loop as a generator of events, runs and series of runs."""
