"""Conversion of people's pictures of digits to MNIST's format."""
