"""ONNX Runtime: a session with its own threads, inputs and outputs bound once, run with the weights in the model."""

import peer

THREADS = peer.threads_of_libraries()

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

options = peer.arguments()


def model(sizes):
    draw = np.random.default_rng(2)
    nodes, weights, name = [], [], "x"
    for place, (inputs, outputs) in enumerate(zip(sizes, sizes[1:])):
        own = draw.random((inputs, outputs), dtype=np.float32) / np.float32(inputs)
        weights += [numpy_helper.from_array(own, f"w{place}"), numpy_helper.from_array(np.zeros(outputs, np.float32), f"b{place}")]
        last = place + 2 == len(sizes)
        out = "y" if last else f"z{place}"
        nodes.append(helper.make_node("Gemm", [name, f"w{place}", f"b{place}"], [out]))
        if not last:
            nodes.append(helper.make_node("Relu", [out], [f"a{place}"]))
            name = f"a{place}"
    tensor = lambda name, width: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", width])
    graph = helper.make_graph(nodes, "mlp", [tensor("x", sizes[0])], [tensor("y", sizes[-1])], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def cases():
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads, settings.inter_op_num_threads = THREADS, 1
    for sizes, rows in peer.INFER:
        session = onnxruntime.InferenceSession(model(sizes).SerializeToString(), settings, providers=["CPUExecutionProvider"])
        x = np.random.default_rng(3).standard_normal((rows, sizes[0]), dtype=np.float32)
        y = np.empty((rows, sizes[-1]), np.float32)
        bound = session.io_binding()
        bound.bind_input("x", "cpu", 0, np.float32, x.shape, x.ctypes.data)
        bound.bind_output("y", "cpu", 0, np.float32, y.shape, y.ctypes.data)

        def with_binding(session=session, bound=bound, keep=(x, y)):
            session.run_with_iobinding(bound)

        def plain(session=session, x=x):
            session.run(None, {"x": x})

        # Whichever of its two ways is the quicker one here.
        quick = min((with_binding, plain), key=lambda run: peer.median_micros(run, 0.05))
        yield ("-".join(map(str, sizes)) + f" x{rows}", 1, peer.together_for(quick), quick)


peer.serve("ONNX Runtime", onnxruntime.__version__, list(cases()))
