#!/usr/bin/env python3
"""Makes the reference vectors that the Rust tests read, with PyTorch as the oracle. See README.md beside this file."""

import os
import pathlib

# Before PyTorch is loaded: its plain code and one thread, so that the processor has the least say in the last bits.
os.environ["ATEN_CPU_CAPABILITY"] = "default"
os.environ["MKL_CBWR"] = "COMPATIBLE"
os.environ["OMP_NUM_THREADS"] = "1"

import torch  # noqa: E402

import attention  # noqa: E402
import calibration  # noqa: E402
import cases  # noqa: E402
import convolution  # noqa: E402
import losses  # noqa: E402
import normalisation  # noqa: E402
import operations  # noqa: E402
import recurrence  # noqa: E402
import shapes  # noqa: E402
import tables  # noqa: E402
import tabm  # noqa: E402
import training  # noqa: E402

CRATES = pathlib.Path(__file__).resolve().parents[2] / "crates"


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    core = {"elementwise": operations.elementwise(), "softmax": operations.softmax(), "linear": operations.linear(),
            "combine": operations.combine(), "losses": losses.all_losses(),
            "sequence_losses": normalisation.sequence_losses()}
    layers = {"normalisation": normalisation.all_normalisation(), "shapes": shapes.all_shapes(), "tables": tables.all_layers(),
              "table_init": tables.all_initialisation()}
    for crate, groups in [("glassnet-core", core), ("glassnet-nn", training.all_training()),
                          ("glassnet-nn", attention.all_attention()), ("glassnet-nn", calibration.all_calibration()),
                          ("glassnet-nn", convolution.all_convolution()),
                          ("glassnet-nn", recurrence.all_recurrence()), ("glassnet-nn", layers),
                          ("glassnet-nn", tabm.all_tabm())]:
        for group, made in groups.items():
            cases.write(CRATES / crate / "tests" / "vectors" / f"{group}.json", made)


if __name__ == "__main__":
    main()
