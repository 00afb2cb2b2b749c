"""Mutation tests by command: small changes of the program that no test notices.

``uv run --group mutation python -m tests.mutation --share 0.02`` changes one place at a time, in memory and not on
the disk, runs the tests that reach its line, and lists the changes that no test noticed.

The tests of a target are collected and measured once (``session``); each mutant is a fork of that process in which the
loaded functions get the changed code (``replacement``). Changes of what runs during an import, and those that survived
in the fork, are tried by a process that imports the program anew.
"""
