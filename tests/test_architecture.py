"""The house has rooms, and not every room may know every other: the table is here."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MAX_LINES = 400

# The leaves know each other at most: no database, no Flask.
LEAVES = {
    f"plunk.{name}"
    for name in (
        "addresses",
        "clock",
        "config",
        "errors",
        "expressions",
        "ids",
        "metrics",
        "outbound",
        "paging",
        "rendering",
        "security",
        "tracking",
        "values",
    )
}
PURE = {"plunk.conditions", "plunk.expressions", "plunk.errors"}
# Corners of the services without a database: pure rules that the simulation follows, too.
CALM = {f"plunk.services.{name}" for name in ("contact_data", "schedules", "variables")}
DATA = {"plunk.db", "plunk.models"}
SERVED = {"plunk.http", "plunk.schemas", "plunk.services", *CALM, *DATA, *LEAVES}

# room → the other rooms it may import
ROOMS: dict[str, set[str]] = {
    "app": {"plunk.application"},
    "dsl": set(),
    "plunk": set(),
    **dict.fromkeys(sorted(LEAVES), LEAVES),
    "plunk.conditions": {"plunk.errors"},
    "plunk.expressions": {"plunk.conditions", *LEAVES},  # they read times alike
    "plunk.engine": set(),
    "plunk.engine.core": PURE,
    "plunk.delivery": LEAVES,
    "plunk.db": {"plunk.conditions", *LEAVES},  # registers the functions it asks SQLite for
    "plunk.models": {"plunk.db", *LEAVES},
    "plunk.migrating": {"plunk.db", *LEAVES},
    "plunk.schemas": {"plunk.services", *DATA, *LEAVES},
    **{name: {"plunk.conditions", "plunk.engine.core", *CALM, *LEAVES} for name in CALM},
    "plunk.simulation": {"dsl", "plunk.engine.core", "plunk.conditions", *CALM, *LEAVES},
    "plunk.services": {
        "dsl",
        "plunk.simulation",
        *CALM,
        "plunk.conditions",
        "plunk.delivery",
        "plunk.engine.core",
        *DATA,
        *LEAVES,
    },
    "plunk.engine.shell": {
        "plunk.conditions",
        "plunk.delivery",
        "plunk.engine.core",
        "plunk.services",
        *CALM,
        *DATA,
        *LEAVES,
    },
    "plunk.http": SERVED,
    "plunk.api": SERVED,
    "plunk.dialects.flows": SERVED,
    "plunk.dialects.crm": SERVED,
    "plunk.web": SERVED,
    "plunk.worker": {
        "plunk.db",
        "plunk.delivery",
        "plunk.engine.shell",
        "plunk.logs",
        "plunk.services",
        *LEAVES,
    },
    "plunk.client": {"plunk.errors"},
    "plunk.logs": LEAVES,
    "plunk.pictures": {"plunk.errors"},
    "plunk.editing": {"dsl"},
    "plunk.smtp_sink": LEAVES,
}
ANYTHING = {"plunk.application", "plunk.cli"}
# Rooms that no other may enter, and who may all the same.
PRIVATE = {
    "plunk.application": {"app", "plunk.cli"},
    "plunk.cli": set(),
    "plunk.worker": {"plunk.cli"},
    "plunk.client": {"plunk.cli"},
    "plunk.migrating": {"plunk.cli", "plunk.application"},
}

# package from outside → the rooms, or single modules, that may import it
OUTSIDE: dict[str, set[str]] = {
    "aiosmtpd": {"plunk.cli", "plunk.smtp_sink"},
    "alembic": {"plunk.migrating"},
    "apispec": {"plunk.schemas.openapi"},
    "apscheduler": {"plunk.worker"},
    "certifi": {"plunk.outbound"},
    "click": {"plunk.cli"},
    "cronsim": {"plunk.services.schedules"},
    "cryptography": {"plunk.security"},
    "css_inline": {"plunk.rendering"},
    "flask": {"plunk.application", "plunk.http", "plunk.api", "plunk.dialects", "plunk.web"},
    "flask_sqlalchemy": {"plunk.db"},
    "granian": {"plunk.cli"},
    "fast_sugiyama": {"plunk.pictures"},
    "idna": {"plunk.outbound", "plunk.delivery"},
    "inscriptis": {"plunk.rendering"},
    "lark": {"dsl.parser", "dsl.syntax_errors"},
    "limits": {"plunk.http"},
    "orjson": {"plunk.db"},
    "liquid": {"plunk.rendering"},
    "markupsafe": {"plunk.api", "plunk.web"},
    "lsprotocol": {"plunk.editing"},
    "marshmallow": {"plunk.schemas", "plunk.http", "plunk.dialects"},
    "prometheus_client": {"plunk.metrics"},
    "pygls": {"plunk.editing"},
    "requests": {"plunk.client", "plunk.outbound"},
    "sqlalchemy": {
        "plunk.api.system",  # asks whether the database answers
        "plunk.cli",
        "plunk.conditions.sql",
        "plunk.db",
        "plunk.engine.shell",
        "plunk.http",
        "plunk.migrating",
        "plunk.models",
        "plunk.schemas.pages",  # lays the columns of a row beside other members
        "plunk.services",
        "plunk.worker",
    },
    "structlog": {
        "plunk.application",
        "plunk.cli",
        "plunk.engine.shell",
        "plunk.http",
        "plunk.logs",
        "plunk.services",
        "plunk.worker",
    },
    "urllib3": {"plunk.outbound"},
    "werkzeug": {"plunk.application", "plunk.http", "plunk.api", "plunk.dialects", "plunk.web"},
}
# Who speaks to the language; the command line checks files without a server.
DSL_SPEAKERS = {
    "plunk.editing",
    "plunk.services.condition_texts",
    "plunk.services.workflow_text",
    "plunk.simulation",
    "plunk.cli",
}

# What would make a pure room depend on when and where it runs.
IMPURE = {"random", "secrets", "socket", "threading", "time", "urllib.request", "uuid"}
PURE_ROOMS = (
    "plunk.conditions",
    "plunk.engine.core",
    "plunk.expressions",
    "plunk.simulation",
    "dsl",
    *sorted(CALM),
)

# Who may read the time besides the clock, and why.
CLOCKS = {
    "plunk.clock": "it is the clock",
    "plunk.ids": "the milliseconds inside a UUIDv7 order rows, nothing is decided by them",
    "plunk.http.limits": "the store of the rate limiter counts in its own seconds",
}
READING = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time"}
# Who may measure how long something takes.
STOPWATCHES = (
    "plunk.services.notices",  # keeps them apart
    "plunk.clock",
    "plunk.api.system",
    "plunk.cli",
    "plunk.delivery",
    "plunk.http.gathering",  # forgets after a second that a contact was locked
    "plunk.http.journal",
    "plunk.http.keys",
    "plunk.metrics",
    "plunk.outbound",
)
MEASURING = {"time.monotonic", "time.perf_counter", "perf_counter"}


@dataclass(frozen=True)
class Module:
    """One file, parsed."""

    name: str
    lines: int
    tree: ast.Module

    @cached_property
    def room(self) -> str:
        return room_of(self.name)

    @cached_property
    def imports(self) -> set[str]:
        """The full names of what it imports, wherever in the file it does so."""
        return set(imported(self.tree))

    @cached_property
    def calls(self) -> set[str]:
        return {
            ast.unparse(node.func) for node in ast.walk(self.tree) if isinstance(node, ast.Call)
        }


def read(path: Path) -> Module:
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    text = path.read_text()
    return Module(name, len(text.splitlines()), ast.parse(text))


def room_of(name: str) -> str:
    """Return the room a module stands in: the longest name in the tables that it lies under."""
    return max((room for room in (*ROOMS, *ANYTHING) if is_under(name, room)), key=len, default="")


def is_under(name: str, *rooms: str) -> bool:
    return any(name == room or name.startswith(f"{room}.") for room in rooms)


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (name.name for name in names)
            case ast.ImportFrom(module=str(module), names=names):
                is_package = (ROOT / module.replace(".", "/")).is_dir()
                yield from (f"{module}.{name.name}" if is_package else module for name in names)


def is_ours(name: str) -> bool:
    return is_under(name, "app", "dsl", "plunk")


@pytest.fixture(scope="module")
def modules() -> list[Module]:
    files = [*ROOT.glob("plunk/**/*.py"), *ROOT.glob("dsl/**/*.py"), ROOT / "app.py"]
    return [read(path) for path in sorted(files)]


def test_every_module_has_a_room(modules: list[Module]) -> None:
    homeless = [one.name for one in modules if one.room in {"", "plunk"} and one.name != "plunk"]
    assert homeless == []


def test_rooms_know_only_the_rooms_of_the_table(modules: list[Module]) -> None:
    strays = [
        (one.name, other)
        for one in modules
        if one.room not in ANYTHING
        for other in {room_of(name) for name in one.imports if is_ours(name)} - {one.room}
        if other not in ROOMS[one.room]
    ]
    assert strays == []


def test_some_rooms_are_entered_by_few(modules: list[Module]) -> None:
    intruders = [
        (one.name, name)
        for one in modules
        for name in one.imports
        for room, guests in PRIVATE.items()
        if is_under(name, room) and one.room not in {room, *guests}
    ]
    assert intruders == []


def test_packages_are_imported_where_the_table_says(modules: list[Module]) -> None:
    strays = [
        (one.name, package)
        for one in modules
        for package in {name.partition(".")[0] for name in one.imports if not is_ours(name)}
        if package not in sys.stdlib_module_names
        if not is_under(one.name, *OUTSIDE.get(package, ()))
    ]
    assert strays == []


def test_few_modules_speak_to_the_language(modules: list[Module]) -> None:
    speakers = [
        one.name
        for one in modules
        if one.room != "dsl" and any(is_under(name, "dsl") for name in one.imports)
        if not is_under(one.name, *DSL_SPEAKERS)
    ]
    assert speakers == []


def test_pure_rooms_depend_on_their_arguments_only(modules: list[Module]) -> None:
    impure = [
        (one.name, one.imports & IMPURE)
        for one in modules
        if is_under(one.name, *PURE_ROOMS) and one.imports & IMPURE
    ]
    assert impure == []


def test_only_the_clock_reads_the_time(modules: list[Module]) -> None:
    readers = [one.name for one in modules if one.calls & READING and one.name not in CLOCKS]
    timers = [
        one.name
        for one in modules
        if one.calls & MEASURING and not is_under(one.name, *STOPWATCHES)
    ]
    assert (readers, timers) == ([], [])


def test_imports_are_absolute(modules: list[Module]) -> None:
    relative = [
        one.name
        for one in modules
        if any(isinstance(node, ast.ImportFrom) and node.level for node in ast.walk(one.tree))
    ]
    assert relative == []


def test_modules_can_be_read_in_one_sitting(modules: list[Module]) -> None:
    assert [(one.name, one.lines) for one in modules if one.lines > MAX_LINES] == []


def test_everything_public_says_what_it_promises(modules: list[Module]) -> None:
    silent = [
        f"{one.name}.{getattr(node, 'name', '')}"
        for one in modules
        for node in (one.tree, *promises(one.tree))
        if not ast.get_docstring(node)
    ]
    assert silent == []


def promises(tree: ast.Module | ast.ClassDef) -> Iterator[ast.ClassDef | ast.FunctionDef]:
    """Yield the public functions, classes and methods; what is inside a function is private."""
    for node in tree.body:
        match node:
            case ast.ClassDef(name=name) if not name.startswith("_"):
                yield node
                yield from promises(node)
            case ast.FunctionDef(name=name) if not name.startswith("_"):
                yield node


@pytest.mark.parametrize(
    ("name", "source", "broken"),
    [
        ("plunk.services.emails", "import flask", test_packages_are_imported_where_the_table_says),
        (
            "plunk.conditions.nodes",
            "import sqlalchemy",
            test_packages_are_imported_where_the_table_says,
        ),
        ("dsl.check", "from lark import Token", test_packages_are_imported_where_the_table_says),
        (
            "plunk.engine.core.run",
            "from plunk import db",
            test_rooms_know_only_the_rooms_of_the_table,
        ),
        (
            "plunk.api.contacts",
            "from plunk.web import views",
            test_rooms_know_only_the_rooms_of_the_table,
        ),
        (
            "plunk.services.emails",
            "import plunk.http.auth",
            test_rooms_know_only_the_rooms_of_the_table,
        ),
        ("plunk.services.emails", "from plunk import worker", test_some_rooms_are_entered_by_few),
        ("plunk.services.emails", "import dsl", test_few_modules_speak_to_the_language),
        ("plunk.engine.core.run", "import random", test_pure_rooms_depend_on_their_arguments_only),
        ("plunk.services.emails", "datetime.now(UTC)", test_only_the_clock_reads_the_time),
        ("plunk.models.email", "time.monotonic()", test_only_the_clock_reads_the_time),
        ("plunk.models.email", "from . import columns", test_imports_are_absolute),
        ("plunk.models.email", "def save(): ...", test_everything_public_says_what_it_promises),
        ("plunk.helpers", "", test_every_module_has_a_room),
    ],
)
def test_the_rules_bite(name: str, source: str, broken: Callable[[list[Module]], None]) -> None:
    with pytest.raises(AssertionError):
        broken([Module(name, 1, ast.parse(source))])
