"""Runs the steps of one client, and says what became of each: `STEP: ok`, or why not."""

import sys

#: Large enough for several pieces.
LARGE = bytes(number % 251 for number in range(1 << 16)) * 48
#: Names that have to be escaped in a URL; not those that one of the libraries escapes wrongly itself (`%`, `#`).
NAMES = ["plain.txt", "a b+c.txt", "한글 é.txt", "&;=@.txt"]


def run(steps):
    """Each is a name and a function; the later ones are tried whatever became of those before."""
    failed = False
    for name, step in steps:
        try:
            step()
            print(f"{name}: ok", flush=True)
        except Exception as error:  # Whatever a library raises is what is to be told.
            failed = True
            said = " ".join(str(error).split())[:160]
            print(f"{name}: {type(error).__name__}: {said}", flush=True)
    sys.exit(failed)


def same(found, wanted):
    if found != wanted:
        raise AssertionError(f"{found!r:.80} instead of {wanted!r:.80}")
