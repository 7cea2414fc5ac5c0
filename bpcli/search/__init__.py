"""The search for settings: which trials there are, which of them go on, and which settings the next one tries."""
