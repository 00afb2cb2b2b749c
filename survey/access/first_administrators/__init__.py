"""Accounts of the three administrators of a new installation."""
