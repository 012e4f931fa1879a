"""Arrays and labels out of messages, checked field by field."""

from __future__ import annotations

import math
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transferscore.v1 import types_pb2
from transferscore_server.errors import CallError, aborted, invalid

__all__ = ["check_crc", "item_type", "rows_array", "tensor_array"]

_TYPES: dict[int, np.dtype[Any]] = {
    types_pb2.DATA_TYPE_FLOAT32: np.dtype("<f4"),
    types_pb2.DATA_TYPE_FLOAT16: np.dtype("<f2"),
    # numpy has no bfloat16: its bits are read as integers and widened.
    types_pb2.DATA_TYPE_BFLOAT16: np.dtype("<u2"),
    types_pb2.DATA_TYPE_FLOAT64: np.dtype("<f8"),
    types_pb2.DATA_TYPE_INT64: np.dtype("<i8"),
    types_pb2.DATA_TYPE_INT32: np.dtype("<i4"),
    types_pb2.DATA_TYPE_UINT8: np.dtype("u1"),
}
_MAX_DIMENSIONS = 4
_MOST_ELEMENTS = 2**31


def item_type(data_type: int, name: str) -> np.dtype[Any]:
    """The numpy type of a DataType.

    Raises:
        CallError: There is no such type.
    """
    if data_type not in _TYPES:
        known = ", ".join(types_pb2.DataType.keys()[1:])
        raise invalid(name, f"must be one of {known}; got {data_type}.")
    return _TYPES[data_type]


def tensor_array(tensor: Any, name: str) -> NDArray[Any]:
    """A Tensor as an array that shares its bytes.

    Args:
        tensor: The message.
        name: Its field path, for the error.

    Raises:
        CallError: The type is not known, or shape, length or checksum do not fit the bytes.
    """
    dtype = item_type(tensor.data_type, f"{name}.data_type")
    shape = tuple(tensor.shape)
    _check_shape(shape, dtype, len(tensor.data), name)
    if tensor.HasField("crc32"):
        check_crc(tensor.crc32, name, tensor.data)
    return _widened(np.frombuffer(tensor.data, dtype), tensor.data_type).reshape(shape)


def rows_array(data: bytes, data_type: int, shape: tuple[int, int], name: str) -> NDArray[Any]:
    """Rows of a stream as an array `shape` that shares their bytes.

    Raises:
        CallError: The length does not fit the shape.
    """
    dtype = item_type(data_type, name)
    _check_shape(shape, dtype, len(data), name)
    return _widened(np.frombuffer(data, dtype), data_type).reshape(shape)


def check_crc(expected: int, name: str, *parts: bytes) -> None:
    """Refuse bytes that were damaged on the way.

    Raises:
        CallError: ABORTED; the same bytes may be sent again.
    """
    found = 0
    for part in parts:
        found = zlib.crc32(part, found)
    if found != expected:
        raise aborted(
            "CHUNK_CORRUPT",
            f"The CRC-32 of `{name}` must be {expected:#010x}, as it was sent; "
            f"it is {found:#010x}. Send it again.",
        )


def _check_shape(shape: tuple[int, ...], dtype: np.dtype[Any], length: int, name: str) -> None:
    if len(shape) > _MAX_DIMENSIONS or any(size < 0 for size in shape):
        raise _wrong_shape(name, shape, f"at most {_MAX_DIMENSIONS} sizes, none negative")
    # An empty array may claim sizes that no array can have.
    if math.prod(max(1, size) for size in shape) > _MOST_ELEMENTS:
        raise _wrong_shape(name, shape, f"sizes whose product is at most {_MOST_ELEMENTS}")
    expected = math.prod(shape) * dtype.itemsize
    if length != expected:
        raise invalid(
            f"{name}.data",
            f"must have {expected} bytes for shape {_shown(shape)} of {dtype.itemsize}-byte "
            f"elements; got {length}.",
        )


def _wrong_shape(name: str, shape: tuple[int, ...], expected: str) -> CallError:
    return invalid(f"{name}.shape", f"must have {expected}; got {_shown(shape)}.")


def _shown(shape: tuple[int, ...]) -> str:
    return str(shape) if len(shape) <= _MAX_DIMENSIONS else f"{len(shape)} sizes"


def _widened(array: NDArray[Any], data_type: int) -> NDArray[Any]:
    if data_type != types_pb2.DATA_TYPE_BFLOAT16:
        return array
    return (array.astype("<u4") << 16).view("<f4")
