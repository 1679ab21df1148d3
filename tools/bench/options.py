"""How long and how often is measured."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """`rounds` of `seconds` for each subject under load; `tries` of what takes its own time."""

    rounds: int = 15
    seconds: float = 0.6
    tries: int = 3
    micro_rounds: int = 15
