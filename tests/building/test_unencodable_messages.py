"""Messages that can't be sent through the broker are refused before anything is written."""

from __future__ import annotations

import datetime
import decimal
import enum
import uuid
from typing import Any, NamedTuple

import pytest

from dramatiq_baton import ResultNotSerializable
from tests.support.world import World

UNENCODABLE: dict[str, Any] = {
    "object": object(),
    "bytes": b"x",
    "set": {1},
    "datetime": datetime.datetime(2024, 1, 1),
    "decimal": decimal.Decimal(1),
    "uuid": uuid.UUID(int=0),
    "class": dict,
    "tuple as a key": {(1, 2): 3},
}


@pytest.mark.parametrize("value", UNENCODABLE.values(), ids=UNENCODABLE.keys())
@pytest.mark.parametrize("place", ["args", "kwargs", "options", "deep"])
def test_a_message_that_cannot_be_encoded_is_refused_with_its_steps_name(
    untouched: World, value: Any, place: str
) -> None:
    act = untouched.actors.act
    message = {
        "args": lambda: act.message([], value),
        "kwargs": lambda: act.message([], inputs=value),
        "options": lambda: act.message_with_options(args=([],), note=value),
        "deep": lambda: act.message([], [{"k": [value]}]),
    }[place]()
    flow = untouched.flow()
    flow.add("fine", untouched.act())
    flow.add("broken", message)
    with pytest.raises(ResultNotSerializable, match="step 'broken'"):
        untouched.run(flow)


def test_a_message_that_holds_itself_is_refused(untouched: World) -> None:
    endless: list[Any] = []
    endless.append(endless)
    flow = untouched.flow()
    with pytest.raises(ResultNotSerializable, match=r"step 'broken' can't be encoded: .* holds itself"):
        flow.add("broken", untouched.act(inputs=endless))
    assert len(flow) == 0


def test_a_ref_where_no_result_can_be_put_is_refused(untouched: World) -> None:
    flow = untouched.flow()
    page = flow.add("page", untouched.act())
    flow.add("broken", untouched.act(inputs={page}))
    with pytest.raises(ResultNotSerializable, match="step 'broken'"):
        untouched.run(flow)


@pytest.mark.parametrize("key", [1, 0, -5, 1.5, True, False, None], ids=repr)
def test_a_result_under_a_key_that_json_turns_into_text_arrives_under_that_text(
    world: World, key: Any
) -> None:
    flow = world.flow()
    page = flow.add("page", world.act(["value", "a page"]))
    flow.add("plain", world.act(["inputs"], inputs={key: "a page"}))
    flow.add("passed", world.act(["inputs"], inputs={key: page}))
    run = world.finish(flow)
    assert run.result("passed") == run.result("plain")


class Kind(enum.StrEnum):
    WEB = "web"


class Level(enum.IntEnum):
    HIGH = 3


class Point(NamedTuple):
    x: int
    y: int


def test_arguments_of_types_that_json_makes_plain_are_taken_as_dramatiq_takes_them(world: World) -> None:
    flow = world.flow()
    inputs = [Kind.WEB, {"level": Level.HIGH}, Point(1, 2), {Kind.WEB: (3,)}]
    flow.add("a", world.act(["inputs"], inputs=inputs))
    assert world.finish(flow).result("a") == ["web", {"level": 3}, [1, 2], {"web": [3]}]


def test_arguments_arrive_as_dramatiq_would_bring_them(world: World) -> None:
    inputs = {
        "text": "\x00\ud7ff\N{PARTY POPPER}",
        "numbers": [0, -1, 2**70, 1.5, True, None],
        "nested": [[[]], {}],
    }
    flow = world.flow()
    flow.add("a", world.act(["inputs"], inputs=inputs))
    assert world.finish(flow).result("a") == inputs
