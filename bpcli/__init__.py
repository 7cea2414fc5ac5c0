"""bpcli: backpropagation you can read, check and run, in NumPy."""

__version__ = "0.2.0"
