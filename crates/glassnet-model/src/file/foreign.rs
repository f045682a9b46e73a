//! Files that are something else, known by their first bytes.

/// What the bytes are instead of a model file, and what to do; `None` where nobody knows.
pub(super) fn recognise(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    const EXPORT: &str = "save the weights as safetensors or npz there and import them";
    const DATA: &str = "this looks like data: give the model first, then the data";
    let starts = |magic: &[u8]| bytes.starts_with(magic);
    if starts(b"PK\x03\x04") {
        Some(("a zip archive (a PyTorch .pt file or an .npz is one)", EXPORT))
    } else if starts(b"\x80\x02") || starts(b"\x80\x03") || starts(b"\x80\x04") || starts(b"\x80\x05") {
        Some(("a Python pickle (an old PyTorch file, or scikit-learn's), which could run code", EXPORT))
    } else if starts(b"\x89HDF\r\n\x1a\n") {
        Some(("an HDF5 file (Keras writes them)", EXPORT))
    } else if starts(b"\x1f\x8b") {
        Some(("compressed by gzip", "uncompress it first; data files may stay compressed, model files may not"))
    } else if starts(b"\x93NUMPY") {
        Some(("a NumPy array", DATA))
    } else if starts(b"PAR1") {
        Some(("a Parquet table", DATA))
    } else if starts(b"GGUF") {
        Some(("a GGUF model", EXPORT))
    } else if starts(b"\0\0\x08\x01") || starts(b"\0\0\x08\x03") {
        Some(("an IDX file (MNIST's format)", DATA))
    } else if is_onnx(bytes) {
        Some(("an ONNX model", "import it and save it as a glassnet model"))
    } else if bytes.first() == Some(&b'{') {
        Some(("JSON text", "a model file starts with the length of its header in 8 bytes"))
    } else if !bytes.is_empty() && bytes.iter().take(512).all(|&b| b.is_ascii_graphic() || b" \t\r\n".contains(&b)) {
        Some(("text (a CSV or a configuration, perhaps)", DATA))
    } else {
        None
    }
}

/// An ONNX model starts with its version (field 1, a small number) and the producer's name or the graph.
fn is_onnx(bytes: &[u8]) -> bool {
    matches!(bytes, [0x08, 1..=20, 0x12 | 0x1a | 0x3a | 0x42, ..])
}
