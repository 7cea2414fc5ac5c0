"""The Python interface: load a network, train one, and an estimator by the conventions of scikit-learn."""
