"""Empty stand-ins for what the model libraries import and their models never call (tokenizers, pictures, servers, plots).

`setup.sh` puts this file into the gallery's environment and has it loaded at start, so that pair files import the libraries as
anybody would. Only names that nothing else provides are stood in for.
"""

import importlib.abc
import importlib.machinery
import sys
import types

ABSENT = {"cv2", "colorlog", "colorama", "jieba", "seqeval", "datasets", "dill", "multiprocess", "paddlefsl", "sentencepiece",
          "onnx",
          "paddle2onnx", "flask_babel", "visualdl", "fastapi", "uvicorn", "typer", "tool_helpers", "aistudio_sdk",
"prettytable",
          "ujson", "scipy", "sklearn", "gast", "faiss", "easydict", "pydantic", "tensorboard", "pyarrow", "pandas", "starlette"}
# torchvision's own operators are compiled against CUDA's torch alone; PaddleNLP's servers, pipelines and trainers are not models.
SKIPPED = ("torchvision._meta_registrations", "torchvision._autograd_registrations",
           *(f"paddlenlp.{part}" for part in ("server", "taskflow", "trainer", "peft", "prompt", "experimental",
                                              "datasets", "dataaug", "embeddings", "seq2vec", "metrics", "losses")))


class _Anything:
    """May be called, inherited from, used as a decorator and asked for attributes."""

    def __init__(self, *_, **__):
        pass

    def __call__(self, *args, **_):
        return args[0] if len(args) == 1 and callable(args[0]) else self

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return _Anything()


class _StandIn(types.ModuleType):
    __path__ = ()
    __version__ = "0"

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (_Anything,), {})


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ABSENT or name.startswith(SKIPPED):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        return _StandIn(spec.name)

    def exec_module(self, module):
        pass


sys.meta_path.append(_Finder())
sys.modules.update({name: _StandIn(name) for name in SKIPPED})
