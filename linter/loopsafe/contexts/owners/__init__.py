"""Whose loop an object is on."""
