"""A file that is written while the next piece of it is being made, so that both cores and the disk are busy at once."""

import hashlib
import os
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

_FLUSHED = 32 << 20  # bytes: what may wait for the disk before the disk is told


class Output:
    """`with Output(path) as output: output.write(piece)` ... - behind the block's end the file is on the disk.

    One thread writes a piece, one hashes it, one flushes what was written to the disk, and the caller makes the next piece
    meanwhile. `write` returns as soon as the piece *before* is done with: a piece must not change until then, so two
    buffers are enough to make pieces in. An error of the disk is raised by a later `write`, or at the end.

    Attributes:
        sha256: of the file, once the block has ended; None without `checksum`.
        size: bytes taken so far.
    """

    def __init__(self, path: str | Path, checksum: bool = False):
        self._file = open(path, "wb", buffering=0)  # noqa: SIM115 (closed by __exit__)
        self._digest = hashlib.sha256() if checksum else None
        self._pool = ThreadPoolExecutor(3, "output")
        self._pending: list[Future] = []
        self._flush: Future | None = None
        self._flushed = 0
        self.size, self.sha256 = 0, None

    def write(self, piece) -> int:
        """Takes a piece (anything with a buffer in C order) and returns its bytes. Raises OSError."""
        piece = memoryview(piece)
        if not piece.nbytes:
            return 0
        self._settle()
        self._flush_behind()
        self._pending.append(self._pool.submit(self._put, piece.cast("B")))
        if self._digest:
            self._pending.append(self._pool.submit(self._digest.update, piece))
        self.size += piece.nbytes
        return piece.nbytes

    def flush(self) -> None:
        """For those who take this for a file (`zipfile`): the end of the block flushes."""

    def __enter__(self) -> "Output":
        return self

    def __exit__(self, kind, error, traceback) -> None:
        try:
            if error is None:
                self._settle()
                os.fsync(self._file.fileno())
                if self._flush:
                    self._flush.result()
                self.sha256 = self._digest and self._digest.hexdigest()
        finally:
            self._pool.shutdown()
            self._file.close()

    def _put(self, view: memoryview) -> None:
        while len(view):  # unbuffered files may take less than they are given
            view = view[self._file.write(view) :]

    def _settle(self) -> None:
        while self._pending:
            self._pending.pop().result()

    def _flush_behind(self) -> None:
        if self.size - self._flushed < _FLUSHED or (self._flush and not self._flush.done()):
            return
        if self._flush:
            self._flush.result()  # an error of the disk is told once only
        self._flush, self._flushed = self._pool.submit(os.fsync, self._file.fileno()), self.size
