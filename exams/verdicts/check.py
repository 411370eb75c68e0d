"""The labels by hand: `python -m exams.verdicts.check [WORD ...]` prints those that are not true and exits 1."""

import sys
import traceback

from exams.verdicts.programs import everything
from exams.verdicts.truth import agrees

if __name__ == "__main__":
    words = sys.argv[1:]
    pairs = [pair for pair in everything() if not words or any(word in f"{pair.program.area} {pair.name}" for word in words)]
    wrong = 0
    for pair in pairs:
        try:
            found = agrees(pair)
        except Exception as error:
            found = f"{type(error).__name__}: {str(error)[-300:]} {traceback.extract_tb(error.__traceback__)[-1]}"
        if found:
            wrong += 1
            print(f"{pair.program.area} | {pair.name} | {found}", flush=True)
    print(f"{len(pairs) - wrong} of {len(pairs)} labels are true")
    sys.exit(bool(wrong))
