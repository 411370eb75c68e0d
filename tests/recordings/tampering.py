"""Files that are not what was written."""

TAMPERED = {
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:path.stat().st_size // 2]),
    "emptied": lambda path: path.write_bytes(b""),
    "no object": lambda path: path.write_text("[]"),
    "nested lists": lambda path: path.write_text("[" * 100_000),
    "nested objects": lambda path: path.write_text('{"a":' * 100_000),
    "deep": lambda path: path.write_text("{" + '"a":{' * 900 + "}" * 901),
    "noise": lambda path: path.write_bytes(bytes(range(256)) * 8),
    "gone": lambda path: path.unlink(),
}
