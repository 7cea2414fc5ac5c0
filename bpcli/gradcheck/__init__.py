"""The proof that gradients are right: formulas, graphs and differences that share nothing with the network."""
