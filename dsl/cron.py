"""Schedules in five fields: minute, hour, day of the month, month, day of the week."""

from __future__ import annotations

from dataclasses import dataclass

_FIELDS = 5
_LONGEST = 100
_MOST_WEEKS = 5
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS_IN_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class _Wrong(ValueError):
    """A part of a schedule means nothing; the text says why."""


@dataclass(frozen=True, slots=True)
class _Field:
    """One of the five: what it counts, from where to where, and the words for numbers."""

    name: str
    first: int
    last: int
    words: tuple[str, ...] = ()

    def values(self, written: str) -> set[int]:
        """Return the numbers that a field stands for; raises _Wrong."""
        if "," in written:
            return {value for term in written.split(",") for value in self.values(term)}
        if "/" in written:
            return self._steps(*written.split("/", maxsplit=1))
        if written == "*":
            return set(range(self.first, self.last + 1))
        if "-" in written:
            start, end = (self._number(part) for part in written.split("-", maxsplit=1))
            if end < start:
                raise _Wrong(f"in {written!r} the end comes before the start")
            return set(range(start, end + 1))
        return {self._number(written)}

    def _steps(self, written: str, step: str) -> set[int]:
        width = _digits(step)
        if not width:
            raise _Wrong(f"{step!r} is no step; write a number above 0")
        found = sorted(self.values(written))
        if len(found) == 1:
            found = list(range(found[0], self.last + 1))
        return set(found[::width])

    def _number(self, written: str) -> int:
        if written in self.words:
            return self.words.index(written) + self.first
        number = _digits(written)
        if number is None or not self.first <= number <= self.last:
            words = f" or {self.words[0]} to {self.words[-1]}" if self.words else ""
            raise _Wrong(f"{written!r} is no {self.name}; use {self.first} to {self.last}{words}")
        return number


_MINUTE, _HOUR = _Field("minute", 0, 59), _Field("hour", 0, 23)
_DAY, _MONTH = _Field("day of the month", 1, 31), _Field("month", 1, 12, _MONTHS)
_WEEKDAY = _Field("day of the week", 0, 7, _DAYS)


def problem(written: str) -> str | None:
    """Return what is wrong with a schedule, or None."""
    fields = written.upper().split()
    if len(fields) != _FIELDS or len(written) > _LONGEST:
        shape = "minute, hour, day, month and day of the week"
        return f'a schedule has {_FIELDS} fields, {shape}: "0 9 * * MON"'
    try:
        return _never_comes(fields)
    except _Wrong as error:
        return str(error)


def _never_comes(fields: list[str]) -> str | None:
    """Read all fields; tell whether the days that are asked for do not exist."""
    minute, hour, day, month, weekday = fields
    _MINUTE.values(minute)
    _HOUR.values(hour)
    months = _MONTH.values(month)
    days = set() if day in {"L", "LW"} else _DAY.values(day)
    for term in weekday.split(","):
        _weekday(term)
    both = day.startswith("*") or weekday.startswith("*")
    if days and both and min(days) > max(_DAYS_IN_MONTH[at - 1] for at in months):
        return f"no month that is listed has a day {min(days)}"
    return None


def _weekday(term: str) -> None:
    """Read one day of the week: MON, 1-5, 5L (the last one), 5#2 (the second one)."""
    day, sign, number = term.partition("#")
    if sign:
        week = _digits(number)
        if week is None or not 1 <= week <= _MOST_WEEKS:
            raise _Wrong(f"{number!r} is no week of a month; use 1 to {_MOST_WEEKS}")
        _WEEKDAY.values(day)
    elif term.endswith("L") and term[:-1].isdecimal():
        _WEEKDAY.values(term[:-1])
    else:
        _WEEKDAY.values(term)


def _digits(written: str) -> int | None:
    return int(written) if written.isascii() and written.isdecimal() else None
