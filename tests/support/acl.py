"""The ACL rules of the guide to Redis, by user."""

from __future__ import annotations

import re
from pathlib import Path

from .forks import ROOT

GUIDE = Path(ROOT, "docs", "guides", "redis.md").read_text("utf-8")
RULES = {
    words.split()[2]: words.split()[3:] for words in re.findall(r"^ACL SETUSER .*$", GUIDE, re.MULTILINE)
}
#: What a user needs besides whose client is a ``RedisCluster``.
FOR_CLUSTERS = re.findall(r"`(\+cluster.*?)`", GUIDE)[0].split()
