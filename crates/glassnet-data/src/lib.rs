//! Readers of files: CSV, IDX, npy and npz to columns and tensors.
#![forbid(unsafe_code)]
