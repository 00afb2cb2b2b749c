"""A part of a template that is written over several lines and rendered as one."""

import re

from django.template import Context, Library, Node, NodeList
from django.template.base import Parser, TextNode, Token
from django.utils.safestring import SafeString

register = Library()

LINE_BREAK = re.compile(r"\n\s*")


class OnelineNode(Node):
    """The nodes between the tags, without the line breaks and the indentation of the source."""

    def __init__(self, nodelist: NodeList) -> None:
        self.nodelist = nodelist
        for node in nodelist.get_nodes_by_type(TextNode):
            if isinstance(node, TextNode):
                node.s = LINE_BREAK.sub("", node.s)

    def render(self, context: Context) -> SafeString:
        """Render the nodes; values that hold line breaks keep them."""
        return self.nodelist.render(context)


@register.tag
def oneline(parser: Parser, token: Token) -> OnelineNode:
    """``{% oneline %} … {% endoneline %}``: for templates whose rendered bytes are published and must not change."""
    nodelist = parser.parse(("endoneline",))
    parser.delete_first_token()
    return OnelineNode(nodelist)
