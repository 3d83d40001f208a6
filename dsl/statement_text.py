"""One step as the statement that compiles to it, in canonical text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsl import nodes
from dsl.expression_text import text
from dsl.phrases import arm_head, phrase
from dsl.printer import item_lines
from dsl.step_reading import statement_of

if TYPE_CHECKING:
    from dsl.graph import Step


def statement_lines(step: Step) -> list[str]:
    """Return the lines of a step's statement; of what opens blocks, only the heads.

    Raises ValueError where no text can say the step.
    """
    statement = statement_of(step)
    match statement:
        case nodes.Branch(condition):
            return [f"if {text(condition)}"]
        case nodes.Switch(cases=arms) | nodes.Split(shares=arms):
            return [" ".join(phrase(statement)), *(f"  {arm_head(arm)}" for arm in arms)]
    return item_lines(statement)
