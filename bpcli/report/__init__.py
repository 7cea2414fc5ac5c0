"""Pages for people: the report of a run, the page to draw on, and the page of a training step."""
