"""The parts of the report that pages use: the outline, and single pictures. Pure."""

from estimation.releases.content.content import Content
from estimation.report.figures.figures import complete
from estimation.report.outline import Outline, outline


def outline_of(content: Content, language: str) -> Outline:
    """The document in a language."""
    return outline(content, complete(content), language)


def picture_of(content: Content, code: str, language: str) -> str | None:
    """SVG of a figure, None when the report has no such figure. The same bytes as the file of the release."""
    # Only who draws loads the library of charts; workers and commands start sooner without it.
    from estimation.report.figures.charts import chart
    from estimation.report.figures.drawing import draw

    figure = next((candidate for candidate in complete(content) if candidate.code == code), None)
    return None if figure is None else draw(chart(content, figure, language))
