"""How fast bpcli is, side by side with others: `python -m benchmarks`, or `make bench`."""
