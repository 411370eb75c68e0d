"""Is a fault mended by `parity fix`? The catalogue's faults, each written into a copy of the twin."""
