"""How far the work is, told while it goes on."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called as (what is done, how much is done, of how much); 0 where nobody can know of how much."""

READING = "Reading files"
FOLLOWING = "Following values"
