"""Folders of pictures as data sets: listed, prepared once, kept in a cache, and split by their content."""
