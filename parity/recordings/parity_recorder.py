#!/usr/bin/env python3
"""Records a port where it runs, for `parity diff`: one file for old environments, which needs numpy and the framework alone.

Python 3.6 and later; Paddle 1.8 (dygraph) and later, torch 1.2 and later. Written out by `parity recorder > parity_recorder.py`.

    python parity_recorder.py networks.py:build --outline outline.json     what the network is made of; nothing is run
    python parity_recorder.py networks.py:build --from there/ here/        run it on the weights and inputs of a trace

`build` is a class or function without arguments that returns the network. Between the two calls `parity record --side reference
--for outline.json ... there/`, in an environment of today, pairs it with the reference and writes its weights and inputs into
`there/`; afterwards `parity diff there/ here/` judges. Out of a program of your own:

    import parity_recorder
    parity_recorder.outline(build, "outline.json")
    parity_recorder.record(build, "there/", "here/")

What is recorded, and under which names, is what `parity record --side twin` records of a twin of today: the borders of modules, the
local variables of the user's own files line by line, gradients, buffers, in the format of parity/recordings/format.py. In lane
float32 gradients come of a replay: each module is given the reference's values. An activation that is part of a layer (`act=`) is
made after the layer's border, where the reference has a layer without.
"""

import argparse
import ast
import collections
import contextlib
import hashlib
import importlib
import importlib.util
import inspect
import json
import linecache
import os
import platform
import random
import re
import shutil
import struct
import sys
import zlib

import numpy as np

FORMAT = 3  # of recordings
OUTLINE = "parity outline"
_HEADER = 1 << 22  # bytes kept free for safetensors' header, which comes first and is known last
_NAMES = {"float16": "F16", "float32": "F32", "float64": "F64", "int8": "I8", "int16": "I16", "int32": "I32", "int64": "I64",
          "uint8": "U8", "uint16": "U16", "uint32": "U32", "uint64": "U64", "bool": "BOOL"}
_DTYPES = {code: np.dtype(name) for name, code in _NAMES.items()}


class RecorderError(Exception):
    """What was given cannot be used: a damaged trace, a builder that raises, weights that do not fit."""


# --- files ---------------------------------------------------------------------------------------------------------------


def digest(array):
    """A hash of dtype, shape and every bit: the name of a value in a recording."""
    found = hashlib.blake2b(f"{_name_of(array.dtype)} {list(array.shape)} ".encode(), digest_size=16)
    found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


def _name_of(dtype):
    return f"str{8 * dtype.itemsize}" if dtype.kind == "U" else dtype.name


def write_json(path, document):
    """Atomically, sealed with its hash, which is returned."""
    text = json.dumps(document)
    seal = hashlib.sha256(text.encode()).hexdigest()
    partial = f"{path}.{os.getpid()}"
    with open(partial, "w") as file:
        file.write(f'{text[:-1]}, "hash": "{seal}"}}')
    os.replace(partial, path)
    return seal


def read_json(path, seal=None):
    """Raises RecorderError where the file is not what was written."""
    try:
        with open(path) as file:
            document = json.load(file, object_pairs_hook=collections.OrderedDict)
        own = document.pop("hash", None)
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        raise RecorderError(f"{path}: expected JSON of parity, cannot read it ({error}); is it the one that was meant, and "
                            f"whole?") from error
    if own != hashlib.sha256(json.dumps(document).encode()).hexdigest() or seal not in (None, own):
        raise RecorderError(f"{path}: what it holds is not what was written, its hash is another; copy or record it again")
    return document


class Values:
    """The tensors of a safetensors file, each read when it is asked for."""

    def __init__(self, path):
        self.path = path
        try:
            with open(path, "rb") as file:
                size, = struct.unpack("<Q", file.read(8))
                if size > os.path.getsize(path) - 8:
                    raise ValueError("it ends within its header")
                header = json.loads(file.read(size).decode())
            self._begin = 8 + size
            self.metadata = header.pop("__metadata__", {})
            self._entries = {name: (_DTYPES[entry["dtype"]], tuple(entry["shape"]), entry["data_offsets"])
                             for name, entry in header.items()}
            if max([0] + [end for _, _, (_, end) in self._entries.values()]) > os.path.getsize(path) - self._begin:
                raise ValueError("it ends before its last value")
        except (OSError, ValueError, KeyError, TypeError, AttributeError, struct.error) as error:
            raise RecorderError(f"{path}: expected a safetensors file, cannot read it ({error}); it is damaged or cut off, copy "
                                f"or record it again") from error

    def __iter__(self):
        return iter(self._entries)

    def array(self, name):
        dtype, shape, (begin, end) = self._entries[name]
        with open(self.path, "rb") as file:
            file.seek(self._begin + begin)
            data = file.read(end - begin)
        try:
            return np.frombuffer(data, dtype).reshape(shape).copy()
        except ValueError as error:
            raise RecorderError(f"{self.path}: value {name} is damaged ({error}); copy or record it again") from error


class Writer:
    """Writes each value to a safetensors file as it comes, once. kinds: hash of a value -> its dtype and shape."""

    def __init__(self, path):
        self.path, self.kinds = path, {}
        self._partial = f"{path}.{os.getpid()}"
        self._entries, self._offset = {}, 0
        self._file = open(self._partial, "wb")  # noqa: SIM115 (closed by `close`)
        self._file.write(struct.pack("<Q", _HEADER))
        self._file.seek(8 + _HEADER)

    def write(self, array):
        """Returns the hash by which the value is known."""
        place = digest(array)
        if place not in self.kinds:
            self.kinds[place] = [_name_of(array.dtype), list(array.shape)]
            plain, shape = np.ascontiguousarray(array).reshape(-1), list(array.shape)
            if array.dtype.kind == "U":
                plain = plain.view(np.uint32)
                shape = list(plain.shape)
            elif array.dtype.kind == "c":
                plain = plain.view(plain.real.dtype)
                shape = list(plain.shape)
            if plain.dtype.name not in _NAMES:
                raise RecorderError(f"expected values of numbers to record, found dtype {array.dtype}")
            data = plain.tobytes()
            self._file.write(data)
            self._entries[place] = {"dtype": _NAMES[plain.dtype.name], "shape": shape,
                                    "data_offsets": [self._offset, self._offset + len(data)]}
            self._offset += len(data)
        return place

    def close(self):
        """Puts the file in its place."""
        header = json.dumps(self._entries).encode()
        if len(header) > _HEADER:
            raise RecorderError(f"{self.path}: {len(self._entries)} values are more than its header can name")
        self._file.seek(8)
        self._file.write(header.ljust(_HEADER))
        self._file.close()
        os.replace(self._partial, self.path)

    def discard(self):
        """Leaves nothing behind of what was not completed."""
        self._file.close()
        if os.path.exists(self._partial):
            os.remove(self._partial)


class Trace:
    """A folder that `parity record --side reference` wrote."""

    def __init__(self, folder):
        self.folder = folder
        index = os.path.join(folder, "index.json")
        if not os.path.exists(index):
            raise RecorderError(f"{folder}: expected a folder that `parity record` wrote, found no index.json in it")
        self.index = read_json(index)
        if self.index.get("kind") != "parity trace" or self.index.get("format") != FORMAT:
            raise RecorderError("{}: expected a trace of format {}, found {} of format {}; take the parity that wrote this recorder"
                                .format(folder, FORMAT, self.index.get("kind"), self.index.get("format")))
        if self.index["programs"] != len(self.index["planned"]):
            raise RecorderError("{}: the recording was interrupted after {} of {} programs; record again".format(
                folder, self.index["programs"], len(self.index["planned"])))
        if self.index["keep"] == "summaries" and self.index["lane"] == "float32":
            raise RecorderError(f"{folder}: float32 needs the reference's values; record it with --keep all or layers")

    def program(self, number):
        """(document, values) of a program, from 1."""
        stem = f"program-{number:04}"
        name = stem + ".json"
        if name not in self.index["parts"]:
            raise RecorderError(f"{self.folder}: {name} is not in its index; copy or record it again")
        return (read_json(os.path.join(self.folder, name), self.index["parts"][name]),
                Values(os.path.join(self.folder, stem + ".safetensors")))

    def start(self, document):
        """(weights, inputs) of a program: name -> array. What is a number, comes as one."""
        values = Values(os.path.join(self.folder, "start-{}.safetensors".format(document["start"])))
        flat = {name: values.array(name) for name in values}
        for name in json.loads(values.metadata.get("complex", "[]")):  # its two parts stand along one more axis
            flat[name] = flat[name].view(np.result_type(flat[name].dtype, np.complex64))[..., 0]
        flat.update(json.loads(values.metadata.get("numbers", "{}")))
        found = hashlib.sha256()
        for name in sorted(flat):
            found.update(name.encode())
            found.update(np.ascontiguousarray(flat[name]).tobytes() if isinstance(flat[name], np.ndarray)
                         else repr(flat[name]).encode())
        if found.hexdigest() != document["start"]:
            raise RecorderError(f"{values.path}: weights or inputs are not those that were recorded; copy or record it again")
        parts = {"weights": {}, "inputs": {}}
        for name, value in flat.items():
            part, own = json.loads(name)
            parts[part][own] = value
        missing = [name for name in document["arguments"] if name not in parts["inputs"]]
        if missing:
            raise RecorderError("{}: inputs {} are missing in it; record again".format(values.path, ", ".join(missing)))
        return parts["weights"], collections.OrderedDict((name, parts["inputs"][name]) for name in document["arguments"])


# --- frameworks ----------------------------------------------------------------------------------------------------------


class Paddle:
    """Paddle, of any age: 1.8's dygraph has other names and no hooks for gradients, which are read after backward there."""

    name, children = "paddle", "_sub_layers"

    def __init__(self):
        self.module = importlib.import_module("paddle")
        self.version = self.module.__version__
        self.old = self.version.split(".")[0] in ("0", "1")
        if self.old:
            self.fluid = importlib.import_module("paddle.fluid")
            self.layer = self.fluid.dygraph.Layer
            self.tensor_class = self.fluid.core.VarBase
            self.place = self.fluid.CPUPlace()
        else:
            self.layer, self.place = self.module.nn.Layer, self.module.CPUPlace()
            self.tensor_class = self.module.Tensor
        self._hooked = hasattr(self.tensor_class, "register_hook")  # from 2.1 on
        self._awaited = []  # (tensor, what observes its gradient), where there are no hooks

    @contextlib.contextmanager
    def active(self):
        if self.old and not self.fluid.in_dygraph_mode():
            with self.fluid.dygraph.guard(self.place):
                yield
        elif self.old:
            yield
        else:
            before = self.module.get_device()
            self.module.set_device("cpu")
            try:
                yield
            finally:
                self.module.set_device(before)

    def seed(self, seed):
        if not self.old:
            self.module.seed(seed)

    @contextlib.contextmanager
    def defaulting(self, dtype):
        if self.old:
            yield
            return
        before = self.module.get_default_dtype()
        self.module.set_default_dtype(dtype)
        try:
            yield
        finally:
            self.module.set_default_dtype(before)

    def is_tensor(self, value):
        """Whether it is one that holds something: 1.8's layers make empty ones for a result to come."""
        return isinstance(value, self.tensor_class) and bool(value.value().get_tensor()._is_initialized())

    def array(self, tensor):
        return np.array(tensor.numpy())

    def tensor(self, array, requires_grad=False):
        made = self.fluid.dygraph.to_variable(array) if self.old else self.module.to_tensor(array, place=self.place)
        made.stop_gradient = not requires_grad
        return made

    def clone(self, tensor):
        return self.fluid.layers.assign(tensor) if self.old else tensor.clone()

    def activation(self, name, tensor):
        return getattr(self.fluid.layers if self.old else self.module.nn.functional, name)(tensor)

    def dtype_of(self, tensor):
        found = str(tensor.dtype).rpartition(".")[2].lower()
        return {"fp16": "float16", "fp32": "float32", "fp64": "float64"}.get(found, found)

    def requires_grad(self, tensor):
        return not tensor.stop_gradient and self.dtype_of(tensor).startswith(("float", "bfloat", "complex"))

    def overwrite(self, tensor, array):
        """Also with another dtype: `set_value` refuses that."""
        place = self.fluid.framework._current_expected_place() if self.old else self.place  # in a guard of the user's own
        tensor.value().get_tensor().set(np.ascontiguousarray(array), place)

    def prepare(self, modules, dtype, training):
        for module in modules:
            module._dtype = dtype
        if not self.old:
            modules[0].train() if training else modules[0].eval()
            return
        for module in modules:  # `eval` would end the recording of gradients for the whole process
            module.training = training
        self.fluid.framework._dygraph_tracer().train_mode()

    def tensors_of(self, module):
        """(parameters, buffers, names of buffers that no state dict holds) of the module itself."""
        parameters = {name: value for name, value in module._parameters.items() if value is not None}
        held = module._buffers if hasattr(module, "_buffers") else {
            name: value for name, value in vars(module).items() if self.is_tensor(value)}
        buffers = {name: value for name, value in held.items() if value is not None}
        frozen = {"BatchNorm": ("_mean", "_variance"), "SpectralNorm": ("weight_u", "weight_v")}
        for base in type(module).__mro__:
            for kind, names in frozen.items():
                if base.__module__.startswith("paddle") and base.__name__.startswith(kind):
                    buffers.update({name: parameters.pop(name) for name in names if name in parameters})
        for name in frozen["SpectralNorm"]:  # of a layer of the user's own
            if name in parameters and parameters[name].stop_gradient:
                buffers[name] = parameters.pop(name)
        products = {name for name in buffers if name + "_orig" in parameters or name + "_v" in parameters}
        return parameters, {n: b for n, b in buffers.items() if n not in products}, set(
            getattr(module, "_non_persistable_buffer_names_set", ()))

    def on_gradient(self, tensor, observe):
        if not self._hooked:
            self._awaited.append((tensor, observe))
        else:
            def hook(gradient):
                observe(self.array(gradient))
            tensor.register_hook(hook)

    def gradient(self, tensor):
        found = tensor.gradient() if not self._hooked else tensor.grad
        return found if found is None or isinstance(found, np.ndarray) else self.array(found)

    def clear_gradient(self, tensor):
        tensor.clear_gradient()

    def backward(self, ends):
        """Of sum(tensor * gradient), whose gradients are exactly these."""
        layers = self.fluid.layers if self.old else self.module
        total = None
        for tensor, gradient in ends:
            product = tensor * self.tensor(np.conj(gradient))
            product = self.module.real(product) if gradient.dtype.kind == "c" else product
            one = layers.reduce_sum(product) if self.old else layers.sum(product)
            total = one if total is None else total + one
        if total is not None:
            total.backward()
        for tensor, observe in reversed(self._awaited):
            gradient = tensor.gradient()
            if gradient is not None:
                observe(np.array(gradient))
        self._awaited = []


class Torch:
    name, children = "torch", "_modules"

    def __init__(self):
        self.module = importlib.import_module("torch")
        self.version = self.module.__version__
        self.layer, self.tensor_class = self.module.nn.Module, self.module.Tensor

    @contextlib.contextmanager
    def active(self):
        yield

    def seed(self, seed):
        self.module.manual_seed(seed)

    @contextlib.contextmanager
    def defaulting(self, dtype):
        before = self.module.get_default_dtype()
        self.module.set_default_dtype(getattr(self.module, dtype))
        try:
            yield
        finally:
            self.module.set_default_dtype(before)

    def is_tensor(self, value):
        return isinstance(value, self.tensor_class)

    def array(self, tensor):
        return np.array(tensor.detach().cpu().numpy())

    def tensor(self, array, requires_grad=False):
        made = self.module.from_numpy(np.array(array))
        return made.requires_grad_() if requires_grad else made

    def clone(self, tensor):
        return tensor.clone()

    def dtype_of(self, tensor):
        return str(tensor.dtype).rpartition(".")[2]

    def requires_grad(self, tensor):
        return tensor.requires_grad

    def overwrite(self, tensor, array):
        tensor.data = self.module.from_numpy(np.array(array))

    def prepare(self, modules, dtype, training):
        modules[0].train(training)

    def tensors_of(self, module):
        return ({name: value for name, value in module._parameters.items() if value is not None},
                {name: value for name, value in module._buffers.items() if value is not None},
                set(getattr(module, "_non_persistent_buffers_set", ())))

    def on_gradient(self, tensor, observe):
        def hook(gradient):
            observe(self.array(gradient))
        tensor.register_hook(hook)

    def gradient(self, tensor):
        return None if tensor.grad is None else self.array(tensor.grad)

    def clear_gradient(self, tensor):
        tensor.grad = None

    def backward(self, ends):
        if ends:
            self.module.autograd.backward([tensor for tensor, _ in ends], [self.tensor(gradient) for _, gradient in ends])


def _frameworks():
    """Those that the user's files have imported."""
    return [kind() for kind in (Paddle, Torch) if kind.name in sys.modules]


# --- a network -----------------------------------------------------------------------------------------------------------


class Network:
    """A network as it was built. sites: id of a module -> the user's line that built it. modules: path -> module, each once."""

    def __init__(self, framework, model, source, sites):
        self.framework, self.model, self.source, self.sites = framework, model, source, sites
        self.modules = collections.OrderedDict()
        self._walk(model, "", set())
        self.parameters, self.buffers = collections.OrderedDict(), collections.OrderedDict()
        seen = set()
        for path, module in self.modules.items():
            parameters, buffers, _ = framework.tensors_of(module)
            for held, into in ((parameters, self.parameters), (buffers, self.buffers)):
                for name, tensor in held.items():
                    if id(tensor) not in seen:
                        seen.add(id(tensor))
                        into[_dotted(path, name)] = tensor

    def _walk(self, module, path, seen):
        if id(module) in seen:
            return
        seen.add(id(module))
        self.modules[path] = module
        for name, child in getattr(module, self.framework.children).items():
            if child is not None:
                self._walk(child, _dotted(path, name), seen)

    def entries(self):
        """Name -> tensor, of parameters and buffers."""
        return collections.OrderedDict(list(self.parameters.items()) + [(name, self.buffer(name)) for name in self.buffers])

    def buffer(self, name):
        """As it is now: what a program assigns anew is another tensor."""
        path, _, own = name.rpartition(".")
        return self.framework.tensors_of(self.modules[path])[1].get(own, self.buffers[name])

    def outline(self):
        """What pairing asks of it: types, names and shapes, JSON-ready. What occurs twice, is one number twice."""
        return self._outline(self.model, {})

    def _outline(self, module, known):
        framework = self.framework

        def number(thing):
            return known.setdefault(id(thing), len(known))

        def tensors(held):
            return {name: [number(tensor), [int(n) for n in tensor.shape], framework.dtype_of(tensor),
                           bool(framework.requires_grad(tensor)), _constant(framework.array(tensor))]
                    for name, tensor in held.items()}

        parameters, buffers, transient = framework.tensors_of(module)
        hooks = getattr(module, "_forward_pre_hooks", {}).values()
        return {
            "number": number(module), "type": [type(module).__module__, type(module).__name__],
            "bases": [f"{base.__module__}.{base.__name__}" for base in type(module).__mro__
                      if base.__module__.split(".")[0] == framework.name and base is not object],
            "parameters": tensors(parameters), "buffers": tensors(buffers), "transient": sorted(transient),
            "norms": [[f"{type(hook).__module__}.{type(hook).__name__}", hook.name, hook.dim] for hook in hooks
                      if hasattr(hook, "name") and hasattr(hook, "dim")],
            "modules": collections.OrderedDict((name, self._outline(child, known)) for name, child
                                               in getattr(module, framework.children).items() if child is not None),
        }


def _constant(array):
    """The one number that it holds; None of several."""
    one = array.reshape(-1)[0] if array.size else None
    return float(one) if one is not None and np.isfinite(one) and (array == one).all() else None


def _dotted(*parts):
    return ".".join(part for part in parts if part)


class Source:
    """The user's files, whose lines are followed."""

    def __init__(self, files):
        self._files = {os.path.realpath(file) for file in files}
        self._known = {}

    def add(self, file):
        self._files.add(os.path.realpath(file))
        self._known.clear()

    def __contains__(self, file):
        found = self._known.get(file)
        if found is None:
            path = os.path.realpath(file)
            found = self._known[file] = any(path == one or path.startswith(one + os.sep) for one in self._files)
        return found

    def site(self, frame, but=None):
        """(file, line) of the innermost of the user's lines on the stack; frames of `but`'s own methods are passed over."""
        while frame is not None:
            if frame.f_code.co_filename in self and not (but is not None and frame.f_locals.get("self") is but):
                return frame.f_code.co_filename, frame.f_lineno
            frame = frame.f_back
        return None

    def defines(self, module):
        code = getattr(inspect.unwrap(getattr(type(module), "forward", None)), "__code__", None)
        return code is not None and code.co_filename in self


def built(build, sources=()):
    """The Network that a builder returns, or around one that is built. Raises RecorderError."""
    code = getattr(build, "__code__", None)
    file = getattr(sys.modules.get(getattr(build, "__module__", "")), "__file__", None)
    source = Source(list(sources) + [one for one in (code.co_filename if code is not None else None, file)
                                     if one is not None and one != os.path.abspath(__file__)])
    frameworks, sites, kept = _frameworks(), {}, []
    model = build
    if not any(isinstance(build, framework.layer) for framework in frameworks):
        if not callable(build):
            raise RecorderError(f"expected a class or function that builds a network, or a network, found {build!r}")
        with contextlib.ExitStack() as stack:
            for framework in frameworks:
                stack.enter_context(framework.active())
                stack.enter_context(_noting(framework.layer, source, sites, kept))
            try:
                model = build()
            except (Exception, SystemExit) as error:
                name = getattr(build, "__name__", build)
                raise RecorderError(f"{name}: the network cannot be built ({_in_words(error)}){_at(error, source)}") from error
    for framework in frameworks:
        if isinstance(model, framework.layer):
            for module in Network(framework, model, source, sites).modules.values():
                for base in type(module).__mro__:
                    file = getattr(sys.modules.get(base.__module__), "__file__", None)
                    if file and base is not object and base.__module__.split(".")[0] not in ("paddle", "torch"):
                        source.add(file)
            return Network(framework, model, source, sites)
    raise RecorderError("expected a network of {}, found {}.{}".format(
        " or ".join(framework.name for framework in frameworks) or "Paddle or torch, neither of which was imported",
        type(model).__module__, type(model).__name__))


@contextlib.contextmanager
def _noting(layer, source, sites, kept):
    """Meanwhile each module's line is noted. kept: the modules, so that no id stands for two."""
    original = layer.__init__

    def init(module, *args, **kwargs):
        original(module, *args, **kwargs)
        frame = sys._getframe(1)
        while frame is not None and (frame.f_locals.get("self") is module or (
                frame.f_code.co_filename not in source and _is_library(frame.f_code.co_filename))):
            # Which files are the user's is known only when all is built.
            frame = None if frame.f_code is built.__code__ else frame.f_back
        kept.append(module)
        if frame is not None:
            sites[id(module)] = frame.f_code.co_filename, frame.f_lineno

    layer.__init__ = init
    try:
        yield
    finally:
        layer.__init__ = original


def _is_library(file):
    return (os.sep + "site-packages" + os.sep in file or file.startswith("<") or file == __file__
            or os.path.realpath(file).startswith(os.path.realpath(os.path.dirname(os.__file__)) + os.sep))


def _in_words(error):
    return f"{type(error).__name__}: {_text_of(error)}"


def _text_of(error):
    """What an exception says, without the stack that Paddle puts before it."""
    text = str(error).rpartition("Error Message Summary:")[2]
    return " ".join(text.replace("----------------------", "").split())[:300]


def _place_of(error, source):
    frame, found = error.__traceback__, None
    while frame is not None:
        if frame.tb_frame.f_code.co_filename in source:
            found = frame.tb_frame.f_code.co_filename, frame.tb_lineno
        frame = frame.tb_next
    return found


def _at(error, source):
    place = _place_of(error, source)
    return " at {}:{}".format(*place) if place else ""


# --- statements ----------------------------------------------------------------------------------------------------------


_STATEMENTS, _TREES = {}, {}


def _statements_of(code):
    """Line -> (first line, names that it binds) of the simple statements of a code object."""
    if (code, code.co_filename) not in _STATEMENTS:
        _STATEMENTS[code, code.co_filename] = _read_statements(code)
    return _STATEMENTS[code, code.co_filename]


def _read_statements(code):
    if code.co_filename not in _TREES:
        try:
            _TREES[code.co_filename] = ast.parse("".join(linecache.getlines(code.co_filename)))
        except SyntaxError:
            _TREES[code.co_filename] = ast.parse("")
    functions = [node for node in ast.walk(_TREES[code.co_filename])
                 if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == code.co_name
                 and min([node.lineno] + [one.lineno for one in node.decorator_list]) == code.co_firstlineno]
    found, together = {}, []
    for first, last, binds in sorted(_simple(functions[0]) if functions else ()):
        if together and first <= together[-1][1]:  # they share a line, and lines are all that can be seen
            before = together.pop()
            first, last, binds = before[0], max(before[1], last), before[2] + [name for name in binds if name not in before[2]]
        together.append((first, last, binds))
    for first, last, binds in together:
        found.update(dict.fromkeys(range(first, last + 1), (first, binds)))
    return found


def _simple(function):
    """(first line, last line, names bound) of each simple statement; compound ones count by their header."""
    pending = list(function.body)
    while pending:
        node = pending.pop(0)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        blocks = [block for name in ("body", "orelse", "finalbody") for block in (getattr(node, name, None) or [])]
        branches = list(getattr(node, "handlers", None) or []) + list(getattr(node, "cases", None) or [])
        for branch in branches:
            blocks += branch.body
        pending += blocks
        header = [part for part in ast.iter_child_nodes(node)
                  if part not in blocks and part not in branches] if blocks else [node]
        inner = [one for part in header for one in ast.walk(part)]
        last = max([node.lineno] + [getattr(one, "end_lineno", None) or getattr(one, "lineno", 0) for one in inner])
        binds = []
        for one in inner:
            if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store) and one.id not in binds:
                binds.append(one.id)
        yield node.lineno, last, binds


# --- what is recorded ----------------------------------------------------------------------------------------------------


class Names:
    """What the reference calls the modules and tensors of the network, and in which layout it has them.

    told: what `parity record` wrote of it (parity/recordings/elsewhere.py); None where both have the same names and layouts.
    """

    def __init__(self, network, told, weights):
        self._prefix = ""
        if told is None:
            entries = [[name, name, "identity", list(weights[name].shape), list(weights[name].shape), None, 0]
                       for name in network.entries() if name in weights]
            told = {"entries": entries, "paths": None, "hidden": [], "lone": [], "plain": []}
        self.entries = {entry[0]: entry[1:] for entry in told["entries"]}
        self.paths, self.plain = told["paths"], set(told["plain"])  # of the reference's: of layers that have no activation in them
        self.hidden, self._parts = set(told["hidden"]), {}
        own = network.entries()
        self._rest = {name: network.framework.array(own[name]) for name in told["lone"] if name in own}
        lost = [name for name in self.entries if name not in own]
        if lost:
            raise RecorderError(f"the network has no {', '.join(lost[:4])}, which the trace was made for; it has changed since its "
                                f"outline was written: write the outline and record again")

    def path(self, own):
        """The reference's path of a module; None where it has no such module."""
        return own if self.paths is None else self.paths.get(own)

    def given(self, name, weights, shape):
        """The reference's weight in the network's layout. Raises RecorderError."""
        source, rule, _, target_shape, rows, axis = self.entries[name]
        if source not in weights:
            raise RecorderError(f"the trace has no weight {source}, which {name} is given; record again")
        array = weights[source]
        if rows:
            array = array[(slice(None),) * axis + (slice(rows[0], rows[1]),)]
        if rule in ("flatten", "row", "reshape"):
            array = array.reshape(target_shape)
        elif rule == "matrix":
            array = array.reshape(array.shape[:2]).T
        elif rule == "transpose":
            array = array.T
        if tuple(array.shape) != tuple(shape):
            raise RecorderError(f"{name}: the reference's {source} gives {tuple(array.shape)}, the network has {tuple(shape)}; it "
                                f"has changed since its outline was written: write the outline and record again")
        return array

    def layout(self, name, array):
        """A tensor of the network (or its gradient) in the reference's layout; a piece where it is split."""
        if name not in self.entries or array is None:
            return array
        _, rule, source_shape, _, _, _ = self.entries[name]
        if rule in ("flatten", "row", "reshape"):
            array = array.reshape(source_shape)
        elif rule == "matrix":
            array = array.T.reshape(source_shape)
        elif rule == "transpose":
            array = array.T
        return np.array(array, order="C")

    def view(self, name, array):
        """(name, array) as the reference knows it; None for what is not shown: of a split tensor all pieces but the last."""
        if name in self.hidden or (name in self._rest and (array is None or np.array_equal(
                array, self._rest[name].astype(array.dtype)))):
            return None
        if name not in self.entries:
            return name, array
        source, _, source_shape, _, rows, axis = self.entries[name]
        array = self.layout(name, array)
        if not rows:
            return source, array
        pieces = self._parts.setdefault(source, {})
        pieces[rows[0]] = array
        if any(piece is None for piece in pieces.values()):
            self._parts.pop(source)
            return source, None
        if sum(piece.shape[axis] for piece in pieces.values()) < source_shape[axis]:
            return None
        self._parts.pop(source)
        return source, np.concatenate([pieces[at] for at in sorted(pieces)], axis)


class Table:
    """Keys and source lines, numbered, of one program's file."""

    def __init__(self):
        self.keys, self.sites = collections.OrderedDict(), collections.OrderedDict()

    def key(self, key):
        return self.keys.setdefault(tuple(key), len(self.keys))

    def site(self, site):
        return 0 if site is None else self.sites.setdefault(site, len(self.sites) + 1)

    def document(self):
        return {"keys": [list(key) for key in self.keys],
                "sites": [[_relative(file), line, linecache.getline(file, line).strip()] for file, line in self.sites]}


def _relative(file):
    below = os.path.relpath(file)
    return file if below.startswith(os.pardir) else below


class Call:
    """A call of a module in progress; the outermost is of none."""

    def __init__(self, path, number, module, called=None):
        self.path, self.number, self.module, self.called = path, number, module, called
        self.functions, self.returned = collections.Counter(), None


class Recording:
    """One run of a network: `events`, by key, in the form of the file.

    replay: key -> the reference's value to go on with at a module's border, and `cuts` where; None of a free run. gradients:
    whether they are followed.
    """

    def __init__(self, network, names, program, writer, table, replay=None, gradients=True):
        self.network, self.framework, self.source = network, network.framework, network.source
        self.names, self.name, self.stage = names, program["name"], program["stage"]
        self.events, self.cuts, self.inputs, self.results = collections.OrderedDict(), [], {}, []
        self._writer, self._table, self._replay, self._gradients = writer, table, replay, gradients
        self._order, self._occurrences = 0, collections.Counter()
        self._calls, self._numbers, self._left = [Call("", 0, None)], collections.Counter(), {}
        self._paths = {id(module): names.path(path) for path, module in network.modules.items()}
        self._owned = {id(tensor): name for name, tensor in network.parameters.items()}
        self._alive = []  # no id may come to stand for two tensors
        self._codes = {}

    # --- values

    def send(self, key, array, site=None, built=None, called=None, unknown=None, order=None):
        place = None if array is None else self._writer.write(array)
        self.events[key] = [self._table.key(key), self._next() if order is None else order, self._table.site(site),
                            self._table.site(built), self._table.site(called), place, {"unknown": unknown} if unknown else {}]

    def _next(self):
        self._order += 1
        return self._order

    def key(self, stage, module, variable, call=0, function="", frame=0):
        key = stage, 0, None, module, call, function, frame, variable
        self._occurrences[key] += 1
        return key + (self._occurrences[key] - 1,)

    def emit(self, tensor, variable, function="", frame=0, site=None, call=None, built=None, called=None, border=False):
        """Records a value, and its gradient when that comes; returns what the program goes on with."""
        framework = self.framework
        key = self.key(self.stage, call.path, variable, call.number, function, frame)
        array = framework.array(tensor)
        owned = self._owned.get(id(tensor))
        called = called or call.called
        self.send(key, self.names.layout(owned, array), site, built, called)
        self._alive.append(tensor)
        if border and self._replay is not None:
            value = self._replay(key)
            if value is not None and value.shape == array.shape:
                following = framework.requires_grad(tensor)
                leaf = framework.tensor(value.astype(array.dtype), following)
                if following:
                    self.cuts.append((tensor, key))
                    leaf = framework.clone(leaf)
                tensor = leaf
                self._alive.append(leaf)
        if self._gradients and owned is None and framework.requires_grad(tensor):
            def observe(gradient):
                self.send(("gradients",) + key[1:], gradient, site, built, called)
            framework.on_gradient(tensor, observe)
        return tensor

    def emit_entry(self, stage, name, array):
        """A parameter's gradient, a buffer."""
        seen = self.names.view(name, array)
        if seen is None:
            return
        owner, _, variable = _dotted(self.name, seen[0]).rpartition(".")
        built = self._built_of(name)
        self.send(self.key(stage, owner, variable), seen[1], built, built)

    def census(self):
        """What the network holds, before everything else; returns what kind of entry each is."""
        kinds, found = {}, []
        for name, tensor in self.network.entries().items():
            seen = self.names.view(name, self.framework.array(tensor))
            if seen is not None:
                found.append((name, seen))
                trained = "a trained parameter" if self.framework.requires_grad(tensor) else "a frozen parameter"
                kinds[seen[0]] = "a buffer" if name in self.network.buffers else trained
        for number, (name, (known, array)) in enumerate(found):
            owner, _, variable = _dotted(self.name, known).rpartition(".")
            array = array.astype(np.float64) if array.dtype.kind == "f" else array
            self.send(("census", 0, None, owner, 0, "", 0, variable, 0), array, self._built_of(name), order=number - len(found))
        return kinds

    def _built_of(self, entry):
        return self.network.sites.get(id(self.network.modules.get(entry.rpartition(".")[0])))

    # --- modules

    @contextlib.contextmanager
    def watching(self):
        """Meanwhile calls of modules, and the lines of the user's functions, are followed."""
        layer = self.framework.layer
        original, before = layer.__call__, sys.gettrace()

        def call(module, *inputs, **keywords):
            path = self._paths.get(id(module))
            if path is None:
                return original(module, *inputs, **keywords)
            path = _dotted(self.name, path)
            called = self.source.site(sys._getframe(1))
            site, entered = self._handed_at(called), Call(path, self._numbers[path], module, called)
            self._numbers[path] += 1
            self._calls.append(entered)
            for argument, given in _arguments(module, inputs, keywords):
                for place, leaf in leaves(given, self.framework.is_tensor, argument):
                    if self.framework.is_tensor(leaf):
                        if path == self.name:
                            place = self.inputs.get(id(leaf), place)
                        self.emit(leaf, "input" + place, site=site, call=entered)
            fused = getattr(module, "_act", None) if self._paths[id(module)] in self.names.plain else None
            with contextlib.ExitStack() as stack:
                if fused:
                    stack.enter_context(_without(module, "_act"))
                outputs = original(module, *inputs, **keywords)
            while self._calls.pop().module is not module:  # a call inside raised, and the program went on
                pass
            outputs = self._leaving(entered, outputs)
            return self.framework.activation(fused, outputs) if fused else outputs

        layer.__call__ = call
        sys.settrace(self._follow)
        try:
            yield
        finally:
            sys.settrace(before)
            layer.__call__ = original

    def _handed_at(self, called):
        """The user's line that makes a call; of one that a library's layer makes inside of itself, that which built the layer."""
        around = self._calls[-1]
        if around.module is None or around.called != called or self.source.defines(around.module):
            return called
        return self.network.sites.get(id(around.module)) or called

    def _leaving(self, call, outputs):
        built = self.network.sites.get(id(call.module))
        site = (call.returned or built or call.called) if self.source.defines(call.module) else (built or call.called)
        parts = list(leaves(outputs, self.framework.is_tensor))
        tensors = [place for place, part in parts if self.framework.is_tensor(part)]
        single = self.names.paths is not None and len(tensors) == 1  # `y` of one framework may be `(y, None)` of the other
        replaced = {}
        if call.path == self.name:
            self.results = []
        for place, part in parts:
            variable = "output" if single and place in tensors else "output" + place
            if self.framework.is_tensor(part):
                if id(part) in self._owned:
                    part = replaced[place] = self.framework.clone(part)
                went_on = self.emit(part, variable, site=site, call=call, built=built, border=True)
                if went_on is not part:
                    replaced[place] = went_on
                if call.path == self.name:
                    self.results.append((place, went_on))
            elif part is not None:
                array, unknown = _plain(part)
                self.send(self.key(self.stage, call.path, variable, call.number), array, site, built, call.called, unknown)
        self._left[call.path] = self._order
        return _replaced(outputs, replaced) if replaced else outputs

    # --- lines

    def _follow(self, frame, event, arg):
        code, call = frame.f_code, self._calls[-1]
        known = self._codes.get((code, code.co_filename))
        if known is None:
            known = self._codes[code, code.co_filename] = code.co_filename in self.source and not code.co_name.startswith("<")
        holder = frame.f_locals.get("self")
        if not known or self._paths.get(id(holder), "") is None:
            return None
        number = call.functions[code.co_name]
        call.functions[code.co_name] += 1
        forward = number == 0 and code.co_name == "forward" and call.module is not None and holder is call.module
        caller = None
        if not forward:
            caller = self.source.site(frame.f_back)
            for name in code.co_varnames[:code.co_argcount + code.co_kwonlyargcount]:
                self._bound(frame.f_locals.get(name), "argument " + name, code, number, caller, call, caller)
        statements, now = _statements_of(code), [None]

        def finish():
            if now[0] is not None:
                for name in now[0][1]:
                    self._bound(frame.f_locals.get(name), name, code, number, (code.co_filename, now[0][0]), call, caller)

        def step(frame, event, arg):
            if event == "line":
                statement = statements.get(frame.f_lineno)
                if statement is not now[0]:
                    finish()
                    now[0] = statement
            elif event == "exception":
                now[0] = None
            elif event == "return":
                finish()
                site = code.co_filename, frame.f_lineno
                if forward:
                    call.returned = site
                elif arg is not None:
                    self._bound(arg, "return", code, number, site, call, caller)
            return step

        return step

    def _bound(self, value, variable, code, number, site, call, called):
        for place, leaf in leaves(value, self.framework.is_tensor):
            if self.framework.is_tensor(leaf):
                self.emit(leaf, variable + place, code.co_name, number, site, call, called=called)

    # --- a run

    def run(self, program, arguments, probe):
        """Forwards on the program's inputs, then one backward. Raises what the network raises."""
        framework, network = self.framework, self.network
        ends = []
        with self.watching():
            for _ in range(program["calls"]):
                given = [framework.clone(framework.tensor(array, array.dtype.kind in "fc")) for array in arguments["arrays"]]
                self._alive += given
                self.inputs = {id(tensor): f"[{number}]" for number, tensor in enumerate(given)}
                network.model(*[_filled(one, given) for one in arguments["positional"]],
                              **{name: _filled(one, given) for name, one in arguments["keywords"].items()})
                ends += [tensor for _, tensor in sorted(self.results, key=_by_name)]
                for name in sorted(network.buffers, key=lambda name: self._left.get(
                        _dotted(self.name, self.names.path(name.rpartition(".")[0]) or ""), 0)):
                    self.emit_entry("state", name, framework.array(network.buffer(name)))
            if not self._gradients:
                return
            if self._replay is None:
                ends = [(tensor, probe(number, framework.array(tensor))) for number, tensor in enumerate(ends)
                        if framework.requires_grad(tensor)]
            else:
                ends = []
                for tensor, key in self.cuts:
                    gradient = self._replay(("gradients",) + key[1:])
                    if gradient is not None and gradient.shape == tuple(tensor.shape):
                        ends.append((tensor, gradient))
            framework.backward([(tensor, gradient.astype(framework.dtype_of(tensor))) for tensor, gradient in ends])
        for name in reversed(list(network.parameters)):
            gradient = framework.gradient(network.parameters[name])
            self.emit_entry("gradients", name, gradient)


@contextlib.contextmanager
def _without(module, name):
    """Meanwhile that attribute of the module is None."""
    before = getattr(module, name)
    setattr(module, name, None)
    try:
        yield
    finally:
        setattr(module, name, before)


def leaves(value, is_tensor, prefix=""):
    """(access path, leaf) of a nest of tuples, lists, deques and mappings."""
    if is_tensor(value):
        yield prefix, value
    elif isinstance(value, (tuple, list, collections.deque)):
        for number, item in enumerate(value):
            yield from leaves(item, is_tensor, f"{prefix}[{number}]")
    elif isinstance(value, collections.abc.Mapping):
        for key, item in value.items():
            yield from leaves(item, is_tensor, f"{prefix}[{key!r}]")
    else:
        yield prefix, value


def _replaced(value, replaced, prefix=""):
    if prefix in replaced:
        return replaced[prefix]
    if isinstance(value, (tuple, list)):
        items = [_replaced(item, replaced, f"{prefix}[{number}]") for number, item in enumerate(value)]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    if isinstance(value, collections.abc.Mapping):
        return type(value)((key, _replaced(item, replaced, f"{prefix}[{key!r}]")) for key, item in value.items())
    return value


def _plain(part):
    """(array, None) of a result that is no tensor, or (None, its type) where nothing is known of that."""
    if isinstance(part, (bool, int, float, complex, str, np.generic, np.ndarray)):
        array = np.asarray(part)
        if array.dtype.kind in "fiubcU":
            return array, None
    return None, f"{type(part).__module__}.{type(part).__name__}"


def _arguments(module, inputs, keywords):
    """(place, value): what is handed over by keyword stands where it would without."""
    found = [(f"[{number}]", value) for number, value in enumerate(inputs)]
    names = list(inspect.signature(type(module).forward).parameters)[1:] if keywords else []
    return found + [(f"[{names.index(name)}]" if name in names else f"[{name!r}]", value)
                    for name, value in keywords.items()]


def _by_name(result):
    return [(0, int(piece), "") if piece.isdigit() else (1, 0, piece) for piece in re.findall(r"\d+|\D+", result[0])]


def _filled(described, given):
    """An argument as the trace describes it: {"input": 0}, {"value": 3}, or a nest of these."""
    (kind, what), = described.items()
    if kind == "unknown":
        raise RecorderError(f"the network is given a {what}, which no trace can hold; give it arrays, numbers or texts")
    if kind == "input":
        return given[what]
    if kind == "dict":
        return {key: _filled(one, given) for key, one in what.items()}
    if kind in ("tuple", "list"):
        return (tuple if kind == "tuple" else list)(_filled(one, given) for one in what)
    return what


def _probe(seed):
    """Number of an output and its values -> the gradient that backward starts from: parity's own random numbers."""
    def probe(number, output):
        name = f"probe/{seed}/{number}"
        parts = (2,) if output.dtype.kind == "c" else ()
        drawn = np.random.default_rng(zlib.crc32(name.encode())).standard_normal(output.shape + parts).astype(np.float32)
        return drawn[..., 0] + 1j * drawn[..., 1] if parts else drawn
    return probe


def _check_numpy():
    known = [0.345584192064786, 0.8216181435011584, 0.33043707618338714]
    if not hasattr(np.random, "default_rng") or np.random.default_rng(1).standard_normal(3).tolist() != known:
        raise RecorderError(f"numpy {np.__version__} draws other random numbers than parity does; expected 1.17 or later")


# --- from outside --------------------------------------------------------------------------------------------------------


def outline(build, path, sources=()):
    """Writes what the network is made of, for `parity record --side reference --for PATH`. Raises RecorderError."""
    network = built(build, sources)
    with network.framework.active():
        document = network.outline()
    write_json(path, {"kind": OUTLINE, "format": FORMAT, "framework": network.framework.name,
                      "version": network.framework.version, "network": document})


def record(build, start, folder, sources=()):
    """Runs the network on the weights and inputs of the trace `start`, and records it into `folder`, which must be empty.

    build: a class or function without arguments that returns it, or the network itself, which is left as it was; then nobody knows
    where its layers are built. sources: more files and folders whose lines are followed. Raises RecorderError; what the network
    raises is recorded.
    """
    trace = Trace(start)
    if os.path.isdir(folder) and os.listdir(folder):
        raise RecorderError(f"{folder}: expected an empty folder, found files in it; choose another")
    titles = sorted({title for title, _ in trace.index["planned"]})
    if len(titles) > 1:
        raise RecorderError("{}: expected a trace of one network, found {}; record one with --pair or --only".format(
            start, ", ".join(titles)))
    _check_numpy()
    os.makedirs(folder, exist_ok=True)
    network = built(build, sources)
    framework = network.framework
    index = {"kind": "parity trace", "format": FORMAT, "side": "twin", "lane": trace.index["lane"], "keep": "all",
             "device": "cpu", "platform": platform.platform(terse=True), "planned": trace.index["planned"],
             "versions": {framework.name: framework.version, "numpy": np.__version__, "python": platform.python_version()}}
    parts = collections.OrderedDict()
    for number in range(len(index["planned"]) + 1):
        if number:
            with framework.active(), _as_it_was(network):
                parts[f"program-{number:04}.json"] = _program(network, trace, number, folder)
        write_json(os.path.join(folder, "index.json"), dict(index, programs=len(parts), parts=parts))


@contextlib.contextmanager
def _as_it_was(network):
    """Afterwards the network, which may be the caller's own, has its weights, their dtype and its mode again."""
    framework, modules = network.framework, list(network.modules.values())
    held = [(tensor, framework.array(tensor)) for tensor in network.entries().values()]
    modes = [(module.training, getattr(module, "_dtype", None)) for module in modules]
    try:
        yield
    finally:
        for tensor, array in held:
            framework.overwrite(tensor, array)
        for module, (training, dtype) in zip(modules, modes):  # noqa: B905 (`strict` is of Python 3.10)
            module.training = training
            if dtype is not None:
                module._dtype = dtype


def _program(network, trace, number, folder):
    """Records one program; returns the hash of its file."""
    program, values = trace.program(number)
    framework, lane, title = network.framework, trace.index["lane"], "{title} ({mode})".format(**program)
    told = program.get("twin")
    if told is None or ("entries" not in told and framework.name != "torch"):
        raise RecorderError(f"{trace.folder}: {title} does not say which weight of the network is which; record it with --for and "
                            f"the outline of the network (python parity_recorder.py FILE.py:build --outline outline.json)")
    if program["random"]["entries"]:
        raise RecorderError(f"{trace.folder}: {title} draws random numbers (dropout?), which cannot be handed over here; record "
                            f"its eval mode")
    weights, inputs = trace.start(program)
    names = Names(network, told if framework.name == "paddle" else None, weights)
    arrays = [_cast(array, lane) for array in inputs.values()]
    given = dict(told["arguments"], arrays=arrays)
    table, runs, kinds, failure = Table(), collections.OrderedDict(), None, None
    reference = Reference(program, values)
    writer = Writer(os.path.join(folder, f"program-{number:04}.safetensors"))
    try:
        for run in ("free",) if lane == "float64" else ("free", "replay"):
            recording = Recording(network, names, program, writer, table, reference if run == "replay" else None,
                                  run == "replay" or lane == "float64")
            _load(network, names, weights, lane, program["training"])
            if kinds is None:
                kinds = recording.census()
            framework.seed(program["seed"])
            random.seed(program["seed"])
            np.random.seed(program["seed"])
            try:
                with framework.defaulting(lane):
                    recording.run(program, given, _probe(program["seed"]))
            except SystemExit as leaving:
                raise RecorderError(f"{title}: it ended the process (sys.exit({leaving.code!r})); take the exit out of what is "
                                    f"run") from leaving
            except Exception as error:
                place = _place_of(error, network.source)
                if isinstance(error, RecorderError) or place is None:
                    raise
                failure = [type(error).__name__, _text_of(error), table.site(place)]
                advice = "; if that is for want of float64, record the reference with --lane float32" if lane == "float64" else ""
                _say(f"{title}: it raises {_in_words(error)}{_at(error, network.source)}{advice}")
            runs[run] = list(recording.events.values())
            if failure is not None:
                break
        writer.close()
        start = "start-{}.safetensors".format(program["start"])
        partial = os.path.join(folder, f"{start}.{os.getpid()}")
        shutil.copyfile(os.path.join(trace.folder, start), partial)
        os.replace(partial, os.path.join(folder, start))
        floors = {run: [[table.key(program["keys"][key]), floor] for key, floor in found]
                  for run, found in program["floors"].items()}
        kept = {name: program[name] for name in (
            "title", "mode", "name", "stage", "seed", "calls", "training", "one_sided", "named", "outline", "start", "weights",
            "inputs", "arguments", "random", "apart")}
        return write_json(os.path.join(folder, f"program-{number:04}.json"), dict(
            kept, kinds=kinds, runs=runs, floors=floors, values=writer.kinds, failure=failure, **table.document()))
    except BaseException:
        writer.discard()
        raise


class Reference:
    """Key -> the reference's value, for a replay; None where it has none to go on with."""

    def __init__(self, program, values):
        keys = [tuple(key) for key in program["keys"]]
        self._places = {keys[event[0]]: event[5] for event in program["runs"]["free"]}
        self._apart, self._values = set(program.get("apart", ())), values

    def __call__(self, key):
        place = None if key[3] in self._apart else self._places.get(key)
        return None if place is None else self._values.array(place)


def _cast(array, lane):
    if array.dtype.kind == "c":
        return array.astype(np.result_type(lane, np.complex64))
    return array.astype(lane) if array.dtype.kind == "f" else array


def _load(network, names, weights, lane, training):
    framework = network.framework
    framework.prepare(list(network.modules.values()), lane, training)
    for name, tensor in network.entries().items():
        own = framework.array(tensor)
        array = names.given(name, weights, own.shape) if name in names.entries else own
        framework.overwrite(tensor, _cast(np.asarray(array, order="C"), lane) if own.dtype.kind == "f" else array.astype(own.dtype))
    for tensor in network.parameters.values():
        framework.clear_gradient(tensor)


def _say(text):
    sys.stderr.write(text + "\n")


def _named(target):
    """What `file.py:NAME` or `module:NAME` names. Raises RecorderError."""
    module, colon, name = target.rpartition(":")
    if not colon:
        raise RecorderError(f"{target}: expected FILE.py:NAME, a class or function without arguments that builds the network")
    try:
        if module.endswith(".py"):
            if not os.path.isfile(module):
                raise RecorderError(f"{module}: there is no such file")
            sys.path.insert(0, os.path.dirname(os.path.abspath(module)))
            spec = importlib.util.spec_from_file_location(os.path.basename(module)[:-3], module)
            found = importlib.util.module_from_spec(spec)
            sys.modules[spec.name] = found
            spec.loader.exec_module(found)
        else:
            sys.path.insert(0, os.getcwd())
            found = importlib.import_module(module)
    except RecorderError:
        raise
    except (Exception, SystemExit) as error:
        raise RecorderError(f"{module}: cannot be imported ({_in_words(error)}){_at(error, Source([module]))}") from error
    if not hasattr(found, name):
        raise RecorderError(f"{module}: there is no {name} in it")
    return getattr(found, name)


def parsed(argv=None):
    """What the command line says; the process ends where it makes no sense."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", metavar="FILE.py:NAME", help="what builds the network")
    parser.add_argument("--from", dest="folders", nargs=2, metavar=("THERE", "HERE"),
                        help="the trace whose weights and inputs it is given, and an empty folder to record into")
    parser.add_argument("--outline", metavar="FILE.json", help="write what the network is made of, and run nothing")
    parser.add_argument("--source", action="append", default=[], metavar="PATH", help="more of your files to follow")
    given = parser.parse_args(argv)
    if (given.outline is None) == (given.folders is None):
        parser.error("expected --outline FILE.json, or --from THERE HERE")
    return given


def main(argv=None):
    """Exit codes: 0, or 2 where what was given cannot be used."""
    given = parsed(argv)
    try:
        build = _named(given.target)
        if given.outline is not None:
            outline(build, given.outline, given.source)
        else:
            record(build, given.folders[0], given.folders[1], given.source)
    except RecorderError as error:
        _say(f"parity_recorder: {error}")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
