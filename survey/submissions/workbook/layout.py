"""Positions and names in the workbook of a sheet; shared by writer and reader."""

LAYOUT = "ndrs-workbook-1"
ABOUT, LISTS, FORM = "about", "lists", "form"
FIRST_ROW = 6  # of the form; above are title, unit, hints and heads
