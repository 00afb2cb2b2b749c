"""Marks and names in the workbook of a sheet; shared by writer and reader.

Hidden marks say where the answers stand, so that columns and rows may be inserted and moved: row 1 of a worksheet has
the codes of its columns, column A the keys of its rows. The cell where both begin has the name of the worksheet.
"""

LAYOUT = "ndrs-workbook-2"
FIRST_LAYOUT = "ndrs-workbook-1"  # without codes of the columns of the form; downloaded before the second
ABOUT, LISTS, FORM = "about", "lists", "form"
MARKS = (FORM, "code", "label", "last_year", "answer", "unit", "definition")  # of the columns of the form
ROW = "row"  # of the column of a table that numbers its rows
FIRST_ROW = 6  # of the form; above are title, unit, hints and heads
OPTION = "#"  # between the code of a multiple choice and that of an option
TICK = "✓"
MOST_OPTIONS = 40  # of a multiple choice that has a row for each of its options
