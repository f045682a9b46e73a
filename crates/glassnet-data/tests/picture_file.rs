//! Pictures that are written are what a reader of PNG reads.
#![allow(clippy::unwrap_used)]

use glassnet_data::write_png;

#[test]
fn written_and_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.png");
    let pixels: Vec<u8> = (0..3 * 2 * 5).map(|byte| byte * 8).collect();
    write_png(&path, 2, 5, &pixels).unwrap();
    let file = std::io::BufReader::new(std::fs::File::open(&path).unwrap());
    let mut reader = png::Decoder::new(file).read_info().unwrap();
    let mut read = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut read).unwrap();
    assert_eq!((frame.height, frame.width, frame.color_type), (2, 5, png::ColorType::Rgb));
    assert_eq!(read, pixels);
}

#[test]
fn what_is_no_picture_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.png");
    for (height, width, bytes) in [(0, 5, 0), (2, 5, 29), (usize::MAX, 1, 3)] {
        let error = write_png(&path, height, width, &vec![0; bytes]).unwrap_err().to_string();
        assert!(error.contains("a.png") && error.contains("hint: draw a smaller picture"), "{error}");
        assert!(!path.exists());
    }
}
