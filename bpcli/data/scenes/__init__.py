"""Scenes: MNIST digits in synthetic pictures like those that people take, to measure robustness.

A digit and a random generator determine a scene.
"""
