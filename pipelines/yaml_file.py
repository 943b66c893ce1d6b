"""Configuration files: plain YAML, whoever wrote it.

Nothing but mappings, lists and scalars is made of a file. Aliases are refused, since ten
lines of them can stand for a billion values; so are objects of Python, keys that are given
twice, and what is larger or nested deeper than any configuration.
"""

from __future__ import annotations

from typing import Any

import yaml

from transforms.errors import UsageError

__all__ = ["parse_yaml"]

_MAX_BYTES = 1 << 18
_MAX_DEPTH = 32


class _RefusedError(yaml.YAMLError):
    """What YAML allows and a configuration does not."""


class _Loader(yaml.SafeLoader):
    def __init__(self, stream: bytes) -> None:
        super().__init__(stream)
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Refuses aliases and depth before anything is made of them."""
        if self.check_event(yaml.AliasEvent):
            raise _RefusedError("it has an alias (`*name`); write the value out")
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise _RefusedError(f"it is nested more than {_MAX_DEPTH} deep")
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Refuses a key that is given twice: the first value would vanish."""
        seen: set[str] = set()
        for key, _ in node.value:
            name = str(key.value)[:200]
            if name in seen:
                raise _RefusedError(f"the key {name!r} is given twice; keep one of them")
            seen.add(name)
        return super().construct_mapping(node, deep)

    def refuse_tag(self, node: yaml.Node) -> Any:
        """Names the tag and the way out."""
        line = node.start_mark.line + 1
        raise _RefusedError(
            f"line {line} asks for an object, {str(node.tag)[:80]!r}, and none is made of a "
            "configuration; write plain values"
        )


_Loader.add_constructor(None, _Loader.refuse_tag)


def parse_yaml(data: bytes, name: str) -> dict[str, Any]:
    """Reads a configuration.

    Args:
        data: The file.
        name: Of the file, for messages.

    Raises:
        UsageError: It is no YAML, holds what is refused, or is no mapping.
    """
    if len(data) > _MAX_BYTES:
        raise UsageError(f"configuration {name} has {len(data)} bytes, at most {_MAX_BYTES} do")
    try:
        loaded = yaml.load(data, _Loader)  # noqa: S506  # a safe loader, made stricter
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        told = " ".join(str(error).split())[:500]
        raise UsageError(f"configuration {name} is no YAML that can be used: {told}") from error
    if not isinstance(loaded, dict):
        raise UsageError(f"configuration {name} holds no mapping of keys to values")
    return loaded
