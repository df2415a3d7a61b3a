"""A research brief by several models: all are asked the same, and one of them sums up what they answered.

Any provider that speaks OpenAI's protocol will do; the environment says which, as ``openai``'s own client reads it:

    export OPENAI_BASE_URL=https://...  OPENAI_API_KEY=...
    export BRIEF_MODELS=gpt-4o-mini,gpt-4.1-mini,o4-mini   # the last one also writes the summary
    dramatiq research_brief                # the workers
    python research_brief.py "Why do workflow engines store results?" notes.txt
    dramatiq-baton show ID                 # what each model used and cost

``make example`` does all that against a stand-in for a provider, on a server of its own.
"""

from __future__ import annotations

import os
import sys
from decimal import Decimal
from pathlib import Path

import dramatiq
from openai import OpenAI

from dramatiq_baton import BatonMiddleware, Workflow, current_step, workflow_actor
from dramatiq_baton.brokers import RedisBroker
from dramatiq_baton.llm import llm_actor, multi_model

MODELS = os.environ.get("BRIEF_MODELS", "gpt-4o-mini,gpt-4.1-mini,o4-mini").split(",")

broker = RedisBroker(url=os.environ.get("BATON_REDIS_URL", "redis://127.0.0.1:6379/0"))
broker.add_middleware(BatonMiddleware())
dramatiq.set_broker(broker)


def ask(prompt: str, *, model: str) -> str:
    """Ask a model, and record what it used. Retries are the step's business, not the client's."""
    client = OpenAI(max_retries=0)
    answer = client.chat.completions.create(model=model, messages=[{"role": "user", "content": prompt}])
    if (step := current_step()) is not None:
        step.record_usage(answer)
    return answer.choices[0].message.content or ""


@workflow_actor
def read(paths: list[str]) -> str:
    return "\n\n".join(Path(path).read_text("utf-8") for path in paths)


@llm_actor
def analyse(question: str, notes: str, *, model: str = MODELS[0]) -> str:
    return ask(f"{question}\n\nAnswer from these notes only:\n\n{notes}", model=model)


@llm_actor
def summarise(answers: dict[str, str]) -> str:
    voices = "\n\n".join(f"{model} says:\n{answer}" for model, answer in answers.items())
    return ask(
        f"Say in three sentences where these answers agree, and where not.\n\n{voices}", model=MODELS[-1]
    )


def research_brief(question: str, paths: list[str]) -> Workflow:
    """Two models must have answered for a summary; the whole may cost a dollar."""
    flow = Workflow("research-brief", budget=Decimal(1))
    notes = flow.add("notes", read.message(paths))
    multi_model(
        flow,
        "brief",
        analyse.message(question, notes),
        models=MODELS,
        synthesize=summarise,
        quorum=min(2, len(MODELS)),
    )
    return flow


if __name__ == "__main__":
    run = research_brief(sys.argv[1], sys.argv[2:]).run()
    print(run.id)
    run.wait()
    print(run.result("brief"))
