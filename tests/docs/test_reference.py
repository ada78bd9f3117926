"""The reference pages are complete: what the code has, they have, and nothing else."""

from __future__ import annotations

import dataclasses
import inspect
import re
import sqlite3
import tomllib
from importlib.metadata import version

from docs.pages import ROOT, code_spans
from razorpay_hardened import errors, signals
from razorpay_hardened.audit.rules import RULES
from razorpay_hardened.domain.entities._registry import KINDS as ENTITIES
from razorpay_hardened.domain.entities._registry import model_of
from razorpay_hardened.domain.events import TRACKED
from razorpay_hardened.domain.kinds import EVENTS as ENTITY_EVENTS
from razorpay_hardened.domain.kinds import LIVES, Once
from razorpay_hardened.domain.lifecycle import MILESTONES, ORDER_RANK, PAYMENT_RANK
from razorpay_hardened.emulator import FAULTS, Options
from razorpay_hardened.emulator._acts import Acts
from razorpay_hardened.emulator._catalogue import EVENTS, ROUTES
from razorpay_hardened.reconcile import KINDS
from razorpay_hardened.settings import Settings
from razorpay_hardened.storage.migrate import schema_text

REFERENCE = ROOT / "docs" / "reference"
EXPLANATION = ROOT / "docs" / "explanation"


def _rows(page: str) -> list[list[str]]:
    """The cells of every table row of a page, without backticks."""
    lines = [line for line in (REFERENCE / page).read_text("utf-8").splitlines() if line.startswith("|")]
    return [[cell.strip().replace("`", "") for cell in line.strip("|").split("|")] for line in lines]


def test_the_tree_of_errors_is_the_one_of_the_page() -> None:
    """Every class once, under its parent, with what it says about trying again."""
    told: dict[str, tuple[str, bool]] = {}
    above = ["Exception"]
    for cells in _rows("errors.md"):
        found = re.fullmatch(r"((?:· )*)(\w+)", cells[0])
        if found is None or cells[1] not in ("yes", "no"):
            continue
        depth = len(found[1]) // 2
        above[depth + 1 :] = [found[2]]
        assert found[2] not in told
        told[found[2]] = (above[depth], cells[1] == "yes")

    real = {
        name: (next(base.__name__ for base in cls.__bases__ if issubclass(base, Exception)), cls.retryable)
        for name in errors.__all__
        if (cls := getattr(errors, name))
    }
    assert told == real


def test_every_variable_and_default_is_told() -> None:
    """A field of the settings without a line on the page would be a secret of ours."""
    rows = {cells[0]: cells for cells in _rows("settings.md")}
    names = {"mode": "RAZORPAY_ENV", "webhook_secrets": "RAZORPAY_WEBHOOK_SECRET"}
    for field in dataclasses.fields(Settings):
        cells = rows[names.get(field.name, f"RAZORPAY_{field.name.upper()}")]
        assert cells[1] == field.name
        if field.default is dataclasses.MISSING or field.name == "mode":
            continue
        default = field.default.reveal() if field.name == "store_url" else field.default
        told = {None: "none", (): "none", False: "false"}.get(default, str(default))
        assert cells[2] == told, field.name


def test_every_variable_of_the_page_is_read() -> None:
    """What the page promises, the code looks at."""
    text = (ROOT / "src/razorpay_hardened/settings.py").read_text("utf-8")
    fields = {field.name for field in dataclasses.fields(Settings)}
    for cells in _rows("settings.md"):
        if cells[0].startswith("RAZORPAY_"):
            assert cells[0] in text or cells[0].removeprefix("RAZORPAY_").lower() in fields, cells[0]


def test_every_argument_of_from_env_is_told() -> None:
    """In the order of the signature."""
    from razorpay_hardened import Razorpay

    told = [cells[0] for cells in _rows("settings.md") if re.fullmatch(r"[a-z]+", cells[0])]
    wanted = list(inspect.signature(Razorpay.from_env).parameters)
    assert [name for name in told if name in wanted] == wanted


def test_every_signal_is_told_with_its_fields() -> None:
    """As the class has them."""
    rows = {cells[0]: cells for cells in _rows("signals.md")}
    real = {
        name: cls
        for name in signals.__all__
        if inspect.isclass(cls := getattr(signals, name)) and issubclass(cls, signals.Signal)
    }
    del real["Signal"]
    for name, cls in real.items():
        assert rows[name][2].split(", ") == [field.name for field in dataclasses.fields(cls)], name


def test_every_alarm_is_told() -> None:
    """Each key that the code alarms with begins as one of the page does."""
    told = [cells[0] for cells in _rows("signals.md")]
    found: set[str] = set()
    for file in (ROOT / "src").rglob("*.py"):
        if "demo" not in file.relative_to(ROOT).parts:
            found |= set(re.findall(r'(?:alarm\(|alarms\.append\(\()\s*f?"([a-z_-]+:?)', file.read_text("utf-8")))
    found |= {"quarantined:"}  # built beside its outcome
    assert len(found) >= 14
    assert found <= set(told)


def test_the_law_is_told() -> None:
    """Milestones and ranks."""
    spans = set(code_spans(EXPLANATION / "laws.md"))
    assert set(MILESTONES) <= spans
    text = (EXPLANATION / "laws.md").read_text("utf-8")
    for status, rank in {**PAYMENT_RANK, **ORDER_RANK}.items():
        assert re.search(rf"^\| `{status}` \| \d", text, re.M)
        assert rank in {int(one) for one in re.findall(rf"^\| `{status}` \| (\d)", text, re.M)}


def test_every_event_is_told() -> None:
    """All types with their milestone, part, status and what "once" means, in the order of first attempts; the stages of
    every kind as they are."""
    words = {Once.EVER: "entity", Once.PHASE: "phase", Once.PAYMENT: "payment", Once.EVENT: "event"}
    rows = _rows("events.md")
    told = [tuple(cells[:5]) for cells in rows if cells[0] in ENTITY_EVENTS]
    assert told == [
        (name, event.milestone, event.part, event.status or "–", words[event.once])
        for name, event in ENTITY_EVENTS.items()
    ]
    others = {cells[0]: cells[1] for cells in rows if cells[0] in TRACKED and cells[0] not in ENTITY_EVENTS}
    assert others == {name: ", ".join(TRACKED[name]) for name in TRACKED if name not in ENTITY_EVENTS}
    text = (EXPLANATION / "laws.md").read_text("utf-8")
    for kind, life in LIVES.items():
        stages = " > ".join(" ~ ".join(f"`{status}`" for status in stage) for stage in life.stages)
        assert f"| `{kind}` | {stages} |" in text


def test_every_rule_of_a_story_is_told() -> None:
    """By name, and no name that is none."""
    told = set(code_spans(EXPLANATION / "audit.md"))
    assert set(RULES) <= told
    assert {one for one in told if re.fullmatch(r"(payment|order|refund|delivery|effect)\.[a-z_]+", one)} <= set(RULES)


def test_every_table_fault_and_finding_is_told() -> None:
    """Storage, emulator and reconciliation have no name that their pages have not."""
    assert set(re.findall(r"CREATE TABLE (\w+)", schema_text("sqlite"))) <= set(code_spans(EXPLANATION / "storage.md"))
    assert set(FAULTS) <= set(code_spans(EXPLANATION / "emulator.md"))
    assert set(KINDS) <= set(code_spans(EXPLANATION / "reconcile.md"))


def test_the_emulator_is_told() -> None:
    """Every endpoint, event, act and setting, in the code's order, with what it contains or defaults to."""
    rows = _rows("emulator.md")
    endpoints = [cells[0] for cells in rows if re.fullmatch(r"[A-Z]+ /.*", cells[0])]
    assert endpoints == [f"{route.method} {route.template}" for route in ROUTES]
    assert all(cells[1] and cells[2] for cells in rows if cells[0] in endpoints)

    names = {event.name: " or ".join(", ".join(one) for one in event.contains) for event in EVENTS}
    assert {cells[0]: cells[1] for cells in rows if cells[0] in names} == names
    assert len(names) == len(EVENTS)

    told = [cells[0] for cells in rows]
    acts = [name for name in vars(Acts) if not name.startswith("_")]
    assert [name for name in told if name in acts] == acts
    defaults = {name: str(default) for name, default in Options._field_defaults.items()}
    assert {cells[0]: cells[1] for cells in rows if cells[0] in defaults} == defaults


def test_lower_bounds_are_those_of_the_package() -> None:
    """And nothing older than them is installed here."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["cli"]]
    told = {cells[0].split(" ")[0]: cells[1].removeprefix("≥ ") for cells in _rows("compatibility.md")}
    for requirement in wanted:
        name, bound = requirement.split(">=")
        assert told[name] == bound
        assert _numbers(version(name)) >= _numbers(bound)
    assert sqlite3.sqlite_version_info >= (3, 37)


def _numbers(text: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", text)]


def test_every_kind_of_entity_is_told() -> None:
    """With its model, whether its ``entity`` field names it, and which properties are Money."""
    told = {
        cells[0]: cells[1:4] for cells in _rows("entities.md") if cells[0] in ENTITIES or cells[1] in ENTITIES.values()
    }
    assert list(told) == list(ENTITIES)
    for kind, (name, sent, money) in told.items():
        model = model_of(kind)
        assert model is not None
        assert model.__name__ == name == ENTITIES[kind]
        field = model.model_fields.get("entity")
        assert (sent != "no") == (field is not None), kind
        properties = inspect.getmembers(model, lambda member: isinstance(member, property))
        real = [each for each, made in properties if "Money" in str(made.fget.__annotations__["return"])]
        assert money == (", ".join(real) or "–"), kind
