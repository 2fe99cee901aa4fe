"""Fields that several screens use."""

from collections.abc import Iterable, Mapping
from typing import Any

from wtforms import SelectMultipleField
from wtforms.fields.choices import SelectChoice  # pyright: ignore[reportAttributeAccessIssue]  # newer than its stubs
from wtforms.widgets import CheckboxInput, ListWidget


class Several(SelectMultipleField):
    """Choices with a box each."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


def options(labels: Mapping[Any, str] | Iterable[str]) -> Any:
    """Value -> label (or values that are their own labels), as WTForms wants them."""
    pairs = labels.items() if isinstance(labels, Mapping) else ((label, label) for label in labels)
    return [SelectChoice(value, label) for value, label in pairs]
