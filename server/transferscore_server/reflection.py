"""Reflection under both of its names: the Python package serves `v1alpha`, tools ask for `v1`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2, reflection_pb2_grpc

__all__ = ["add_reflection"]

_NAMES = ("grpc.reflection.v1.ServerReflection", reflection.SERVICE_NAME)


def add_reflection(server: Any, services: Sequence[str]) -> None:
    """Let the server describe `services` and itself."""
    servicer = reflection.aio.ReflectionServicer((*services, *_NAMES))
    reflection_pb2_grpc.add_ServerReflectionServicer_to_server(servicer, server)
    # The messages of v1 are those of v1alpha, byte for byte.
    handler = grpc.stream_stream_rpc_method_handler(
        servicer.ServerReflectionInfo,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(_NAMES[0], {"ServerReflectionInfo": handler}),)
    )
