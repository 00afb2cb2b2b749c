"""Print the states of a sheet and their transitions, as a table or as a Graphviz diagram."""

from typing import Any

from django.core.management.base import CommandParser

from survey.management.base import SurveyCommand
from survey.submissions.lifecycle.states import OWNERS, TRANSITIONS


class Command(SurveyCommand):
    """``print_states`` for reading, ``print_states --dot | dot -Tsvg`` for a drawing."""

    help = "Prints states, actions, permissions and policies of an answer sheet."

    def add_arguments(self, parser: CommandParser) -> None:
        """Argument: the format."""
        parser.add_argument("--dot", action="store_true", help="Graphviz instead of a table")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the transitions of the state machine."""
        self.stdout.write(self._dot() if options["dot"] else self._table())

    def _table(self) -> str:
        lines = [f"{'from':16} {'action':16} {'to':16} {'permission':13} {'level':11} policies"]
        for (state, action), move in TRANSITIONS.items():
            lines.append(
                f"{state:16} {action:16} {move.target:16} {move.permission:13} {move.level:11} "
                f"{', '.join(move.policies)}"
            )
        return "\n".join(lines)

    def _dot(self) -> str:
        nodes = [
            f'  {state.value} [label="{state.value}\\n({owner.value})"];' for state, owner in OWNERS.items()
        ]
        edges = [
            f'  {state.value} -> {move.target.value} [label="{action.value}"];'
            for (state, action), move in TRANSITIONS.items()
        ]
        return "\n".join(["digraph sheet {", *nodes, *edges, "}"])
