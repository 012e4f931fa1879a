"""The contract: generated code is what the protos say, and what was released never breaks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from itertools import pairwise
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2

ROOT = Path(__file__).parents[2]
PROTOS = sorted((ROOT / "proto/transferscore/v1").glob("*.proto"))
GENERATED = ROOT / "transferscore/v1"
RELEASED = Path(__file__).with_name("released_v1.binpb")


def descriptors(file: Path) -> descriptor_pb2.FileDescriptorSet:
    return descriptor_pb2.FileDescriptorSet.FromString(file.read_bytes())


def flattened(files: descriptor_pb2.FileDescriptorSet) -> dict[str, tuple]:
    """Everything that a wire or a caller depends on, by full name."""
    found: dict[str, tuple] = {}
    for file in files.file:
        for message in file.message_type:
            found |= of_message(f"{file.package}.{message.name}", message)
        for enum in file.enum_type:
            found |= of_enum(f"{file.package}.{enum.name}", enum)
        for service in file.service:
            for method in service.method:
                found[f"{file.package}.{service.name}/{method.name}"] = (
                    method.input_type,
                    method.output_type,
                    method.client_streaming,
                    method.server_streaming,
                )
    return found


def of_message(name: str, message: descriptor_pb2.DescriptorProto) -> dict[str, tuple]:
    found: dict[str, tuple] = {name: ("message",)}
    for field in message.field:
        oneof = message.oneof_decl[field.oneof_index].name if field.HasField("oneof_index") else ""
        found[f"{name}.{field.name}"] = (
            field.number,
            field.type,
            field.label,
            field.type_name,
            oneof,
        )
    for nested in message.nested_type:
        found |= of_message(f"{name}.{nested.name}", nested)
    for enum in message.enum_type:
        found |= of_enum(f"{name}.{enum.name}", enum)
    return found


def of_enum(name: str, enum: descriptor_pb2.EnumDescriptorProto) -> dict[str, tuple]:
    return {f"{name}.{value.name}": (value.number,) for value in enum.value}


def test_no_released_field_breaks():
    released, now = flattened(descriptors(RELEASED)), flattened(descriptors(current_set()))
    assert len(released) > 200
    broken = {name: now.get(name) for name in released if now.get(name) != released[name]}
    assert broken == {}


def test_a_broken_field_would_be_seen():
    files = descriptors(RELEASED)
    field = files.file[0].message_type[0].field[0]
    field.number += 100
    assert flattened(files) != flattened(descriptors(RELEASED))


def current_set() -> Path:
    return GENERATED / "transferscore.binpb"


def test_the_descriptor_set_is_that_of_the_generated_code():
    from google.protobuf import descriptor_pool

    for name in [
        "transferscore.v1.dataset_service_pb2",
        "transferscore.v1.ranking_service_pb2",
        "transferscore.v1.scoring_service_pb2",
        "transferscore.v1.system_service_pb2",
    ]:
        __import__(name)
    pool = descriptor_pool.Default()
    for file in descriptors(current_set()).file:
        loaded = descriptor_pb2.FileDescriptorProto()
        pool.FindFileByName(file.name).CopyToProto(loaded)
        assert flattened(descriptor_pb2.FileDescriptorSet(file=[loaded])) == flattened(
            descriptor_pb2.FileDescriptorSet(file=[file])
        )


def test_generated_code_is_up_to_date(tmp_path):
    """Regenerates where the pinned generator is at hand, in this environment or that of PROTOC."""
    python = os.environ.get("TS_CODEGEN_PYTHON", sys.executable)
    if python == sys.executable:
        try:
            found = version("grpcio-tools")
        except PackageNotFoundError:
            found = "none"
        if found != "1.66.2":
            pytest.skip(f"needs grpcio-tools 1.66.2 (found: {found}) or TS_CODEGEN_PYTHON")
    (tmp_path / "transferscore/v1").mkdir(parents=True)
    script = ROOT / "proto/generate.sh"
    environment = os.environ | {"PYTHON": python}
    subprocess.run([script, tmp_path], check=True, env=environment, timeout=120)
    for made in (tmp_path / "transferscore/v1").iterdir():
        assert made.read_bytes() == (GENERATED / made.name).read_bytes(), made.name


@pytest.mark.parametrize("file", PROTOS, ids=lambda file: file.stem)
def test_every_message_field_value_and_method_says_what_it_is(file):
    """A comment stands above each: unit, range and default are its reader's only source."""
    declared = re.compile(
        r"\s*((optional |repeated )?[\w.<>, ]+ \w+ = \d+|(rpc|message|enum|oneof|service) \w+)"
    )
    lines = file.read_text().splitlines()
    bare = [
        line
        for above, line in pairwise(lines)
        if declared.match(line)
        and not above.strip().startswith("//")
        and not line.strip().startswith(("option", "package", "syntax", "import", "returns"))
    ]
    assert bare == []
