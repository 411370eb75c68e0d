"""From recorded values to verdicts: sinks, floors, the judge, and the findings that come of it."""
