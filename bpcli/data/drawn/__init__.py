"""Digits that no data set holds: drawn from strokes as other countries teach them, and printed."""
