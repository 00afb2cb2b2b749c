"""Migrations of an app that has none, for the tests of ``manage.py migrate``."""
