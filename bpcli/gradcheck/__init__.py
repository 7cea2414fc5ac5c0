"""The gradient check: formulas, graphs and differences that share nothing with the network."""
