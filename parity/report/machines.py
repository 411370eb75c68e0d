"""What machines show of a verdict: SARIF for code scanning, JUnit for test reports, annotations for GitHub's log."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from xml.etree import ElementTree

from parity.report.problems import Checked, Problem, distinct
from parity.trace.source import Site


def to_sarif(programs: Sequence[Checked], versions: Mapping[str, str]) -> str:
    """SARIF 2.1.0. Paths below the working directory are relative to it, as code scanning wants them."""
    problems = list(distinct(programs))
    rules = sorted({problem.rule for problem in problems})
    driver = {"name": "paddle-parity", "version": versions.get("paddle-parity", ""),
              "rules": [{"id": rule, "shortDescription": {"text": rule.replace("/", " at stage ")}} for rule in rules]}
    run = {"tool": {"driver": driver}, "results": [_result(problem, rules) for problem in problems],
           "invocations": [{"executionSuccessful": True}], "properties": {"versions": dict(versions)}}
    document = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(document, indent=1) + "\n"


def _result(problem: Problem, rules: Sequence[str]) -> dict:
    found = {"ruleId": problem.rule, "ruleIndex": rules.index(problem.rule), "level": problem.level,
             "message": {"text": problem.story}, "partialFingerprints": {"parityFinding/v1": problem.id}}
    if problem.site:
        found["locations"] = [_location(problem.site)]
    if problem.related:
        found["relatedLocations"] = [{**_location(problem.related), "id": 0, "message": {"text": "the reference"}}]
    return found


def _location(site: Site) -> dict:
    path = PurePath(shown(site.file))
    uri = path.as_uri() if path.is_absolute() else path.as_posix()
    return {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": site.line}}}


def shown(file: str) -> str:
    """A path below the working directory relative to it, any other whole."""
    path, here = Path(file).absolute(), Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def to_junit(programs: Sequence[Checked], title: str) -> str:
    """JUnit's XML: a test case for each program, which fails with the story of its first error."""
    suite = ElementTree.Element("testsuite", name=title, tests=str(len(programs)), errors="0", skipped="0",
                                failures=str(sum(bool(program.errors) for program in programs)),
                                time=f"{sum(program.seconds for program in programs):.3f}")
    for program in programs:
        case = ElementTree.SubElement(suite, "testcase", classname=title, name=program.name, time=f"{program.seconds:.3f}")
        if program.errors:
            failure = ElementTree.SubElement(case, "failure", message=_legal(program.errors[0].message))
            failure.text = _legal("\n\n".join(problem.story for problem in program.errors))
    whole = ElementTree.Element("testsuites")
    whole.append(suite)
    return ElementTree.tostring(whole, encoding="utf-8", xml_declaration=True).decode() + "\n"


def _legal(text: str) -> str:
    """XML has no control characters, not even escaped."""
    return "".join(letter if letter >= " " or letter in "\n\t" else "\N{REPLACEMENT CHARACTER}" for letter in text)


def annotations(programs: Sequence[Checked], title: str = "parity") -> str:
    """GitHub's workflow commands, a line each: they mark the line in the pull request."""
    return "".join(f"::{problem.level} {_properties(problem, title)}::{_escaped(problem.story)}\n"
                   for problem in distinct(programs))


def _properties(problem: Problem, title: str) -> str:
    where = {"file": Path(shown(problem.site.file)).as_posix(), "line": str(problem.site.line)} if problem.site else {}
    return ",".join(f"{name}={_escaped(value).replace(':', '%3A').replace(',', '%2C')}"
                    for name, value in {**where, "title": f"{title}: {problem.rule}"}.items())


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
