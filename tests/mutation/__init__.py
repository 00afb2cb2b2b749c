"""Mutation tests by command: small changes of the program that no test notices.

``uv run --group mutation python -m tests.mutation --share 0.02`` changes one place at a time, in memory and not on
the disk, runs the tests that reach its line, and lists the changes that no test noticed.
"""
