"""Predictions of trained networks, and metrics of their quality."""
