"""The tag of the published page: lines of the source are no lines of the bytes."""

from django.template import Context, Template

SOURCE = """{% load oneline %}<ul>
  {% oneline %}
    <li{% if late %} class="late"{% endif %}>
      {{ name }} {% for one in marks %}<sup>{{ one }}</sup>{% endfor %}
    </li>
  {% endoneline %}
</ul>"""


def test_line_breaks_of_the_source_are_removed_and_those_of_a_value_remain() -> None:
    context = Context({"late": True, "name": "first\n  second", "marks": [1, 2]})
    expected = '<ul>\n  <li class="late">first\n  second <sup>1</sup><sup>2</sup></li>\n</ul>'
    assert Template(SOURCE).render(context) == expected
