"""Series of floats as bytes that compress well and that a browser reads without parsing.

Owns the form: a matrix of 32-bit floats, one row per pair and one column per hour or day, NaN where
nothing is known, of which the first bytes of all values come first, then the second bytes, and so
on. Floats are for charts only; what is shown as money are the decimals of the tables. data.js
reads this. Called by contents.py and page.py.
"""

from __future__ import annotations

import base64
import gzip

import polars as pl
import pyarrow as pa

# Of the 23 bits of a float's fraction, these are kept: five significant digits, which is more than
# a chart can show, in three quarters of the space.
KEPT_BITS = 17
_DROPPED = 23 - KEPT_BITS
_BYTES = 4


def float_matrix(cells: pl.Series, values: pl.Series, size: int) -> bytes:
    """A matrix as bytes, 4 per cell.

    Args:
        cells: the place of each value, row * columns + column.
        values: what is there; a place that is not named holds NaN.
        size: number of cells.
    """
    grid = pl.repeat(float("nan"), size, dtype=pl.Float32, eager=True)
    if len(values):
        grid = grid.scatter(cells, values.cast(pl.Float32))
    rounded = (_as_integers(grid).cast(pl.UInt64) + (1 << (_DROPPED - 1))) & (
        0xFFFFFFFF >> _DROPPED << _DROPPED
    )
    data = _raw(rounded.cast(pl.UInt32))
    return b"".join(data[place::_BYTES] for place in range(_BYTES))


def byte_matrix(cells: pl.Series, values: pl.Series, size: int) -> bytes:
    """A matrix of small counts, 0 where there is none, one byte per cell."""
    grid = pl.repeat(0, size, dtype=pl.UInt8, eager=True)
    if len(values):
        grid = grid.scatter(cells, values.clip(0, 255).cast(pl.UInt8))
    return _raw(grid)


def packed(data: bytes) -> str:
    """Bytes as text for a page: gzip, then base64; the same bytes give the same text."""
    return base64.b64encode(gzip.compress(data, compresslevel=6, mtime=0)).decode("ascii")


def _as_integers(floats: pl.Series) -> pl.Series:
    """The same bits, as unsigned integers."""
    array = floats.rechunk().to_arrow()
    same = pa.Array.from_buffers(
        pa.uint32(), len(array), [None, array.buffers()[1]], offset=array.offset
    )
    return pl.Series(pl.from_arrow(same))


def _raw(numbers: pl.Series) -> bytes:
    array = numbers.rechunk().to_arrow()
    width = array.type.bit_width // 8
    buffer = memoryview(array.buffers()[1])
    return bytes(buffer[array.offset * width : (array.offset + len(array)) * width])
