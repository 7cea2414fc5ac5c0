"""The mathematics: arrays in, arrays out; no files, no clock, no printing, no global random state."""
