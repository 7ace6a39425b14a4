"""What holds for every value of the core: it stays as it was built, and is built by names."""

import pkgutil
from dataclasses import FrozenInstanceError, fields, is_dataclass
from importlib import import_module
from typing import Any

import pytest

import anchor

MODULES = [
    import_module(f"anchor.{module.name}") for module in pkgutil.iter_modules(anchor.__path__) if not module.ispkg
]
VALUES = sorted(
    {
        thing
        for module in MODULES
        for thing in vars(module).values()
        if isinstance(thing, type) and is_dataclass(thing) and thing.__module__ == module.__name__
    },
    key=lambda kind: kind.__qualname__,
)


@pytest.mark.parametrize("kind", VALUES, ids=lambda kind: kind.__qualname__)
def test_a_value_stays_as_it_was_built(kind: Any) -> None:
    # A verdict, a proof or a policy that was checked must not be another when it is used.
    value = object.__new__(kind)
    name = fields(kind)[0].name
    with pytest.raises(FrozenInstanceError):
        setattr(value, name, None)
    with pytest.raises(FrozenInstanceError):
        delattr(value, name)
    assert not hasattr(value, "__dict__")


@pytest.mark.parametrize("kind", VALUES, ids=lambda kind: kind.__qualname__)
def test_a_value_is_built_by_names(kind: Any) -> None:
    # Root and salt, leaf index and size are of one type each: in the wrong order nobody would see it.
    with pytest.raises(TypeError, match="takes 1 positional argument but 2 were given"):
        kind(None)
