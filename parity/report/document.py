"""The report as a JSON document."""

from __future__ import annotations

import json

from parity.compare.results import Result
from parity.report.summary import Summary
from parity.report.words import row
from parity.verdict.findings import Finding, Report


def to_json(summary: Summary) -> str:
    """The report as a JSON document, strict: no NaN, no Infinity."""
    counts = {"compared": summary.merged.compared, **Report.to_json(summary.merged)["counts"]}
    first = summary.headline
    findings = [_located(result, finding) for result in summary.results for finding in result.report.findings]
    subjects = []
    for result in summary.results:
        whole = result.report.to_json()
        del whole["findings"]  # they are at the top level
        subjects.append({**whole, **row(result)})
    document = {"verdict": summary.verdict, "counts": counts, "remarks": summary.merged.remarks,
                "first": _located(*first) if first else None,
                "findings": findings, "subjects": subjects, "modules": dict(summary.merged.modules),
                "seconds": round(summary.seconds, 3), **summary.circumstances.to_json(), "versions": summary.versions}
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


def _located(result: Result, finding: Finding) -> dict:
    return {**finding.to_json(), "title": result.case.title, "mode": result.case.mode}
