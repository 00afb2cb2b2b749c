"""Storages of the files that web processes and workers exchange, chosen by the environment."""
