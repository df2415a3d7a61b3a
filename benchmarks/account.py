"""What the server itself says: its slowest command, what commands took in all, memory, and who asks when idle."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import redis

from . import probe

#: Commands of those who measure.
OURS = ("SLOWLOG", "INFO", "MONITOR", "CONFIG", "COMMAND", "FLUSHALL")
#: So many commands are reported of those that took longest in all.
MOST = 12


def reset() -> None:
    """Forget what was, before a measurement."""
    probe.client().slowlog_reset()
    probe.client().config_resetstat()


def longest(script_name: Callable[[str], str]) -> dict[str, Any]:
    """The command or script that took longest since :func:`reset`, as the server's slow log has it.

    Parameters:
      script_name: Tells a script's name from its text.

    Returns:
      ``us``, microseconds, and ``command``, its beginning; empty if none was slow enough for the log.
    """
    found: dict[str, Any] = {}
    for entry in probe.client().slowlog_get(20_000):
        command = entry["command"]
        text = command.decode("utf-8", "replace") if isinstance(command, bytes) else str(command)
        if text.split(" ")[0].upper() in OURS or probe.OWN in text[:200]:
            continue
        if entry["duration"] > found.get("us", 0):
            found = {"us": entry["duration"], "command": text[:120]}
    words = found.get("command", "").split()
    if words and words[0].upper() == "EVALSHA":
        found["command"] = f"EVALSHA {script_name(_script(words[1]))}"
    elif words and words[0].upper() == "EVAL":
        found["command"] = "EVAL, the first call of a script"
    return found


def _script(sha: str) -> str:
    """The text of a script that the server knows; empty if it won't say."""
    try:
        return str(probe.client().execute_command("SCRIPT SHOW", sha))
    except redis.ResponseError:
        return ""


def command_stats() -> dict[str, dict[str, float]]:
    """Calls and microseconds of the commands that took longest in all since :func:`reset`."""
    stats: Any = probe.client().info("commandstats")
    found = {
        name.removeprefix("cmdstat_"): {key: entry[key] for key in ("calls", "usec")}
        for name, entry in stats.items()
    }
    by_time = sorted(found.items(), key=lambda item: -item[1]["usec"])
    return dict(by_time[:MOST])


def memory() -> int:
    """Bytes that the server uses."""
    info: Any = probe.client().info("memory")
    return int(info["used_memory"])


def traffic(seconds: float) -> tuple[float, float]:
    """Listen to the server for a while.

    Returns:
      Commands a second that clients sent, and commands a second with those that scripts ran.
    """
    sent, run = [0], [0]
    ended = threading.Event()
    client = redis.Redis.from_url(probe.url(), socket_timeout=None)

    def listen() -> None:
        with client.monitor() as monitor:
            while not ended.is_set():
                event = monitor.next_command()
                if event["command"].split(" ")[0].upper() in OURS:
                    continue
                run[0] += 1
                sent[0] += event["client_type"] != "lua"

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    time.sleep(0.2)
    sent[0] = run[0] = 0
    time.sleep(seconds)
    found = sent[0] / seconds, run[0] / seconds
    ended.set()
    return found
