"""What losses are given: shapes that broadcast by mistake, probabilities where scores belong."""

from __future__ import annotations

import ast
import functools
import math
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

from parity.doctor.arrays import is_finite
from parity.doctor.places import bound_of, given_site
from parity.doctor.record import LABELS, Labels
from parity.doctor.watching.cosines import Cosines
from parity.doctor.watching.draws import Draws
from parity.doctor.watching.probes import Probes
from parity.doctor.watching.scene import Scene
from parity.doctor.watching.shares import Shares
from parity.doctor.watching.wrappers import Wrappers

CLASS_LOSSES = ("cross_entropy", "nll_loss", "kl_div", "ctc_loss")
LOSSES = ("mse_loss", "l1_loss", "smooth_l1_loss", "binary_cross_entropy_with_logits", "binary_cross_entropy", "huber_loss",
          "square_error_cost")
PAIRED = {*LOSSES, "MSELoss", "L1Loss", "SmoothL1Loss", "BCEWithLogitsLoss", "BCELoss", "HuberLoss"}  # of equal shapes
REGRESSIONS = ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "square_error_cost",
               "MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss")
# of labels -1 and 1 -> where among the arguments these stand
SIGNED = {"cosine_embedding_loss": 2, "margin_ranking_loss": 2, "hinge_embedding_loss": 1, "soft_margin_loss": 1}
POSITIVE = ("softplus", "exp")  # what makes a rate out of its logarithm
BOUNDS = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0), "softmax": (0.0, 1.0), "relu": (0.0, math.inf)}
BEYOND, OFTEN = 0.05, 0.05  # so far outside, and so many of the targets: noise about targets at the bounds is no range
SQUARE = 4  # rows: that as many examples as there are classes have one label is no accident then
_OPERATORS = {"__sub__": "a difference", "__rsub__": "a difference", "__mul__": "a product", "__rmul__": "a product"}


_TEACHER = re.compile(r"teacher", re.IGNORECASE)
_TARGET = re.compile(r"target|label|expected|bellman|(^|_)td(_|$)|y_true|(^|_)gt(_|$)", re.IGNORECASE)


def _second(line: str) -> str | None:
    """The name that a loss is given as its second argument on this line."""
    for piece in (line.strip(), line.strip().rstrip(":") + ": pass"):
        with suppress(SyntaxError, ValueError):
            return next((node.args[1].id for node in ast.walk(ast.parse(piece)) if isinstance(node, ast.Call) and len(node.args) > 1
                         and isinstance(node.args[1], ast.Name)), None)
    return None


def _told(guessed: np.ndarray, labels: np.ndarray, classes: int) -> list[tuple[int, int, float]]:
    """(examples, those told right, those that guesses of the same frequencies tell right by chance); none without examples."""
    guesses, wanted = (np.bincount(array.ravel(), minlength=classes) for array in (guessed, labels))
    return [(labels.size, int((guessed == labels).sum()), float(guesses @ wanted) / labels.size)] if labels.size else []


class Losses:
    def __init__(self, scene: Scene, probes: Probes, shares: Shares, draws: Draws, cosines: Cosines) -> None:
        self._scene, self._probes, self._shares, self._draws, self._cosines = scene, probes, shares, draws, cosines

    def wrap(self, wrappers: Wrappers) -> None:
        framework = self._scene.framework
        for names, around in ((LOSSES, self._loss), (CLASS_LOSSES, self._class_loss), (SIGNED, self._signed_loss),
                              (("poisson_nll_loss",), self._rate_loss)):
            for name in names:
                if hasattr(framework.functional, name):
                    wrappers.function(framework.functional, name, around)
        for owner in (framework.functional, framework.root, framework.tensor_class):
            for name in ("softmax", "log_softmax"):
                if hasattr(owner, name):
                    wrappers.function(owner, name, self._softmax)
        for name, what in _OPERATORS.items():
            wrappers.function(framework.tensor_class, name, functools.partial(self._broadcast, what))

    def note_shapes(self, name: str, pair: tuple) -> None:
        """A loss of two tensors of one shape, by the name of its function or class."""
        scene, framework = self._scene, self._scene.framework
        if name not in PAIRED or len(pair) != 2 or not all(map(framework.is_tensor, pair)):
            return
        one, other = (framework.shape_dtype(tensor)[0] for tensor in pair)
        if one != other and one and other and max(*one, *other) > 1:
            scene.current.broadcasts.append((name, one, other, scene.site()))
        elif scene.current.close and name in REGRESSIONS:
            self._within_reach(*pair)

    def _loss(self, original: Callable, args: tuple, kwargs: dict) -> Any:
        scene, framework = self._scene, self._scene.framework
        name = original.__name__
        pair = (*args, *(kwargs[key] for key in ("input", "target", "label") if key in kwargs))[:2]
        scene.current.losses += 1
        self.note_shapes(name, pair)
        if len(pair) > 1:
            self._probes.note_target(pair[1])
            if scene.current.close and name in REGRESSIONS and self._draws.is_late(pair[1]):
                scene.current.drawn_late.append(scene.site())
        tensors = [value for value in pair if framework.is_tensor(value)]
        if scene.current.close and len(tensors) == 2 and all(map(framework.requires_grad, tensors)):
            site = scene.site()
            target = _second(site.text) if site is not None else None
            if target and _TARGET.search(target):
                made = [passed.site for passed in scene.current.passed if passed.name == target]
                scene.current.alive_targets.append((target, made[-1] if made else site))
        if name.endswith("with_logits") and framework.is_tensor(pair[0]) and framework.made_by(pair[0]) == "sigmoid":
            scene.current.unfit.append((name, "sigmoid", scene.maker(pair[0]), scene.site()))
        if name.startswith("binary") and len(tensors) == 2:
            self._binary(name, *tensors)
        if name.endswith("with_logits") and len(tensors) == 2 and framework.requires_grad(pair[0]):
            scores, labels = map(framework.values, pair)
            if scores.shape == labels.shape and np.isin(labels, (0, 1)).all():
                scene.current.told += _told((scores > 0).astype(int), labels.astype(int), 2)
        result = original(*args, **kwargs)
        if scene.current.close:
            self._shares.note_reduction("sum" if kwargs.get("reduction") == "sum" else "mean", pair[0], result)
        return result

    def _binary(self, name: str, given: Any, target: Any) -> None:
        """Are the labels of an example independent, and a softmax makes its probabilities add up to 1? Are all next to nothing?"""
        scene, framework = self._scene, self._scene.framework
        labels = framework.values(target)
        if not labels.size or labels.dtype.kind != "f" or not framework.requires_grad(given):
            return
        scene.current.largest_targets.append((name, float(labels.max()), scene.site()))
        if scene.current.close and ((labels < -BEYOND) | (labels > 1 + BEYOND)).mean() > OFTEN:
            scene.current.unfit.append((name, "beyond", None, scene.site()))
        scene.current.judged.append((scene.last_network, scene.tick(), float(labels.min()), float(labels.max()), scene.site()))
        rows = labels.shape == tuple(given.shape) and labels.ndim == 2 and np.isin(labels, (0, 1)).all()
        if rows and framework.made_by(given) == "softmax" and (labels.sum(1) != 1).any():
            scene.current.unfit.append((name, "one of many", scene.maker(given), scene.site()))

    def _signed_loss(self, original: Callable, args: tuple, kwargs: dict) -> Any:
        """Labels of 0 and 1 where -1 and 1 belong."""
        scene, framework, name = self._scene, self._scene.framework, original.__name__
        target = args[SIGNED[name]] if len(args) > SIGNED[name] else kwargs.get("target", kwargs.get("label"))
        if scene.current.close and framework.is_tensor(target):
            labels = framework.values(target)
            if np.isin(labels, (0, 1)).all() and (labels == 0).any():
                scene.current.unfit.append((name, "signs", None, scene.site()))
        return original(*args, **kwargs)

    def _rate_loss(self, original: Callable, args: tuple, kwargs: dict) -> Any:
        """A rate where its logarithm belongs."""
        scene, framework = self._scene, self._scene.framework
        given = args[0] if args else kwargs.get("input")
        logarithm = args[2] if len(args) > 2 else kwargs.get("log_input", True)
        if scene.current.close and logarithm and framework.is_tensor(given) and framework.made_by(given) in POSITIVE:
            scene.current.unfit.append((original.__name__, "rate", None, scene.site()))
        return original(*args, **kwargs)

    def _within_reach(self, given: Any, target: Any) -> None:
        """Is some of the target where the activation that gave the prediction never comes?"""
        framework = self._scene.framework
        bounds, array = BOUNDS.get(framework.made_by(given)), framework.values(target)
        if bounds is None or framework.requires_grad(target) or not array.size or array.dtype.kind not in "fi":
            return
        outside = (array < bounds[0] - BEYOND) | (array > bounds[1] + BEYOND)
        if outside.mean() > OFTEN:
            self._scene.current.out_of_reach.append((framework.made_by(given), float(array.min()), float(array.max()),
                                                     self._scene.maker(given) or self._scene.site()))

    def _class_loss(self, original: Callable, args: tuple, kwargs: dict) -> Any:
        """Probabilities where scores belong: the rows of a softmax add up to 1; its logarithm is never above 0."""
        scene, framework = self._scene, self._scene.framework
        name, given = original.__name__, args[0] if args else kwargs.get("input", kwargs.get("log_probs"))
        target = args[1] if len(args) > 1 else kwargs.get("target", kwargs.get("label"))
        scene.current.losses += 1
        self._probes.note_target(target)
        if name == "kl_div" and scene.current.close and len(args) > 1:
            self._note_teacher(name, *args[:2])
        has_softmax = name == "cross_entropy" or (name == "ctc_loss" and framework.name == "paddle")
        shape = framework.shape_dtype(given)[0] if framework.is_tensor(given) else ()
        if len(shape) > 1 and name in ("cross_entropy", "nll_loss"):
            scene.current.classes.add(shape[1])
            axis = kwargs.get("axis", -1 if framework.name == "paddle" and name == "cross_entropy" else 1)
            self._note_told(given, target, axis)
            self._note_labels(target)
            self._note_square(shape, target)
        softmax = kwargs.get("use_softmax", True) and kwargs.get("axis", -1) in (-1, 1)
        if scene.current.close and not kwargs.get("use_softmax", True) and (framework.values(given) < 0).any():
            scene.current.unfit.append((name, "as they are", None, scene.site()))
        if scene.current.close and name == "cross_entropy" and framework.is_tensor(given):
            self._cosines.note_scores(given, scene.lines.made_at(given) or scene.site())
        if scene.current.close and len(shape) > 1 and shape[1] > 1 and softmax:
            what = self._unfit(name, given, has_softmax)
            if what is None and name == "ctc_loss" and is_finite(framework.values(given)):
                what = "blank" if self._has_blanks(*args[1:5], **kwargs) else None
            if what is None and name == "cross_entropy" and self._has_several(given, target):
                what = "several"
            if what:
                made = scene.maker(given) if what in ("softmax", "axis") else None  # that line is to go, else a step is missing
                scene.current.unfit.append((name, what, made, given_site(scene.site(), name)))
        return original(*args, **kwargs)

    def _note_teacher(self, name: str, given: Any, target: Any) -> None:
        """Does a student teach its teacher? (Two that learn from each other are no teachers.)"""
        scene, framework = self._scene, self._scene.framework
        if not (framework.is_tensor(target) and framework.requires_grad(target) and framework.requires_grad(given)):
            return
        bound = bound_of(scene.site(), name, 1)
        if bound is not None and _TEACHER.search(bound[1].text):
            scene.current.alive_targets.append(bound)

    def _softmax(self, original: Callable, args: tuple, kwargs: dict) -> Any:
        """Of how many elements are the softmaxes of this line?"""
        scene, framework = self._scene, self._scene.framework
        result = original(*args, **kwargs)
        axis = kwargs.get("dim", kwargs.get("axis", args[1] if len(args) > 1 else -1))
        if scene.current.close and isinstance(axis, int) and framework.is_tensor(result) and framework.requires_grad(result):
            shape, site = framework.shape_dtype(result)[0], scene.site()
            if shape and site is not None:
                scene.current.softmaxes.setdefault(site, set()).add(shape[axis])
        return result

    def _note_square(self, shape: tuple[int, ...], target: Any) -> None:
        """Do all rows of a square of scores have one label?"""
        scene, framework = self._scene, self._scene.framework
        if len(shape) != 2 or shape[0] != shape[1] or shape[0] < SQUARE or not framework.is_tensor(target):
            return
        labels = framework.values(target).ravel()
        if labels.dtype.kind != "i" or labels.size != shape[0]:
            return
        if (labels == labels[0]).all():
            made = [seen.site for seen in scene.current.labels if seen.classes == 1 and seen.size == labels.size]
            scene.current.one_label.append((int(labels[0]), len(labels), made[-1] if made else scene.site()))
        else:
            scene.current.many_labels += 1

    def _note_labels(self, target: Any) -> None:
        """Labels of classes that no line of the user's has bound: a fit of the framework's hands them over."""
        scene, framework = self._scene, self._scene.framework
        labels = framework.values(target) if framework.is_tensor(target) else np.empty(0)
        bound = any(seen.size == labels.size and seen.name != LABELS for seen in scene.current.labels)
        if labels.dtype.kind == "i" and labels.size > 1 and labels.size == len(labels) and not bound:
            scene.current.labels.append(Labels(LABELS, scene.site(), int(labels.flat[0]), len(np.unique(labels)), labels.size))

    def _note_told(self, given: Any, target: Any, axis: int) -> None:
        """How many examples are told right; closely, also which classes get a gradient."""
        framework, current = self._scene.framework, self._scene.current
        if not framework.is_tensor(target) or not framework.requires_grad(given):
            return
        scores, labels = framework.values(given), framework.values(target)
        guessed = scores.argmax(axis)
        if labels.dtype.kind == "i" and labels.size == guessed.size:
            labels = labels.reshape(guessed.shape)
            counted = (labels >= 0) & (labels < scores.shape[axis])
            current.told += _told(guessed[counted], labels[counted], scores.shape[axis])
        if current.close:
            self._shares.note_classes(given, target, axis, self._scene.site())

    def _unfit(self, name: str, given: Any, has_softmax: bool) -> str | None:
        """What a loss over classes was given in place of scores, or of the logarithms of probabilities."""
        framework = self._scene.framework
        array = framework.values(given)
        if not array.size or not is_finite(array):
            return None
        sums = (array.sum(-1), array.sum(1)) if array.ndim > 2 else (array.sum(1),)
        if (array >= 0).all() and array.any() and any(np.allclose(one, 1, rtol=0, atol=1e-2) for one in sums):
            return "softmax" if has_softmax else "probabilities"
        if not has_softmax and array.max() > 1e-3:  # of the logarithm of a probability only by rounding in half precision
            return "scores"
        if (name == "nll_loss" and framework.made_by(given) == "logsoftmax"
                and not np.allclose(np.exp(array).sum(1), 1, rtol=0, atol=1e-2)):
            return "axis"
        return None

    def _has_several(self, given: Any, target: Any) -> bool:
        """Whether the targets have a 0 or a 1 for each class, and rows with more than one of them."""
        framework = self._scene.framework
        if not framework.is_tensor(target) or tuple(target.shape) != tuple(given.shape) or len(tuple(target.shape)) != 2:
            return False
        labels = framework.values(target)
        return bool(np.isin(labels, (0, 1)).all() and (labels.sum(1) > 1).any())

    def _has_blanks(self, *given: Any, **named: Any) -> bool:
        """Whether a target of ctc_loss, within its length, holds the blank, which stands for no symbol."""
        framework = self._scene.framework
        order = ("targets", "labels"), ("input_lengths",), ("target_lengths", "label_lengths"), ("blank",)
        for keys, value in zip(order, given, strict=False):
            named |= dict.fromkeys(keys, value)
        targets, lengths = named.get("targets", named.get("labels")), named.get("target_lengths", named.get("label_lengths"))
        if not framework.is_tensor(targets):
            return False
        array = framework.values(targets)
        lengths = framework.values(lengths) if framework.is_tensor(lengths) else np.asarray(lengths)
        if array.ndim == 2:
            array = array[np.arange(array.shape[1]) < lengths.reshape(-1, 1)]
        return bool((array == named.get("blank", 0)).any())

    def _broadcast(self, what: str, original: Callable, args: tuple, kwargs: dict) -> Any:
        """[N, 1] minus, or times, [N] in a loss of the user's own.

        (Distances of all to all are of two tensors with a graph, or of one.)
        """
        scene, framework = self._scene, self._scene.framework
        result = original(*args, **kwargs)
        if scene.current.close and not scene.running and len(args) == 2 and all(map(framework.is_tensor, args)):
            one, other = (framework.shape_dtype(tensor)[0] for tensor in args)
            wider = one and other and len(one) != len(other) and np.prod(one) == np.prod(other) < np.prod(tuple(result.shape))
            alive = sum(map(framework.requires_grad, args))
            if wider and alive == 1:
                scene.current.broadcasts.append((what, one, other, scene.site()))
            elif what == "a difference" and alive == 2 and one == other and args[0] is not args[1] and np.prod(one) > 1:
                first, second = map(framework.values, args)
                if first.any() and np.array_equal(first, second):
                    scene.current.cancelled.append(scene.site())
        return result
