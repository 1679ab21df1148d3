"""The number and the duration of measurements."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """`rounds` of `seconds` for each subject under load, and `tries` of long measurements."""

    rounds: int = 15
    seconds: float = 0.6
    tries: int = 3
    micro_rounds: int = 15
