"""Fields that several screens use."""

from wtforms import SelectMultipleField
from wtforms.widgets import CheckboxInput, ListWidget


class Several(SelectMultipleField):
    """Choices with a box each."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()
