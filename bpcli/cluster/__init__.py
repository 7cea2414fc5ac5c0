"""Runs that workers train: the task, the engines that carry it, and series on them."""
