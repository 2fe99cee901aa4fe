"""Shelves: packages that hold many modules of one shape. To add one, add one file."""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any, Generic, TypeVar, cast

Shape = TypeVar("Shape")


class Shelf(Mapping[str, Shape], Generic[Shape]):
    """The modules of a package by name, loaded on first use.

    `Shelf[Connector]("app.connectors", skip={"kinds"})["stripe"]` is the module `app/connectors/stripe.py`.
    Raises KeyError for a name that is not on the shelf.
    """

    def __init__(self, package: str, *, skip: frozenset[str] = frozenset()) -> None:
        self._package = package
        self._skip = skip
        self._modules: dict[str, Shape] | None = None

    def _loaded(self) -> dict[str, Shape]:
        if self._modules is None:
            package: ModuleType = importlib.import_module(self._package)
            names = sorted(
                info.name for info in pkgutil.iter_modules(package.__path__) if not info.name.startswith("_")
            )
            self._modules = {
                name: cast(Any, importlib.import_module(f"{self._package}.{name}"))
                for name in names
                if name not in self._skip
            }
        return self._modules

    def put(self, name: str, module: Any) -> None:
        """A module of a room above, which this package may not know. Its room puts it here when it is opened."""
        self._loaded()[name] = module

    def __getitem__(self, name: str) -> Shape:
        return self._loaded()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._loaded())

    def __len__(self) -> int:
        return len(self._loaded())
