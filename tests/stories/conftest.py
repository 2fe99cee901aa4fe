"""The warm stack of the stories: everything `make run` starts, once for all of them."""

import pytest

from tests.stories.stack import Stack, running_stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory):
    """The whole product with its demo data, as real processes; restarted by its supervisor when a story kills them."""
    with running_stack() as running:
        yield running


__all__ = ["Stack"]
