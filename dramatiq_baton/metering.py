"""Recording what a step's calls to providers cost: money spent is money shown, whatever becomes of the step."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from decimal import Decimal

from .logs import get_logger
from .persistence import until_answered
from .pricing import Pricing, cost_of
from .store import spending
from .store.store import Address, Store
from .usage import Call, Usage

log = get_logger()


@dataclass(frozen=True, slots=True)
class Meter:
    """What an execution of a step needs for it; see :meth:`.Step.record_usage`.

    Attributes:
      store: Where calls are noted.
      address: The step.
      attempt: The number of the execution.
      pricing: Knows what they cost.
    """

    store: Store
    address: Address
    attempt: int
    pricing: Pricing

    def record(self, usage: Usage) -> Decimal | None:
        """Note a call; returns what it cost. Waits for Redis as long as it takes."""
        now = int(time.time() * 1000)
        call = Call(self.address.step, self.attempt, now, usage, cost_of(usage, self.pricing))
        name = secrets.token_hex(8)  # should it have to be said twice, it counts once
        known = until_answered(
            lambda: spending.note(self.store, self.address.workflow_id, name, call),
            what="what a call cost",
            step=self.address.step,
            running=True,
        )
        if not known:
            log.error(
                "a call was paid for by a step whose workflow is gone",
                workflow=self.address.workflow_id,
                step=self.address.step,
                model=usage.model,
                input_tokens=usage.input_tokens,
                output_tokens=usage.output_tokens,
                cost=str(call.cost),
            )
        return call.cost
