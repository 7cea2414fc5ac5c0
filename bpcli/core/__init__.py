"""The mathematics: functions from arrays to arrays, without files, clock, printing or global random state."""
