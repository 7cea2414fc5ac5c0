"""The contenders: each a process of its own that does training steps when it is asked to."""
