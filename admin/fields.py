"""Fields that several screens use."""

from collections.abc import Mapping
from typing import Any

from wtforms import SelectMultipleField
from wtforms.fields.choices import SelectChoice
from wtforms.widgets import CheckboxInput, ListWidget


class Several(SelectMultipleField):
    """Choices with a box each."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


def options(labels: Mapping[Any, str]) -> list[SelectChoice]:
    """Value -> label, as WTForms wants them."""
    return [SelectChoice(value, label) for value, label in labels.items()]
