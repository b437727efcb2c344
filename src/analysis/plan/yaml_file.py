"""YAML files read with their line numbers, so that a mistake in one can be pointed at."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from yaml.composer import Composer
from yaml.constructor import SafeConstructor
from yaml.cyaml import CParser
from yaml.resolver import Resolver

from analysis.plan.errors import Action, BadInput, Problem, Severity, bad_input
from analysis.plan.paths import LEADS_OUT, leads_out

MOST_BYTES = 1 << 20
DEEPEST = 30
# How libyaml calls the escape of a half of a character.
NO_CHARACTER = "found invalid Unicode character escape code"
HALF_A_CHARACTER = "holds half a character, which no file can hold; take it out"
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


class _Loader(Composer, CParser, SafeConstructor, Resolver):
    """Safe YAML in which a date stays text, for the model to check, and what hides or multiplies values is a mistake.

    That is: a key given twice, an alias (some lines of them can stand for gigabytes), a tag, nesting without end.
    libyaml parses, ten times as fast as PyYAML's own parser: the profiles alone are 22 files.
    """

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own way
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    _depth = 0

    def __init__(self, text: str):
        CParser.__init__(self, text)
        for base in (Composer, SafeConstructor, Resolver):
            base.__init__(self)

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


def load_yaml(path: Path, *, source: str, within: Path | None = None) -> YamlDocument:
    """Read one YAML mapping; `source` is the file's name in messages, `within` the folder that it must lie in.

    Raises
    ------
    BadInput
        The file cannot be read, is larger than a megabyte, not UTF-8, not YAML, or not a mapping; or it has anchors,
        aliases or tags, which no file of ours needs; or it is a link that leads out of its folder.
    """
    if leads_out(path, within):
        raise bad_input(source, LEADS_OUT, rule="leaves_study")
    text = _text(path, source)
    loader = _loader(text, source)
    try:
        root = loader.get_single_node()
        content = loader.construct_document(root) if root is not None else None
    except (yaml.YAMLError, ValueError) as error:
        mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None) or error
        raise bad_input(
            source,
            HALF_A_CHARACTER if problem == NO_CHARACTER else f"is not valid YAML ({problem})",
            rule="yaml",
            line=mark.line + 1 if mark else None,
        ) from error
    finally:
        loader.dispose()
    if not isinstance(content, dict):
        raise bad_input(source, "must be a mapping of keys to values", rule="yaml")
    return YamlDocument(content, root)


def _loader(text: str, source: str) -> _Loader:
    try:
        yaml.reader.Reader(text)  # tells where the character is
        return _Loader(text)
    except yaml.reader.ReaderError as error:
        raise bad_input(
            source,
            "holds a control character, which YAML does not allow; take it out",
            rule="yaml",
            line=text.count("\n", 0, error.position) + 1,
        ) from error


def _text(path: Path, source: str) -> str:
    if path.is_dir():
        raise bad_input(source, "is a folder; put a file of that name in its place", rule="unreadable_file")
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


Location = tuple[str | int, ...]
Places = dict[str | int, list[int]]
_GONE = object()
# Each round leaves out all that it sees: a file of ours needs three.
MOST_ROUNDS = 10


@dataclass(frozen=True)
class ReadAsFar(Generic[Model]):
    """A file read as far as it can be.

    Attributes
    ----------
    model
        What of the file is valid, with stand-ins for the rest.
    problems
        Every mistake, each with its line.
    left_out
        The keys of the file of which something was left out.
    """

    model: Model
    problems: tuple[Problem, ...]
    left_out: frozenset[str]


def read_as_far(
    model: type[Model], document: YamlDocument, *, source: str, stand_ins: Mapping[Location, object]
) -> ReadAsFar[Model]:
    """Return the document's content as `model`, with every mistake told and what is wrong left out.

    Parameters
    ----------
    model
        It may add what its parts say against each other to the list that it is given as context: pairs of a location
        and a message.
    stand_ins
        Required key (without positions in lists) → what it is read as where the file has none that is valid.
        An entry of a list that lacks another required key is left out whole.

    Raises
    ------
    BadInput
        Nothing of the file can be used.
    """
    content, problems, left_out = copy.deepcopy(document.content), [], set()
    # which entry of the file each entry of a list is, once others have been left out
    places: Places = {key: list(range(len(value))) for key, value in content.items() if isinstance(value, list)}
    for n_round in range(MOST_ROUNDS):
        against: list[tuple[Location, str]] = []
        try:
            found = model.model_validate(content, context=against)
        except ValidationError as error:
            found_now = error.errors()
            inner = {one["loc"][:-1] for one in found_now}
            for one in found_now:
                if one["type"] == "too_short" and one["loc"] in inner:
                    continue  # pydantic counts the entries that are right
                # what is missing in a later round was left out by us
                if one["type"] != "missing" or not n_round:
                    problems.append(_problem(_in_file(one["loc"], places), one["msg"], document, source))
                left_out.add(str(one["loc"][0]) if one["loc"] else "")
                _leave_out(content, one["loc"], one["type"] == "missing", stand_ins)
            _take_out_gone(content, places)
            continue
        problems += [_problem(_in_file(at, places), message, document, source, named=False) for at, message in against]
        return ReadAsFar(found, tuple(problems), frozenset(left_out))
    raise BadInput(problems)


def _in_file(location: Location, places: Places) -> Location:
    """Return where in the file a location of the left_out content stands."""
    if len(location) > 1 and isinstance(location[1], int) and location[0] in places:
        return (location[0], places[location[0]][location[1]], *location[2:])
    return location


def _leave_out(content: dict, location: Location, is_missing: bool, stand_ins: Mapping[Location, object]) -> None:
    """Give a missing key its stand-in, and mark anything else that is wrong as gone, with as little else as can be.

    That is a key of a mapping; in a list of mappings the key of an entry, where it has a stand-in or need not be there.
    """
    top, *rest = location or ("",)
    key = tuple(part for part in location if isinstance(part, str))
    entries = content.get(top)
    if not isinstance(entries, list):
        if is_missing and not rest:
            content[top] = stand_ins.get(key, _GONE)
        elif rest and isinstance(entries, dict):
            _without_inner(entries, rest[:2])
        else:
            content[top] = _GONE
        return
    place = rest[0] if rest and isinstance(rest[0], int) else None
    entry = _GONE if place is None else entries[place]
    if is_missing and key in stand_ins and isinstance(entry, dict):
        entry[rest[-1]] = stand_ins[key]
    elif isinstance(entry, dict) and len(rest) > 1 and rest[1] in entry and _has_stand_ins(top, stand_ins):
        del entry[rest[1]]
    elif isinstance(entry, dict) and place is not None:
        entries[place] = _GONE
    else:
        content[top] = _GONE


def _has_stand_ins(top: str | int, stand_ins: Mapping[Location, object]) -> bool:
    return any(len(key) > 1 and key[0] == top for key in stand_ins)


def _without_inner(entries: dict, location: Sequence[str | int]) -> None:
    first, *rest = location
    inner = entries.get(first)
    if rest and isinstance(inner, dict) and rest[0] in inner:
        del inner[rest[0]]
    else:
        entries.pop(first, None)


def _take_out_gone(content: dict, places: Places) -> None:
    for key in [key for key, value in content.items() if value is _GONE]:
        del content[key]
    for key, value in content.items():
        if isinstance(value, list) and key in places:
            stays = [n for n, entry in enumerate(value) if entry is not _GONE]
            content[key] = [value[n] for n in stays]
            places[key] = [places[key][n] for n in stays]


def _problem(
    location: Sequence[str | int], message: str, document: YamlDocument, source: str, named: bool = True
) -> Problem:
    where = ".".join(str(part) for part in location)
    message = message.removeprefix("Value error, ")
    if "unicode" in message:
        message = HALF_A_CHARACTER
    if message == "Extra inputs are not permitted":
        message = "is not a key that the contract knows; check its spelling"
    told = f"{where}: {message}" if where and named else message
    return study_problem(told, document.line(*location), source=source)


def study_problem(
    message: str,
    line: int,
    *,
    source: str = "study.yaml",
    rule: str = "study_file",
    severity: Severity = "error",
) -> Problem:
    """Return a problem of one line of a study's own file."""
    action: Action = "rejected" if severity == "error" else "kept"
    return Problem(
        severity=severity,
        table="study",
        source=source,
        rows=1,
        example_rows=(line,),
        rule=rule,
        message=message,
        action=action,
    )
