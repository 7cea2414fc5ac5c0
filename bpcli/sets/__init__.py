"""Data sets that are known by name: a table for each, fetching, importing and the folder that keeps them."""
