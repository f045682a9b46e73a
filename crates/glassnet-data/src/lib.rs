//! Readers of files: CSV, IDX, npy and npz to columns and tensors, pictures and CIFAR-10 to images, text, word vectors.
//!
//! A reader finds out how a file is written, says what it understood ([`Understood`]) and gives a table or images of
//! `glassnet_model::table`. Whatever is wrong with the input is a [`DataError`] that says what, where and what to do;
//! nothing here panics, and nothing is allocated on a file's word alone.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

mod arrays;
mod cells;
pub mod checkpoint;
mod cifar;
mod csv;
mod dialect;
mod error;
mod idx;
mod image_folder;
mod input;
mod npy;
mod open;
mod options;
mod picture;
mod picture_file;
mod records;
mod rows;
mod stream;
mod text;
mod understood;
mod word_vectors;
pub mod write;
mod zip;

pub use arrays::{Arrays, read_arrays};
pub use cifar::{CifarFolder, read_cifar_folder};
pub use csv::{read_csv, read_csv_from};
pub use dialect::Dialect;
pub use error::{DataError, Result, nearest_file};
pub use idx::{IdxArray, IdxFolder, read_idx, read_idx_folder};
pub use image_folder::{ImageFolder, read_image_folder};
pub use npy::Array;
pub use open::{Dataset, Format, format_of, is_image_data, open};
pub use options::{Encoding, Header, MISSING_WORDS, ReadOptions};
pub use picture_file::write_png;
pub use stream::{ColumnPlan, CsvStream};
pub use text::{TextFile, read_text};
pub use understood::{ColumnReport, Kind, Understood, Warning};
pub use word_vectors::{WordVectorFile, WordVectors, read_word_vectors};
