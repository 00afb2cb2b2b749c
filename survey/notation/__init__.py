"""How people write numbers, dates and names: the one place where text becomes a value. Pure, and without units.

Pages, pasted cells, workbooks, frame files, series from outside and the interface for machines all read through these
modules, so that the same text means the same everywhere.
"""
