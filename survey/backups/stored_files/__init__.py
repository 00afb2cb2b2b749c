"""Stored files compared with the rows that name them, every night and by ``manage.py check_files``."""
