"""Options of the parity suite: `pytest parity/ --lane float64 --seeds 5 --device cpu --exam`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from parity.files import write
from parity.verdict.findings import Report

if TYPE_CHECKING:
    from parity.campaign.runs import Outcome
    from parity.ugatit.faults.score import Mark

settings.register_profile("parity", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("parity")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("parity")
    group.addoption("--lane", choices=("float64", "float32", "both"), default="both",
                    help="float64: the same computation? float32: as accurate? (default: both)")
    group.addoption("--device", choices=("cpu", "gpu"), default="cpu", help="where both sides run (default: cpu)")
    group.addoption("--seeds", type=int, default=1, metavar="N", help="how many seeds the fixed subjects run with")
    group.addoption("--draws", type=int, metavar="N",
                    help="how many examples hypothesis draws for each property (default: 25; with --exam 200)")
    group.addoption("--exam", action="store_true",
                    help="put every fault of the catalogue into the twin (default: one of each stage)")
    group.addoption("--exam-table", metavar="FILE.md", help="write what the exam found, missed and misplaced")


ONE_OF_EACH_STAGE = ("one_network_only", "bicubic_resize", "iln_eps", "wrong_loss_weight", "detached_attention", "adam_eps",
                     "sn_update")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", range(metafunc.config.getoption("--seeds")))
    if {"fault", "subject"} & set(metafunc.fixturenames):
        from parity.ugatit.faults import CATALOGUE
        names = list(CATALOGUE) if metafunc.config.getoption("--exam") else ONE_OF_EACH_STAGE
        if "fault" in metafunc.fixturenames:
            metafunc.parametrize("fault", names)
        else:
            metafunc.parametrize("subject", sorted({CATALOGUE[name].answer.subject for name in names}))


@pytest.fixture(scope="session")
def sat(request: pytest.FixtureRequest) -> dict[tuple[str, str], Outcome]:
    """("fault" or "healthy", name) -> what came of it: all that the session asks for, made in parallel."""
    from parity.campaign import runs as campaign
    from parity.ugatit.faults import trials
    asked = [item.callspec.params for item in request.session.items if "sat" in item.fixturenames]
    plan = trials.exam([params["fault"] for params in asked if "fault" in params],
                       [params["subject"] for params in asked if "subject" in params])
    outcomes = campaign.run(plan, trials.do)
    return {(task["kind"], task["name"]): outcome for task, outcome in zip(plan, outcomes.values(), strict=True)}


@pytest.fixture
def marked(record_property: Callable[[str, object], None]) -> Callable[[Mark], None]:
    """Enters a mark of the exam."""
    return lambda mark: record_property("mark", mark.to_json())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    reports = [report for status in ("passed", "failed") for report in terminalreporter.getreports(status)]
    entered = [value for report in reports if report.when == "call" for name, value in report.user_properties if name == "mark"]
    if entered:
        from parity.ugatit.faults.score import Mark, page, summary
        marks = [Mark(**value) for value in entered]
        terminalreporter.section("exam")
        terminalreporter.line(summary(marks))
        if file := config.getoption("--exam-table"):
            write(file, page(marks))


@pytest.fixture(scope="session")
def lanes(request: pytest.FixtureRequest) -> tuple[str, ...]:
    lane = request.config.getoption("--lane")
    return ("float64", "float32") if lane == "both" else (lane,)


@pytest.fixture(scope="session")
def device(request: pytest.FixtureRequest) -> str:
    """Skips, visibly, where a GPU was asked for and either framework sees none."""
    device = request.config.getoption("--device")
    if device == "gpu":
        from parity.frameworks import FrameworkError, PaddleFramework, TorchFramework

        for framework in (TorchFramework(), PaddleFramework()):
            try:
                framework.check_device(device)
            except FrameworkError as error:
                pytest.skip(str(error))
    return device


@pytest.fixture(scope="session")
def draws(request: pytest.FixtureRequest) -> int:
    return request.config.getoption("--draws") or (200 if request.config.getoption("--exam") else 25)


CEILINGS = {"forward": 1e-12, "losses": 1e-12, "state": 1e-12, "gradients": 1e-10}
"""Release ceilings in float64, relative to the largest value: what the project promises on ordinary inputs."""


def must_be_same(report: Report, *, ceilings: bool = True) -> None:
    """Fail the test with the report's own words unless the verdict is "same" and the ceilings hold."""
    if report.verdict != "same":
        places = [f"{place.key}" for place in report.places]
        pytest.fail(f"{report.first}\nindependent places: {'; '.join(places)}", pytrace=False)
    if report.uncompared:
        pytest.fail("uncompared: " + "; ".join(str(finding.key) for finding in report.uncompared), pytrace=False)
    for lane, stages in report.largest.items():
        for stage, relative in stages.items():
            if ceilings and lane == "float64 free" and relative > CEILINGS[stage]:
                pytest.fail(f"{report.subject}: {stage} {relative:.3g} apart in float64, promised {CEILINGS[stage]:.0e}",
                            pytrace=False)
