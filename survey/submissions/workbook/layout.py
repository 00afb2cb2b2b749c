"""Positions and names in the workbook of a sheet; its writer and its reader use the same ones."""

LAYOUT = "ndrs-workbook-1"
ABOUT, LISTS, FORM = "about", "lists", "form"
FIRST_ROW = 6  # of the form; above stand title, unit, hints and heads
