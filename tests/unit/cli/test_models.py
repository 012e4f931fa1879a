from __future__ import annotations

import json

import numpy as np
import pytest

from transferscore.cli.main import main


@pytest.fixture
def zoo(tmp_path):
    """Two ONNX models of 12 and 2,000,000 parameters, the second under MIT."""
    from onnx import TensorProto, helper, numpy_helper, save_model

    for name, width, license in (("small", 3, None), ("large", 500_000, "MIT")):
        graph = helper.make_graph(
            [helper.make_node("MatMul", ["x", "w"], ["features"])],
            "g",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 4])],
            [helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, width])],
            [numpy_helper.from_array(np.zeros((4, width), dtype=np.float32), "w")],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
        if license:
            helper.set_model_props(model, {"license": license})
        save_model(model, str(tmp_path / f"{name}.onnx"))
    return tmp_path


def test_a_table_of_models(zoo, capsys):
    assert main(["models", f"onnx:{zoo}/*.onnx"]) == 0
    header, large, small = capsys.readouterr().out.splitlines()
    assert header.split() == [
        *["model", "parameters", "FLOPs", "of", "features", "layers", "weights", "memory"],
        "licence",
    ]
    assert large.split() == [
        *["large.onnx", "2", "M", "4", "M", "4", "values", "500000", "1", "onnx", "7.6", "MiB"],
        "MIT",
    ]
    assert small.split()[:4] == ["small.onnx", "12", "24", "4"]


def test_filters_say_what_they_leave_out(zoo, capsys):
    assert main(["models", f"onnx:{zoo}/*.onnx", "--max-params", "1.5M"]) == 0
    out = capsys.readouterr().out
    assert f"left out: onnx:{zoo}/large.onnx: 2 M parameters" in out
    assert "small.onnx" in out.splitlines()[1]
    assert main(["models", f"onnx:{zoo}/*.onnx", "--license", "apache-2.0, mit"]) == 0
    out = capsys.readouterr().out
    assert f"left out: onnx:{zoo}/small.onnx: it states no licence" in out
    assert main(["models", f"onnx:{zoo}/*.onnx", "--max-params", "5"]) == 0
    assert capsys.readouterr().out.startswith("No model is left.\n")


def test_json(zoo, capsys):
    arguments = ["models", f"onnx:{zoo}/*.onnx", f"onnx:{zoo}/no.onnx", "--max-params", "1M"]
    assert main([*arguments, "--format", "json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["schema_version"] == 1
    (small,) = document["models"]
    assert small["parameters"] == 12
    assert small["flops"] == 24
    assert [each["reason"] for each in document["left_out"]] == ["2 M parameters"]
    (failure,) = document["failures"]
    assert failure["error"] == "EncoderError"
    assert failure["message"].startswith("There is no file")


def test_nothing_that_can_be_read_and_a_number_that_is_none(zoo, capsys):
    assert main(["models", f"onnx:{zoo}/no.onnx"]) == 3
    assert "failed: onnx:" in capsys.readouterr().out
    assert main(["models", f"onnx:{zoo}/small.onnx", "--max-params", "many"]) == 2
    assert "`--max-params` must be a number such as 5000000, 50M or 1.5B; got 'many'." in (
        capsys.readouterr().err
    )
