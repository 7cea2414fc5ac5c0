"""Tests of bpcli.data.folder."""
