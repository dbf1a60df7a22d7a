"""Agent files from strangers: whatever they hold, the answer is one line, and nothing else is touched."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import games
from games.encoding import PLANES, RULE_FEATURES
from games.errors import AgentError
from models import OnnxEvaluator
from models.format import AGENT_FORMAT, own_metadata
from selfplay import Player
from tests.models.boards import observe

ROOT = Path(__file__).parents[2]
RELEASED = ROOT / "models" / "zoo" / "connect4.onnx"


@pytest.fixture
def model() -> onnx.ModelProto:
    """A good agent, to be spoilt."""
    return onnx.load(RELEASED)


def save(model: onnx.ModelProto, folder: Path) -> Path:
    path = folder / "hostile.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def refusal(path: Path, act: Callable[[Path], object] = OnnxEvaluator) -> str:
    """The line of an `AgentError`."""
    with pytest.raises(AgentError) as caught:
        act(path)
    line = str(caught.value)
    assert line.isprintable(), "one line, and nothing that moves the cursor"
    assert len(line) < 700
    assert "expected" in line
    assert "got" in line
    return line


PEAK = """
with open("/proc/self/status") as status:  # not getrusage: a child inherits its parent's peak there
    (peak,) = (line.split()[1] for line in status if line.startswith("VmHWM"))
print(int(peak) // 1024)
"""
"""Print the most memory that a process of Linux has had, in MB."""


def child(code: str, *arguments: Path) -> str:
    """What a process of its own prints: it may end in ways that a test can't catch."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def evaluate(path: Path) -> object:
    return OnnxEvaluator(path)(observe("X . O\n. . ."))


def graph_of(
    nodes: Sequence[onnx.NodeProto],
    initializers: Sequence[TensorProto] = (),
    *,
    opsets: Sequence[tuple[str, int]] = (("", 20),),
) -> onnx.ModelProto:
    """A model with our signature and metadata; the nodes make the outputs out of the inputs."""
    inputs = [
        helper.make_tensor_value_info("planes", TensorProto.FLOAT, ["b", len(PLANES), "r", "c"]),
        helper.make_tensor_value_info("rules", TensorProto.FLOAT, ["b", len(RULE_FEATURES)]),
    ]
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
        for name in ("logits", "wdl", "value_to_play")
    ]
    made = {output for node in nodes for output in node.output}
    copies = [
        helper.make_node("Identity", ["rules"], [output.name])
        for output in outputs
        if output.name not in made
    ]
    graph = helper.make_graph([*nodes, *copies], "hostile", inputs, outputs, initializers)
    model = helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid(*o) for o in opsets])
    helper.set_model_props(model, own_metadata(AGENT_FORMAT))
    return model


# --- not a model --------------------------------------------------------------------------------------------


def test_an_empty_file_a_folder_and_an_endless_device_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.onnx").touch()
    (tmp_path / "folder.onnx").mkdir()
    os.mkfifo(tmp_path / "pipe.onnx")
    assert "got 0 bytes" in refusal(tmp_path / "empty.onnx")
    assert "got a folder" in refusal(tmp_path / "folder.onnx")
    assert "got a device or a pipe" in refusal(tmp_path / "pipe.onnx")
    assert "got a device or a pipe" in refusal(Path("/dev/zero"))


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "huge.onnx").open("wb") as file:
        file.truncate(2**40)  # takes no room
    assert "got 1,099,511,627,776 bytes" in refusal(tmp_path / "huge.onnx")


def test_broken_files_are_refused_or_play_but_never_end_the_process(tmp_path: Path) -> None:
    """Cut off anywhere, or with some bytes changed; in a process of its own, since a crash would end it."""
    code = """
import random, sys
from pathlib import Path
from games.errors import AgentError
from games.encoding import Observation
from models import OnnxEvaluator
data, path, refused = Path(sys.argv[1]).read_bytes(), Path(sys.argv[2]), set()
for seed in range(80):
    draw = random.Random(seed)
    broken = bytearray(data if seed % 4 else data[: draw.randrange(len(data))])
    low = 0 if seed % 2 else max(0, len(broken) - 20_000)  # the graph is at the end, behind the weights
    for _ in range(1 + seed % 7):
        broken[draw.randrange(low, len(broken))] = draw.randrange(256)
    path.write_bytes(broken)
    try:
        OnnxEvaluator(path)(Observation.zeros(1, (1, 3)))
    except AgentError as error:
        refused.add(seed)
        assert str(error).isprintable(), error
print(len(refused), len(refused & set(range(0, 80, 4))))
"""
    refused, cut_off = map(int, child(code, RELEASED, tmp_path / "broken.onnx").split())
    assert cut_off == 20, "every fourth is cut off"
    assert refused >= 30


# --- other files --------------------------------------------------------------------------------------------


def elsewhere(location: str) -> TensorProto:
    """A tensor whose numbers are in another file."""
    tensor = TensorProto(name="elsewhere", data_type=TensorProto.FLOAT, dims=[4])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    return tensor


@pytest.mark.parametrize(
    "location", ["../../etc/passwd", "/etc/passwd", "beside.bin", "", "*/_ORT_MEM_ADDR_/*"]
)
@pytest.mark.parametrize("place", ["weights", "constant", "unnamed"])
def test_weights_in_other_files_are_refused(
    model: onnx.ModelProto, tmp_path: Path, location: str, place: str
) -> None:
    (tmp_path / "beside.bin").write_bytes(b"\0" * 16)
    tensor = elsewhere(location)
    if place == "constant":
        model.graph.node.append(helper.make_node("Constant", [], ["elsewhere"], value=tensor))
    elif place == "unnamed":  # a reference without the mark that it is one
        tensor.ClearField("data_location")
        model.graph.initializer.append(tensor)
    else:
        model.graph.initializer.append(tensor)
    assert "weights in the file itself, got elsewhere in another file" in refusal(save(model, tmp_path))


@pytest.mark.parametrize("place", ["branch", "function", "training", "sparse", "sparse constant"])
def test_graphs_within_graphs_and_sparse_tensors_are_refused(
    model: onnx.ModelProto, tmp_path: Path, place: str
) -> None:
    """Loops never end; any of these may hide a reference to another file."""
    inner = helper.make_graph([], "inner", [], [], [elsewhere("/etc/passwd")])
    if place == "branch":
        model.graph.node.append(helper.make_node("Loop", ["", ""], ["x"], body=inner))
    elif place == "function":
        constant = helper.make_node("Constant", [], ["y"], value=elsewhere("/etc/passwd"))
        opset = helper.make_opsetid("", 20)
        model.functions.append(helper.make_function("d", "f", [], ["y"], [constant], [opset]))
    elif place == "training":
        model.training_info.add().initialization.CopyFrom(inner)
    else:
        indices = numpy_helper.from_array(np.zeros(4, np.int64))
        sparse = helper.make_sparse_tensor(elsewhere("/etc/passwd"), indices, [9])
        if place == "sparse":
            model.graph.sparse_initializer.append(sparse)
        else:
            model.graph.node.append(helper.make_node("Constant", [], ["y"], sparse_value=sparse))
    line = refusal(save(model, tmp_path))
    assert "expected a plain graph" in line or "no loops and branches, got the operator Loop" in line


@pytest.mark.parametrize("domain", ["com.microsoft", "evil", "ai.onnx.ml"])
def test_operators_beyond_the_standard_are_refused(tmp_path: Path, domain: str) -> None:
    context = helper.make_node(
        "EPContext", ["rules"], ["logits"], domain=domain, ep_cache_context="/etc/passwd"
    )
    path = save(graph_of([context], opsets=[("", 20), (domain, 1)]), tmp_path)
    assert f"operators of the ONNX standard, got {domain}.EPContext" in refusal(path)


# --- memory -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dims", [[2**40], [2**20, 2**20], [1000, 1000, 1000], [-1], [2**63 - 1, 2**63 - 1]])
def test_a_tensor_that_claims_more_than_it_holds_is_refused(
    model: onnx.ModelProto, tmp_path: Path, dims: list[int]
) -> None:
    model.graph.initializer[0].ClearField("dims")
    model.graph.initializer[0].dims.extend(dims)
    assert "expected tensors as large as their data" in refusal(save(model, tmp_path))


def constant(name: str, *values: int, of: type[np.generic] = np.int64) -> TensorProto:
    return numpy_helper.from_array(np.array(values, of), name)


BOMBS = {
    "outer product": graph_of(
        [
            helper.make_node("Expand", ["one", "shape"], ["big"]),
            helper.make_node("Add", ["big", "rules"], ["logits"]),
        ],
        [constant("one", 1, of=np.float32), constant("shape", 60_000, 60_000, 1)],
    ),
    "fill": graph_of(
        [
            helper.make_node("ConstantOfShape", ["shape"], ["big"]),
            helper.make_node("Add", ["big", "rules"], ["logits"]),
        ],
        [constant("shape", 60_000, 60_000, 1)],
    ),
    "tile": graph_of(
        [helper.make_node("Tile", ["rules", "times"], ["logits"])], [constant("times", 100_000, 100)]
    ),
    "pad": graph_of(
        [helper.make_node("Pad", ["rules", "pads"], ["logits"])], [constant("pads", 100_000, 100_000, 0, 0)]
    ),
}
"""Files of some hundred bytes that ask for 3 to 40 GB."""


def test_small_files_that_ask_for_gigabytes_are_refused(tmp_path: Path) -> None:
    """In a process that could not get them either, so that a failure doesn't take the machine down."""
    for name, model in BOMBS.items():
        (tmp_path / f"{name}.onnx").write_bytes(model.SerializeToString())
    code = (
        """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (8 * 2**30,) * 2)
from games.encoding import Observation
from games.errors import AgentError
from models import OnnxEvaluator
for path in sys.argv[1:]:
    try:
        OnnxEvaluator(path)(Observation.zeros(1, (1, 3)))
    except AgentError as error:
        print(error)
"""
        + PEAK
    )
    *lines, peak = child(code, *tmp_path.iterdir()).splitlines()
    assert len(lines) == len(BOMBS)
    for line in lines:
        assert "got one that asks for more than 2 GiB of memory" in line
    assert int(peak) < 1000, "MB"


def test_nothing_large_is_worked_out_as_a_file_is_loaded(tmp_path: Path) -> None:
    """Ten tensors of 1 GB each, which a runtime may compute when it loads a file, and keep."""
    numbers = range(10)
    model = graph_of(
        [
            *(helper.make_node("Expand", [f"one{i}", "shape"], [f"big{i}"]) for i in numbers),
            helper.make_node("Sum", ["rules", *(f"big{i}" for i in numbers)], ["logits"]),
        ],
        [constant("shape", 13_000, 20_000, 1), *(constant(f"one{i}", i, of=np.float32) for i in numbers)],
    )
    code = (
        """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (8 * 2**30,) * 2)
from models import OnnxEvaluator
OnnxEvaluator(sys.argv[1])
"""
        + PEAK
    )
    assert int(child(code, save(model, tmp_path))) < 1000, "MB"


@pytest.mark.parametrize("backwards", [False, True])
def test_too_many_nodes_of_constants_are_refused(tmp_path: Path, backwards: bool) -> None:
    """Each could hold some megabytes. Shapes count: they may be known before an input is."""
    chain = [helper.make_node("Shape", ["rules"], ["x0"])]
    chain += [helper.make_node("Neg", [f"x{i}"], [f"x{i + 1}"]) for i in range(299)]
    path = save(graph_of(chain[::-1] if backwards else chain), tmp_path)
    assert "at most 256 nodes that compute with constants only, got 300" in refusal(path)


# --- metadata -----------------------------------------------------------------------------------------------


def with_metadata(model: onnx.ModelProto, folder: Path, **changes: str) -> Path:
    entries = {entry.key: entry.value for entry in model.metadata_props}
    helper.set_model_props(model, entries | changes)
    return save(model, folder)


def known(**changes: Any) -> str:
    connect4 = games.load("connect4")
    entry = {"name": "connect4", "digest": connect4.digest, "toml": connect4.to_toml()}
    return json.dumps([entry | changes])


def load_variants(path: Path) -> object:
    return list(Player.load(path).variants or ())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "\x1b[2Jowned" + "x" * 10**6}, "format selfplay-agent"),
        ({"encoding_version": "1"}, "encoding version 2, got 1"),
        ({"encoding_version": "9" * 10**5}, "encoding version 2, got 999"),
        ({"variants": "not json"}, "variants as JSON"),
        ({"variants": "[" * 10**6}, "variants as JSON"),
        ({"variants": '{"name": 3}'}, "variants with name, digest, toml"),
        ({"variants": "x" * 17 * 2**20}, "bytes of metadata"),
        ({"variants": known(name="\x1b]0;owned\x07")}, "names of at most"),
        ({"variants": known(name="x" * 10**6)}, "names of at most"),
        ({"variants": known(toml="board = " + "[" * 10**5)}, "TOML of a few levels"),
        ({"variants": known(toml="[board]\nrows = 10_000_000_000\ncolumns = 7")}, "rows"),
        ({"variants": known(digest="0" * 10**6)}, "rules that its digest names"),
        ({"training": "[" * 10**6}, "playouts"),
        ({"training": '{"rollouts": 1e999}'}, "playouts"),
        ({"training": '{"rollouts": -5}'}, "playouts"),
        ({"training": '{"rollouts": 1, "rollout_share": NaN}'}, "playouts"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, str) else next(iter(value)),
)
def test_forged_metadata_is_refused(
    model: onnx.ModelProto, tmp_path: Path, changes: dict[str, str], message: str
) -> None:
    assert message in refusal(with_metadata(model, tmp_path, **changes), load_variants)


def test_a_key_that_stands_twice_and_bytes_that_are_no_text_are_refused(
    model: onnx.ModelProto, tmp_path: Path
) -> None:
    model.metadata_props.add(key="format", value="another")
    assert "each key of the metadata once" in refusal(save(model, tmp_path))
    path = save(onnx.load(RELEASED), tmp_path)
    path.write_bytes(path.read_bytes().replace(b"selfplay-agent", b"selfplay-agen\xff"))
    assert "expected text as metadata" in refusal(path)


# --- inputs, outputs, answers -------------------------------------------------------------------------------


def sizes(value: Any) -> Any:
    """An input's dimensions, to be changed."""
    return value.type.tensor_type.shape.dim


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda inputs: sizes(inputs[0])[1].ClearField("dim_value"), "[any, any, any, any]"),
        (lambda inputs: setattr(sizes(inputs[0])[2], "dim_value", 6), "[any, 7, 6, any]"),
        (lambda inputs: setattr(inputs[1].type.tensor_type, "elem_type", TensorProto.FLOAT16), "float16"),
        (lambda inputs: inputs.add().CopyFrom(helper.make_tensor_value_info("more", 1, [1])), "more"),
        (lambda inputs: setattr(inputs[0], "name", "\x1b[31mplanes"), "planes"),
        (lambda inputs: inputs.pop(), "expected an .onnx agent"),
    ],
)
def test_another_signature_is_refused(tmp_path: Path, spoil: Callable[[Any], object], message: str) -> None:
    model = graph_of([])
    spoil(model.graph.input)
    line = refusal(save(model, tmp_path))
    assert message in line


def test_names_that_are_no_text_are_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = save(graph_of([]), tmp_path)
    path.write_bytes(path.read_bytes().replace(b"planes", b"plane\xff"))
    refusal(path)
    assert capfd.readouterr() == ("", ""), "nothing is said on stdout, where a protocol may be spoken"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (np.full((1, 8), np.nan, np.float32), "logits that are numbers"),
        (np.full((1, 8), np.inf, np.float32), "logits that are numbers"),
        (np.zeros((1, 7), np.float32), "logits float32 [1, 8], got float32 [1, 7]"),
        (np.zeros((8,), np.float32), "logits float32 [1, 8], got float32 [8]"),
        (np.zeros((0, 8), np.float32), "logits float32 [1, 8], got float32 [0, 8]"),
    ],
)
def test_answers_that_are_no_logits_are_refused(
    tmp_path: Path, answer: np.ndarray[Any, Any], message: str
) -> None:
    value = helper.make_node("Constant", [], ["logits"], value=numpy_helper.from_array(answer))
    path = save(graph_of([value]), tmp_path)
    assert message in refusal(path, evaluate)


@pytest.mark.parametrize("value", [np.nan, 5.0, -np.inf])
def test_values_out_of_their_range_are_refused(tmp_path: Path, value: float) -> None:
    values = {"logits": np.zeros((1, 8), np.float32), "value_to_play": np.array([value], np.float32)}
    nodes = [
        helper.make_node("Constant", [], [name], value=numpy_helper.from_array(array))
        for name, array in values.items()
    ]
    assert "expected value_to_play that are numbers up to 1.01" in refusal(
        save(graph_of(nodes), tmp_path), evaluate
    )


def test_an_agent_that_can_not_evaluate_a_board_says_so(tmp_path: Path) -> None:
    shape = constant("shape", 3, 1)
    path = save(graph_of([helper.make_node("Reshape", ["planes", "shape"], ["logits"])], [shape]), tmp_path)
    assert "expected an agent that evaluates this board" in refusal(path, evaluate)
