"""Scenes: MNIST digits put into pictures such as people take, to measure how well pictures are read.

Every scene is a function of a digit and a random generator.
"""
