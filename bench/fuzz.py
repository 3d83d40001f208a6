"""Throw damaged texts at the language for a while: no exception, no hang, valid places.

Run with: python -m bench.fuzz 600 [seed]
"""

from __future__ import annotations

import random
import re
import sys
import time
from pathlib import Path

import dsl

ROOT = Path(__file__).parents[1]
PIECE = re.compile(r'"(?:\\.|[^"\n])*"|#.*|\w+|\s+|\S')
LONGEST_SECONDS = 2.0
SIGNS = [*'{}[]()":,.@#%+-*/<>=!?\\\n \t', '"""', "->", "??", "\u202e", "\0", "é", "🙂"]


def sources() -> list[str]:
    """Return every .flow text of the project."""
    found = [*ROOT.glob("examples/**/*.flow"), *ROOT.glob("tests/dsl/**/*.flow")]
    return [path.read_text(encoding="utf-8", errors="replace") for path in sorted(found)]


def damaged(chance: random.Random, texts: list[str], pieces: list[str]) -> str | bytes:
    """Return bytes, a salad of words, or a real text with a few things wrong."""
    kind = chance.random()
    if kind < 0.05:  # noqa: PLR2004 - one in twenty
        return chance.randbytes(chance.randrange(400))
    if kind < 0.2:  # noqa: PLR2004 - three in twenty
        return " ".join(chance.choices(pieces, k=chance.randrange(120)))
    text = PIECE.findall(chance.choice(texts))
    for _ in range(chance.randrange(1, 8)):
        place = chance.randrange(len(text) + 1)
        match chance.randrange(5):
            case 0:
                text[place : place + chance.randrange(1, 6)] = []
            case 1:
                text.insert(place, chance.choice(pieces))
            case 2:
                text.insert(place, chance.choice(SIGNS))
            case 3:
                text[place:place] = text[place - 5 : place] * chance.randrange(1, 40)
            case 4:
                text[place : place + 1] = [chance.choice(pieces)]
    return "".join(text)


def try_out(text: str | bytes) -> None:
    """Check, render, format, compile and decompile one text; raise what is wrong with that."""
    begun = time.process_time()
    bundle = dsl.read_bundle({"a.flow": text})
    found = dsl.check(bundle, frozenset(), frozenset())
    (parsed,) = bundle.files
    for one in found:
        dsl.render(one, parsed.source.text)
        if one.range.start > one.range.end:
            raise AssertionError(one)
    if not parsed.diagnostics:
        formatted = dsl.format(text)
        if dsl.parse(formatted).file != parsed.file or dsl.format(formatted) != formatted:
            raise AssertionError("formatting changed it")
    if not any(one.is_error for one in found):
        compiled = dsl.compile(bundle)
        again = dsl.compile(dsl.read_bundle({"a.flow": dsl.print_file(dsl.decompile(compiled))}))
        pairs = zip(compiled.workflows, again.workflows, strict=True)
        if not all(dsl.same_graph(one, other) for one, other in pairs):
            raise AssertionError("decompiling changed it")
    if time.process_time() - begun > LONGEST_SECONDS:
        raise AssertionError("it took too long")


def main() -> None:
    """Try texts out for some seconds; keep each that fails in a file."""
    seconds, seed = float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0  # noqa: PLR2004
    chance, texts = random.Random(seed), sources()
    pieces = sorted({piece for text in texts for piece in PIECE.findall(text)})
    end, tried, failed = time.monotonic() + seconds, 0, 0
    while time.monotonic() < end:
        text = damaged(chance, texts, pieces)
        tried += 1
        try:
            try_out(text)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what we look for
            failed += 1
            path = Path(f"fuzz-{seed}-{tried}.flow")
            path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "replace"))
            print(f"{path}: {type(error).__name__}: {str(error)[:200]}", flush=True)
    print(f"{tried:,} texts, {failed} failures")
    raise SystemExit(bool(failed))


if __name__ == "__main__":
    main()
