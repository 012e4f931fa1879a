#!/usr/bin/env bash
# Writes the generated code and the descriptor set. Needs grpcio-tools 1.66.2, whose output imports
# on protobuf 5, 6 and 7 (newer ones tie it to the newest runtime):
#   python -m venv /tmp/codegen && /tmp/codegen/bin/pip install 'setuptools<80' grpcio-tools==1.66.2
#   PYTHON=/tmp/codegen/bin/python proto/generate.sh [FOLDER]
set -euo pipefail
cd "$(dirname "$0")"
out="${1:-..}"
python="${PYTHON:-python3}"
"$python" -c 'from importlib.metadata import version; v = version("grpcio-tools")
raise SystemExit(None if v == "1.66.2" else f"generate.sh needs grpcio-tools 1.66.2; got {v}.")'
include="$("$python" -c 'import grpc_tools, pathlib; print(pathlib.Path(grpc_tools.__file__).parent / "_proto")')"
"$python" -m grpc_tools.protoc -I . -I "$include" --python_out="$out" --pyi_out="$out" \
  --grpc_python_out="$out" --descriptor_set_out="$out/transferscore/v1/transferscore.binpb" \
  transferscore/v1/*.proto
