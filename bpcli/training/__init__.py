"""The training loop as a generator of events, checkpoints, and the folder of a run."""
