"""Runs ``examples/research_brief.py`` as its docstring says, on an embedded server, against a stand-in for a provider.

``make example``, or ``python -m tests.examples.research_brief``. The client, the sockets and the workers are real; only
the models' words aren't. One call is refused at first, as a provider does that is asked too often.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from dramatiq_baton.demo.running import workers
from dramatiq_baton.embedded import embedded_server
from tests.support.llm_provider import Provider

ROOT = Path(__file__).parents[2]
QUESTION = "Why do workflow engines store the results of their steps?"


def words(prompt: str) -> str:
    """What the stand-in says."""
    if prompt.startswith("Say in three sentences"):
        return "All of them agree that a stored result is never computed twice. None disagrees. They are stand-ins."
    return f"A stand-in has read {len(prompt.split()):,} words: results are kept so as not to pay for them twice."


def main() -> None:
    with embedded_server() as url, closing(Provider()) as provider:
        provider.words = words
        provider.rate = 2  # in a second: the third of three models at once is refused, and comes again
        env = {
            "BATON_REDIS_URL": url,
            "OPENAI_BASE_URL": provider.url.removesuffix("/chat/completions"),
            "OPENAI_API_KEY": "sk-stand-in",
            "NO_PROXY": "127.0.0.1",
        }
        with workers("examples.research_brief", env, processes=1):
            program = [sys.executable, "-m", "examples.research_brief", QUESTION, "docs/guarantees.md"]
            ended = _run(program, env, stdout=subprocess.PIPE)
        workflow_id, _, brief = ended.stdout.partition("\n")
        print(f"$ python research_brief.py {QUESTION!r} docs/guarantees.md\n{brief}")
        print(f"$ dramatiq-baton show {workflow_id}", flush=True)
        _run([sys.executable, "-m", "dramatiq_baton", "show", workflow_id], env)


def _run(
    command: list[str], env: dict[str, str], stdout: int | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, env={**os.environ, **env}, cwd=ROOT, stdout=stdout, text=True, check=True)


if __name__ == "__main__":
    main()
