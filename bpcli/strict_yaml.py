"""A strict YAML reader for configurations: small, shallow, no aliases, merge keys, tags or duplicate keys."""

import codecs
from typing import Any

import yaml

from bpcli.errors import ConfigError

MAX_LENGTH = 64 * 1024  # bytes; the longest preset has about 3,000
DEEPEST = 16  # levels of nesting
MAX_NODES = 5000  # keys, values and collections; the longest value is a list of 1,000 milestones
MAX_NUMBER = 100  # characters; Python refuses to print integers of more than 4,300 digits, even in a message
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")


def parse_yaml(content: bytes, source: str) -> object:
    """Return the plain data in a YAML text; None if it is empty.

    Args:
        content: the text, in UTF-8, or in UTF-16 with its mark, as PowerShell 5 writes what a command prints.
        source: the name of the text in messages.

    Raises:
        ConfigError: the text is too long or too deep, is not YAML, or uses features that configurations don't need.
    """
    if len(content) > MAX_LENGTH:
        raise ConfigError(f"{source}: longer than {MAX_LENGTH // 1024} KiB, which no configuration needs")
    try:
        tree: object = yaml.load(_decoded(content), _StrictLoader)  # noqa: S506 (a SafeLoader)  # nosec B506
    except UnicodeDecodeError as error:
        raise ConfigError(f"{source}: not UTF-8 text, at byte {error.start}") from None
    except yaml.MarkedYAMLError as error:
        raise ConfigError(f"{source}{_place(error)}: not valid here: {_flat(error.problem)}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{source}: not YAML: {_flat(str(error))}") from None
    except (ValueError, OverflowError) as error:  # such as the date 2026-13-45, or a number with 5,000 digits
        raise ConfigError(f"{source}: holds a value that can't be read: {_flat(str(error))}") from None
    return tree


def _decoded(content: bytes) -> str:
    marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return content.decode("utf-16" if marked else "utf-8-sig")


def to_text(tree: object) -> str:
    """Return plain data as YAML that `parse_yaml` reads back."""
    text: str = yaml.dump(tree, Dumper=_PlainDumper, sort_keys=False, default_flow_style=None)
    return text


def to_line(value: object) -> str:
    """Return a value as YAML in one line that `parse_yaml` reads back, to stand after a key."""
    style = '"' if isinstance(value, str) and "\n" in value else None
    text: str = yaml.safe_dump(value, default_flow_style=True, default_style=style, width=float("inf"))
    return text.removesuffix("...\n").strip()


class _PlainDumper(yaml.SafeDumper):
    """PyYAML's safe dumper; it writes a list that occurs twice out twice, as `parse_yaml` refuses aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


class _StrictLoader(yaml.SafeLoader):
    """PyYAML's safe loader; it also refuses everything that can hide or multiply content."""

    depth = nodes = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            raise _refusal("aliases (*name) are not allowed", event)
        if event.tag is not None:  # PyYAML fails with a KeyError or an IndexError at some tags of its own
            raise _refusal("tags (!name) are not allowed", event)
        self.depth += 1
        self.nodes += 1
        if self.depth > DEEPEST:
            raise _refusal(f"nested deeper than {DEEPEST} levels", event)
        if self.nodes > MAX_NODES:
            raise _refusal(f"more than {MAX_NODES:,} keys and values", event)
        node = super().compose_node(parent, index)
        if node is not None and node.tag in _NUMBERS and len(node.value) > MAX_NUMBER:
            raise _refusal(f"a number of more than {MAX_NUMBER} characters", event)
        self.depth -= 1
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                raise _refusal("merge keys (<<) are not allowed", key)
            if not isinstance(key, yaml.ScalarNode):
                raise _refusal("a key must be a plain word", key)
            if key.value in seen:
                raise _refusal(f"duplicate key {key.value!r}", key)
            seen.add(key.value)
        # the plain constructor, not SafeConstructor's, which would unfold merge keys
        return yaml.constructor.BaseConstructor.construct_mapping(self, node, deep=deep)


def _refusal(problem: str, at: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=at.start_mark)


def _place(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark
    return f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""


def _flat(text: str | None) -> str:
    """Return the text in one line of printable characters."""
    return "".join(c if c.isprintable() else " " for c in " ".join((text or "").split()))
