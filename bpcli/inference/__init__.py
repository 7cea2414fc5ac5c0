"""What trained networks answer, and how good the answers are."""
