"""Are a PyTorch program and its Paddle twin the same computation? If not: where first, how far, why?

    import parity

    pair = parity.Port(my_torch.Net, my_paddle.Net, inputs=[parity.normal(2, 3, 32, 32)])
    summary = parity.compare(pair)          # one pass forward and backward; summary.verdict is "same" or "diverged"
    summary = parity.follow(pair, steps=5)  # their training, step by step, of a pair with training=parity.Training(...)

    with parity.doctor(models, optimizers) as doctor: ...   # one training that does not learn

The command `parity` and the pytest fixture `parity` do what these do, and no more. Everything is imported when it is first
asked for: frameworks are heavy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from parity import compare, doctor
    from parity.conversion.convert import convert
    from parity.declare.data import Data
    from parity.declare.inputs import integers, normal, truths, uniform
    from parity.declare.metric import Metric
    from parity.declare.port import Port
    from parity.declare.training import Training
    from parity.door import compare_data, compare_metrics, diff, follow, record
    from parity.files import InputError
    from parity.report.summary import Summary
    from parity.verdict.findings import NothingCompared, Report

__version__ = "0.1.0"
__all__ = ["Data", "InputError", "Metric", "NothingCompared", "Port", "Report", "Summary", "Training", "__version__", "compare",
           "compare_data", "compare_metrics", "convert", "diff", "doctor", "follow", "integers", "normal", "record", "truths",
           "uniform"]

_HOMES = {
    "Port": "declare.port", "Training": "declare.training", "Data": "declare.data", "Metric": "declare.metric",
    "compare_data": "door", "compare_metrics": "door",
    "integers": "declare.inputs", "normal": "declare.inputs", "truths": "declare.inputs", "uniform": "declare.inputs",
    "follow": "door", "record": "door", "diff": "door", "convert": "conversion.convert",
    "InputError": "files", "NothingCompared": "verdict.findings", "Report": "verdict.findings", "Summary": "report.summary",
}


def __getattr__(name: str) -> Any:
    if name in ("compare", "doctor", "door"):  # the first two are packages, and functions at once
        return import_module(f"{__name__}.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
