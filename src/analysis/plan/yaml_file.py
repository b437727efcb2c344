"""YAML files read with their line numbers, so that a mistake in one can be pointed at."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from analysis.plan.errors import BadInput, Problem, bad_input

MOST_BYTES = 1 << 20
DEEPEST = 30
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class YamlDocument:
    """A YAML file's content and the tree of nodes that knows the lines."""

    content: dict
    root: yaml.Node

    def line(self, *keys: str | int) -> int:
        """Return the line of the innermost of `keys` that is in the file (1 = the first line)."""
        node, line = self.root, self.root.start_mark.line + 1
        for key in keys:
            found = _child(node, key)
            if found is None:
                break
            line, node = found
        return line


def _child(node: yaml.Node, key: str | int) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key_node, value_node in node.value:
            if key_node.value == str(key):
                return key_node.start_mark.line + 1, value_node
    if isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
        return node.value[key].start_mark.line + 1, node.value[key]
    return None


class _Loader(yaml.SafeLoader):
    """Safe YAML in which a date stays text, for the model to check, and what hides or multiplies values is a mistake.

    That is: a key given twice, an alias (some lines of them can stand for gigabytes), a tag, nesting without end.
    """

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own way
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: object) -> yaml.Node:
        event = self.peek_event()
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise _not_allowed("anchors and aliases (& and *) are not allowed: write the value out", event)
        if getattr(event, "tag", None) is not None:
            raise _not_allowed("tags (!) are not allowed: leave the tag out", event)
        if self._depth == DEEPEST:
            raise _not_allowed(f"values are nested more than {DEEPEST} deep", event)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        seen = set()
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise _not_allowed("a key must be a single word or text", key_node)
            if key_node.value in seen:
                raise _not_allowed(f"key {key_node.value!r} is given twice", key_node)
            seen.add(key_node.value)
        return super().construct_mapping(node, deep)


def _not_allowed(problem: str, where: yaml.Node | yaml.Event) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(None, None, problem, where.start_mark)


def load_yaml(path: Path, *, source: str) -> YamlDocument:
    """Read one YAML mapping; `source` is the file's name in messages.

    Raises
    ------
    BadInput
        The file cannot be read, is larger than a megabyte, not UTF-8, not YAML, or not a mapping; or it has anchors,
        aliases or tags, which no file of ours needs.
    """
    text = _text(path, source)
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
        content = loader.construct_document(root) if root is not None else None
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        raise bad_input(
            source,
            f"is not valid YAML ({getattr(error, 'problem', None) or error})",
            rule="yaml",
            line=mark.line + 1 if mark else None,
        ) from error
    finally:
        loader.dispose()
    if not isinstance(content, dict):
        raise bad_input(source, "must be a mapping of keys to values", rule="yaml")
    return YamlDocument(content, root)


def _text(path: Path, source: str) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        message = f"cannot be read ({error.strerror}); check the file's permissions"
        raise bad_input(source, message, rule="unreadable_file") from error
    if len(content) > MOST_BYTES:
        raise bad_input(source, "is larger than 1 MB, which no file of this kind needs to be", rule="yaml")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise bad_input(source, "is not UTF-8 text; save it as UTF-8", rule="encoding") from error


def validated(model: type[Model], document: YamlDocument, *, source: str) -> Model:
    """Return the document's content as `model`.

    Raises
    ------
    BadInput
        With one problem per mistake, each with its line.
    """
    try:
        return model.model_validate(document.content)
    except ValidationError as error:
        raise BadInput([_problem(e["loc"], e["msg"], document, source) for e in error.errors()]) from error


def _problem(location: Sequence[str | int], message: str, document: YamlDocument, source: str) -> Problem:
    where = ".".join(str(part) for part in location)
    message = message.removeprefix("Value error, ")
    if message == "Extra inputs are not permitted":
        message = "is not a key that the contract knows; check its spelling"
    return Problem(
        severity="error",
        table="study",
        source=source,
        rows=1,
        example_rows=(document.line(*location),),
        rule="study_file",
        message=f"{where}: {message}" if where else message,
        action="rejected",
    )
