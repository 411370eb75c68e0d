"""Calls that do something else, or nothing. No number of a run could be imitated here: 1 means that it is so, 0 not."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import numpy as np
import paddle
import torch

from parity.differences.difference import Difference


def gradient_left_by_keyword() -> float:
    """1 if clear_gradient(set_to_zero=False) leaves a gradient behind."""
    x = paddle.ones([1])
    x.stop_gradient = False
    (2 * x).backward()
    x.clear_gradient(set_to_zero=False)
    return float(x.grad is not None)


def _gradient_left_by_position() -> float:
    x = paddle.ones([1])
    x.stop_gradient = False
    (2 * x).backward()
    x.clear_gradient(False)
    return float(x.grad is not None)


CLEAR_GRADIENT = Difference(
    name="clear_gradient",
    title="clear_gradient(set_to_zero=False) ignores its keyword",
    where="paddle.Tensor.clear_gradient",
    size="the gradient becomes zeros, not None; clear_gradient(False), by position, is right.",
    measure=gradient_left_by_keyword,
    expected=(1, 1),
    control=_gradient_left_by_position,
    correct="0: the gradient is None",
    figures={"3.3.1": 1, "3.0.0": 1, "2.6.2": 1},
    effect="an optimizer step without backward still moves weights (Adam's momentum), where torch's set_to_none "
           "skips them",
    is_bug=True,
)


def assigned_gradient_dropped() -> float:
    """1 if a backward drops the gradient that was assigned after clear_grad()."""
    x = paddle.ones([1])
    x.stop_gradient = False
    (2 * x).backward()
    x.clear_grad()
    x.grad = paddle.full([1], 10.0)
    (2 * x).backward()
    return float(x.grad.item() == 2)


def _assigned_gradient_dropped_uncleared() -> float:
    x = paddle.ones([1])
    x.stop_gradient = False
    (2 * x).backward()
    x.grad = paddle.full([1], 10.0)
    (2 * x).backward()
    return float(x.grad.item() == 2)


ASSIGNED_GRADIENT = Difference(
    name="assigned_gradient",
    title="a gradient assigned after clear_grad() is dropped by the next backward",
    where="paddle.Tensor.grad, after clear_grad() or clear_gradient()",
    size="the cleared tensor stays marked as empty, so the next backward writes over what was assigned; torch adds to it.",
    measure=assigned_gradient_dropped,
    expected=(1, 1),
    control=_assigned_gradient_dropped_uncleared,
    correct="0: 10 was assigned, a backward adds 2, and the gradient is 12",
    figures={"3.3.1": 1, "3.0.0": 1, "2.6.2": 1},
    effect="gradients that are put back (a restored accumulation, a gradient computed elsewhere) are lost without a word",
    avoided_by="the harness removes the mark (`_unset_fake_empty`) where it restores a gradient",
    is_bug=True,
)


def dtype_kept_by_astype() -> float:
    """1 if Layer.astype('float64') leaves the weights in float32."""
    layer = paddle.nn.Linear(2, 2)
    layer.astype("float64")
    return float(layer.weight.dtype == paddle.float32)


def _dtype_kept_by_to() -> float:
    layer = paddle.nn.Linear(2, 2)
    layer.to(dtype="float64")
    return float(layer.weight.dtype == paddle.float32)


ASTYPE = Difference(
    name="layer_astype",
    title="Layer.astype('float64') does nothing",
    where="paddle.nn.Layer.astype",
    size="the weights stay float32, without a word; layer.to(dtype='float64') is right.",
    measure=dtype_kept_by_astype,
    expected=(1, 1),
    control=_dtype_kept_by_to,
    correct="0: the weights are float64",
    figures={"3.3.1": 1, "3.0.0": 1, "2.6.2": 0},
    effect="a float64 comparison is silently one of float32",
    avoided_by="`to(dtype=...)`",
    is_bug=True,
)


def misshapen_state_accepted() -> float:
    """1 if set_state_dict takes a dict with a wrong shape and a missing key without an error."""
    layer = paddle.nn.Linear(2, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        layer.set_state_dict({"weight": paddle.zeros([3, 3])})
    return 1.0


def _misshapen_state_accepted_by_torch() -> float:
    try:
        torch.nn.Linear(2, 2).load_state_dict({"weight": torch.zeros(3, 3)})
    except RuntimeError:
        return 0.0
    return 1.0


SET_STATE_DICT = Difference(
    name="set_state_dict",
    title="set_state_dict only warns of wrong shapes and missing keys",
    where="paddle.nn.Layer.set_state_dict",
    size="a tensor of a wrong shape is skipped with a warning; the return value lists it.",
    measure=misshapen_state_accepted,
    expected=(1, 1),
    control=_misshapen_state_accepted_by_torch,
    correct="a choice; torch raises",
    figures={"3.3.1": 1, "3.0.0": 1, "2.6.2": 1},
    effect="a checkpoint that does not fit leaves the layer as it was initialised",
    avoided_by="the converter is strict and reloads what it wrote",
)


def legacy_checkpoint_is_an_integer() -> float:
    """1 if paddle.load of a legacy .pt file returns an integer."""
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder, "legacy.pt"))
        torch.save({"weight": torch.zeros(2)}, file, _use_new_zipfile_serialization=False)
        return float(isinstance(paddle.load(file), int))


def _own_checkpoint_is_an_integer() -> float:
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder, "own.pdparams"))
        paddle.save({"weight": paddle.zeros([2])}, file)
        return float(isinstance(paddle.load(file), int))


LEGACY_LOAD = Difference(
    name="load_legacy_pt",
    title="paddle.load of a legacy .pt file returns an integer",
    where="paddle.load",
    size="it reads the first pickle of the file, torch's magic number 119547037146038801333356, and stops.",
    measure=legacy_checkpoint_is_an_integer,
    expected=(1, 1),
    control=_own_checkpoint_is_an_integer,
    correct="0: an error",
    figures={"3.3.1": 1, "3.0.0": 1, "2.6.2": 1},
    effect="none: what follows fails, far from the cause",
    avoided_by="the converter reads such files itself",
)


def safetensors_is_a_pickle() -> float:
    """1 if paddle.save(..., safetensors=True) of a dict of arrays writes a pickle."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "state.safetensors")
        try:
            paddle.save({"weight": np.zeros(2)}, str(file), safetensors=True)
        except ValueError:  # before 3.1: no such option
            return 0.0
        return float(file.read_bytes()[:1] == b"\x80")


def _safetensors_of_tensors_is_a_pickle() -> float:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "state.safetensors")
        try:
            paddle.save({"weight": paddle.zeros([2])}, str(file), safetensors=True)
        except ValueError:
            return 0.0
        return float(file.read_bytes()[:1] == b"\x80")


SAFETENSORS = Difference(
    name="save_safetensors",
    title="paddle.save(..., safetensors=True) writes a pickle for numpy arrays",
    where="paddle.save",
    size="the file starts with the bytes of a pickle, not with a safetensors header. A dict of Paddle tensors is "
         "written rightly.",
    measure=safetensors_is_a_pickle,
    expected=(1, 1),
    control=_safetensors_of_tensors_is_a_pickle,
    correct="0: a safetensors file, or an error",
    figures={"3.3.1": 1, "3.0.0": 0, "2.6.2": 0},
    effect="none on training; whoever loads the file runs a pickle in the belief that it is safe",
    avoided_by="the converter writes with the safetensors library",
    is_bug=True,
)

def recurrent_backward_raises() -> float:
    """1 if the backward of an LSTM in eval mode raises."""
    layer = paddle.nn.LSTM(2, 2)
    layer.eval()
    try:
        layer(paddle.ones([1, 3, 2]))[0].sum().backward()
    except RuntimeError:
        return 1.0
    return 0.0


def _cell_backward_raises() -> float:
    layer = paddle.nn.RNN(paddle.nn.LSTMCell(2, 2))
    layer.eval()
    try:
        layer(paddle.ones([1, 3, 2]))[0].sum().backward()
    except RuntimeError:
        return 1.0
    return 0.0


RECURRENT_BACKWARD = Difference(
    name="recurrent_backward",
    title="The backward of LSTM, GRU and SimpleRNN raises in eval mode",
    where="paddle.nn.LSTM, GRU, SimpleRNN (the rnn kernel), CPU",
    size="'(PreconditionNotMet) Tensor holds no memory': what the backward needs is kept in train mode only. paddle.nn.RNN around "
         "a cell, which runs step by step, has its gradients.",
    measure=recurrent_backward_raises,
    expected=(1, 1),
    control=_cell_backward_raises,
    correct="0: gradients, as in train mode; torch has them on the CPU",
    figures={"3.3.1": 1, "3.0.0": 1, "2.6.2": 1},
    effect="no gradients of a network in eval mode (saliency maps, a frozen recogniser inside a loss); the message names no cause",
    avoided_by="no such layer in the twin of U-GAT-IT; elsewhere train mode, where without dropout the results are the same",
    is_bug=True,
)

def write_through_view_lost() -> float:
    """1 if a value's gradient knows nothing of what was written into the value through a view of it."""
    x = paddle.ones([2])
    x.stop_gradient = False
    y = x * 1
    y[:1].scale_(2.0)
    y.sum().backward()
    return float(y[0].item() == 2 and x.grad[0].item() == 1)


def _write_lost() -> float:
    x = paddle.ones([2])
    x.stop_gradient = False
    y = x * 1
    y.scale_(2.0)
    y.sum().backward()
    return float(y[0].item() == 2 and x.grad[0].item() == 1)


WRITE_THROUGH_VIEW = Difference(
    name="write_through_view",
    title="What is written in place through a view has no gradient",
    where="in-place operations (scale_, exp_, zero_, item assignment) on y[:1], y.reshape, y.view, paddle.flatten(y), followed by "
          "a backward from y",
    size="the values of y are the written ones, its gradient is that of y as it was before. Right where y itself is written: "
         "y.scale_(2), y[:1] *= 2.",
    measure=write_through_view_lost,
    expected=(1, 1),
    control=_write_lost,
    correct="0: the gradient of what y holds, as torch gives",
    figures={"3.3.1": 1, "3.0.0": 1, "2.6.2": 1},
    effect="a mask or a scale that is applied through a slice changes the forward and not the gradient, without a word",
    avoided_by="no such write in the twin of U-GAT-IT; elsewhere write into the whole (y[:1] *= 2), or out of place",
    is_bug=True,
)


def written_by_index_lost(dtype: str = "float64") -> float:
    """1 if the gradient of a value that is written by index is not that of the elements it was written to."""
    value = paddle.ones([2, 4], dtype)
    value.stop_gradient = False
    x = paddle.zeros([3, 4], dtype)
    x[paddle.to_tensor([0, 2])] = value
    x.sum().backward()
    return float((value.grad != 1).any())


def _written_by_index_in_float32() -> float:
    return written_by_index_lost("float32")


WRITTEN_BY_INDEX = Difference(
    name="written_by_index",
    title="What is written by index has no gradient in float64",
    where="x[rows] = value and x[mask] *= 2, with a tensor, a list or an array as the index, in float64, on the CPU (the kernel "
          "index_elementwise_put_with_tensor)",
    size="its backward reads float64 as float32: half of the numbers are zeros, and half are what lies in memory. Right in "
         "float32, with slices, and by index_put_.",
    measure=written_by_index_lost,
    expected=(1, 1),
    control=_written_by_index_in_float32,
    correct="0: each value's gradient is that of its element, as torch gives",
    figures={"3.3.1": 1, "3.0.0": 0, "2.6.2": 0},
    effect="none on training in float32; one in float64 goes wrong without a word. Where a comparison runs a program in float64, "
           "the same elements are written by index_put_",
    avoided_by="no such write in the twin of U-GAT-IT; elsewhere index_put_, or paddle.where",
    is_bug=True,
)


def written_by_mask_lost() -> float:
    """1 if one number that is written by a mask gets no gradient."""
    value = paddle.ones([1])
    value.stop_gradient = False
    x = paddle.zeros([3, 4])
    x[paddle.to_tensor([True, False, True])] = value
    x.sum().backward()
    return float(value.grad.item() == 0)


def _one_written_by_index_lost() -> float:
    value = paddle.ones([1])
    value.stop_gradient = False
    x = paddle.zeros([3, 4])
    x[paddle.to_tensor([0, 2])] = value
    x.sum().backward()
    return float(value.grad.item() == 0)


WRITTEN_BY_MASK = Difference(
    name="written_by_mask",
    title="One number that is written by a mask has no gradient",
    where="x[mask] = value, with a value of one element that is trained (a mask token, a fill value), CPU",
    size="all: zeros come back. Right where the value has a row's shape, where the mask is turned into indices, and with "
         "paddle.where.",
    measure=written_by_mask_lost,
    expected=(1, 1),
    control=_one_written_by_index_lost,
    correct="0: the sum over what was written, as torch gives",
    figures={"3.3.1": 1, "3.0.0": 0, "2.6.2": 0},
    effect="a fill value is never trained, without a word",
    avoided_by="no such write in the twin of U-GAT-IT; elsewhere paddle.where(mask, value, x)",
    is_bug=True,
)

ENTRIES = (CLEAR_GRADIENT, ASSIGNED_GRADIENT, ASTYPE, SET_STATE_DICT, LEGACY_LOAD, SAFETENSORS, RECURRENT_BACKWARD,
           WRITE_THROUGH_VIEW, WRITTEN_BY_INDEX, WRITTEN_BY_MASK)
