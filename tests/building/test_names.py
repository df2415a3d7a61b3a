"""Names of workflows and steps, ids and namespaces: what is refused, and that the rest works everywhere."""

from __future__ import annotations

from typing import Any

import pytest

from dramatiq_baton import (
    BatonError,
    BatonMiddleware,
    InvalidName,
    ResultMissing,
    UnknownStep,
    Workflow,
    WorkflowNotFound,
    get_run,
)
from tests.support.world import World

REFUSED = {
    "nothing": "",
    "201 characters": "x" * 201,
    "10,000 characters": "x" * 10_000,
    "a newline": "a\nb",
    "a carriage return": "a\rb",
    "a tab": "a\tb",
    "NUL": "a\x00b",
    "Baton's own separator": "a\x1fb",
    "a terminal code": "\x1b[31mred\x1b[0m",
    "a C1 control": "a\x9bb",
    "a line separator": "a\u2028b",
    "half a surrogate pair": "a\ud800b",
    "None": None,
    "bytes": b"a",
    "a number": 7,
}
ALLOWED = {
    "one character": "x",
    "200 characters": "x" * 200,
    "200 characters of 4 bytes": "\N{PARTY POPPER}" * 200,
    "colons": "a:b::c:",
    "emoji": "\N{PARTY POPPER}\N{FAMILY} \N{WOMAN}\u200d\N{PERSONAL COMPUTER}",
    "rich markup": "[bold red]a[/bold red] [link=file:///etc/passwd]x[/link]",
    "spaces": "  a  b ",
    "quotes and slashes": "\"a\" 'b' \\c /d",
    "Redis globs": "*?[a-z]",
    "formats": "%s %(x)d ${y} {}".replace("{}", "").replace("{y}", "y"),
    "mermaid": 'a"] --> b["c',
    "html": "<script>alert(1)</script>&amp;",
    "scripts of the world": "\u0627\u0644\u0639\u0631\u0628\u064a\u0629 \u65e5\u672c\u8a9e \u0939\u093f",
    "what JSON escapes": "\\u0000 \\n",
    "an option": "--json",
}
BRACES = {"an opening brace": "a{b", "a closing brace": "a}b", "a hash tag": "{a}"}
#: Braces may stand around the whole of a namespace.
WRONG_BRACES = {
    "an opening brace": "a{b",
    "a closing brace": "a}b",
    "one brace": "{",
    "nothing in braces": "{}",
    "braces in braces": "{{a}}",
    "a part in braces": "{a}b",
    "two hash tags": "{a}{b}",
    "a newline in braces": "{a\n}",
}


def cases(table: dict[str, Any]) -> Any:
    return pytest.mark.parametrize("name", [pytest.param(name, id=what) for what, name in table.items()])


def test_it_is_a_baton_error_and_a_value_error() -> None:
    assert issubclass(InvalidName, BatonError)
    assert issubclass(InvalidName, ValueError)


@cases(REFUSED)
def test_a_workflow_of_such_a_name_is_refused(name: Any) -> None:
    with pytest.raises(InvalidName, match="a workflow's name"):
        Workflow(name)


@cases({what: name for what, name in (REFUSED | BRACES).items() if name is not None})
def test_a_workflow_of_such_an_id_is_refused(name: Any) -> None:
    with pytest.raises(InvalidName, match="a workflow's id"):
        Workflow("flow", id=name)


@cases(REFUSED | WRONG_BRACES)
def test_a_namespace_of_such_a_name_is_refused(name: Any) -> None:
    with pytest.raises(InvalidName, match="namespace"):
        BatonMiddleware(namespace=name)


@cases(REFUSED)
def test_a_step_of_such_a_name_is_refused(untouched: World, name: Any) -> None:
    flow = untouched.flow()
    with pytest.raises(InvalidName, match="a step's name"):
        flow.add(name, untouched.act())
    assert len(flow) == 0


@cases(REFUSED | WRONG_BRACES)
def test_the_error_is_one_short_line_that_can_be_printed(name: Any) -> None:
    with pytest.raises(InvalidName) as caught:
        BatonMiddleware(namespace=name)
    text = str(caught.value)
    assert len(text) < 300
    assert text.isprintable()


@cases(ALLOWED)
def test_other_names_and_ids_work_from_end_to_end(world: World, name: str) -> None:
    flow = world.flow(name, id=name)
    first = flow.add(name, world.act(["value", {name: name}]))
    flow.add("second", world.act(["results"]), deps=name)
    flow.add("third", world.act(["inputs"], inputs=first))
    run = world.finish(flow)
    assert (run.id, run.name) == (name, name)
    assert run.results() == {name: {name: name}, "second": {name: {name: name}}, "third": {name: name}}
    status = get_run(name, world.broker).status()
    assert (status.id, status.name, list(status.steps)) == (name, name, [name, "second", "third"])
    assert {event.workflow_id for event in run.events()} == {name}
    assert world.events_of(run, name) == ["executing", "completed"]
    assert name in {event.step for event in run.events()}


@cases(ALLOWED | BRACES)
def test_a_failure_tells_such_a_name_as_it_is(world: World, name: str) -> None:
    flow = world.flow()
    flow.add(name, world.act(["discard", name]))
    flow.add("second", world.act(), deps=name)
    run = world.finish(flow)
    status = run.status()
    assert status.failed_steps == (name,)
    assert status.steps[name].reason == name
    assert status.steps["second"].reason == f"dep '{name}' was discarded: {name}"
    finished = list(run.events())[-1]
    assert finished.failed_steps == (name,)
    with pytest.raises(ResultMissing):
        run.result(name)


@cases(REFUSED | BRACES)
def test_looking_for_a_workflow_of_such_an_id_finds_none(untouched: World, name: Any) -> None:
    with pytest.raises((WorkflowNotFound, InvalidName)):
        get_run(name, untouched.broker)


@cases(REFUSED)
def test_asking_for_the_result_of_such_a_step_finds_none(world: World, name: Any) -> None:
    flow = world.flow()
    flow.add("a", world.act(["value", 1]))
    run = world.finish(flow)
    with pytest.raises((UnknownStep, InvalidName)):
        run.result(name)
