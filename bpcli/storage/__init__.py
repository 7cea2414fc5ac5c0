"""Files that outlive a command: checkpoints, the folders of runs and series, locks."""
