//! A folder with a sub-folder of PNG and JPEG files for each class, or with `train`, `test` and `valid` that are such.
//!
//! The sub-folders' names, sorted, are the names of the classes. All images have one size. Where every pixel of every image
//! is grey there is one channel, else there are three. Names that begin with a dot are passed over.

use std::path::{Path, PathBuf};

use glassnet_model::table::Images;

use crate::error::{DataError, Result, listed};
use crate::input::{Input, hash_of};
use crate::picture::{Picture, decode, wrong};

/// Largest file of one picture.
const MOST_FILE: usize = 1 << 28;

/// Most bytes of pixels in all.
const MOST_BYTES: usize = 1 << 36;

/// The parts of a folder, as far as it has them.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageFolder {
    /// The images of `train`, or of the folder itself where that has no parts.
    pub train: Images,
    /// Those of `valid` (or `val`, `validation`).
    pub valid: Option<Images>,
    /// Those of `test`.
    pub test: Option<Images>,
    /// SHA-256 over name and SHA-256 of each file, in the order train, valid, test, classes and names sorted; in hexadecimal.
    pub hash: String,
}

/// Names of what lies in a folder, those that begin with a dot left out: sub-folders and files, sorted.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    pub folders: Vec<String>,
    pub files: Vec<String>,
}

impl Entries {
    /// Looks into a folder.
    pub fn of(folder: &Path) -> Result<Self> {
        let shown = folder.to_string_lossy();
        let fails = |error: std::io::Error| DataError::from_io(&shown, false, &error);
        let mut entries = Entries::default();
        for entry in std::fs::read_dir(folder).map_err(fails)? {
            let name = entry.map_err(fails)?.file_name();
            let Some(name) = name.to_str() else {
                let file = folder.join(&name).to_string_lossy().into_owned();
                return Err(wrong(&file, "its name is not UTF-8", "rename it"));
            };
            if name.starts_with('.') {
                continue;
            }
            // Through links, as whoever opens it.
            let list = if folder.join(name).is_dir() { &mut entries.folders } else { &mut entries.files };
            list.push(name.to_owned());
        }
        entries.folders.sort();
        entries.files.sort();
        Ok(entries)
    }
}

const PARTS: [(&str, Part); 5] = [
    ("train", Part::Train),
    ("valid", Part::Valid),
    ("val", Part::Valid),
    ("validation", Part::Valid),
    ("test", Part::Test),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Train,
    Valid,
    Test,
}

/// Reads a folder of pictures.
///
/// # Errors
/// No folder for a class, one without a picture, a file that is no picture or a broken one, pictures of different sizes,
/// too large a set, a class of the test that training has not; each with the path and what to do.
pub fn read_image_folder(folder: &str) -> Result<ImageFolder> {
    let root = Path::new(folder);
    let entries = Entries::of(root)?;
    let has_parts = entries.folders.iter().any(|name| name == "train")
        && Entries::of(&root.join("train")).is_ok_and(|train| !train.folders.is_empty());
    let mut reading = Reading::default();
    if !has_parts {
        let train = reading.classes(root, &entries)?;
        return Ok(ImageFolder { train, valid: None, test: None, hash: reading.hash() });
    }
    refuse_files(root, &entries, "train, valid and test")?;
    let mut parts: [Option<Images>; 3] = [None, None, None];
    if let Some(other) = entries.folders.iter().find(|name| !PARTS.iter().any(|(known, _)| known == name)) {
        let file = root.join(other).to_string_lossy().into_owned();
        let hint = "beside train there may be valid and test; move it out";
        return Err(wrong(&file, "this folder is no part of the data", hint));
    }
    for (name, part) in PARTS.iter().filter(|(name, _)| entries.folders.iter().any(|folder| folder == name)) {
        let path = root.join(name);
        let place = &mut parts[*part as usize];
        if place.is_some() {
            let hint = "keep one of them";
            return Err(wrong(&path.to_string_lossy(), "there are two folders for validation", hint));
        }
        *place = Some(reading.classes(&path, &Entries::of(&path)?)?);
    }
    let [Some(train), valid, test] = parts else {
        return Err(DataError::Folder { file: folder.to_owned(), found: "it has no train".to_owned() });
    };
    for other in [&valid, &test].into_iter().flatten() {
        if let Some(class) = other.classes.iter().find(|class| !train.classes.contains(class)) {
            let problem = format!("the class '{class}' is not among the classes of training");
            let hint = format!("give training images of it, or take it out; there are {}", listed(names(&train)));
            return Err(wrong(&format!("{}/{class}", other.source), problem, hint));
        }
    }
    // What is grey in one part is colour where another is.
    let colour = [Some(&train), valid.as_ref(), test.as_ref()].into_iter().flatten().any(|part| part.channels == 3);
    let same = |images: Images| if colour { images.in_colour() } else { images };
    Ok(ImageFolder { train: same(train), valid: valid.map(same), test: test.map(same), hash: reading.hash() })
}

fn names(images: &Images) -> impl Iterator<Item = &str> {
    images.classes.iter().map(String::as_str)
}

fn refuse_files(folder: &Path, entries: &Entries, beside: &str) -> Result<()> {
    let Some(file) = entries.files.first() else { return Ok(()) };
    let file = folder.join(file).to_string_lossy().into_owned();
    let hint = "move it out, or into the folder of its class (files whose names begin with a dot are passed over)";
    Err(wrong(&file, format!("this file lies beside the folders of {beside}"), hint))
}

/// What holds for all parts: the size of the first image, and what was read so far.
#[derive(Debug, Default)]
struct Reading {
    /// Path, height and width of the first image of all.
    first: Option<(String, usize, usize)>,
    hashes: Vec<String>,
}

impl Reading {
    fn hash(&self) -> String {
        hash_of(&self.hashes)
    }

    /// The images of a folder with a sub-folder for each class.
    fn classes(&mut self, folder: &Path, entries: &Entries) -> Result<Images> {
        let source = folder.to_string_lossy().into_owned();
        if entries.folders.is_empty() {
            let found = match entries.files.as_slice() {
                [] => "it is empty".to_owned(),
                files => format!("it has no sub-folder, only {}", listed(files.iter().map(String::as_str))),
            };
            return Err(DataError::Folder { file: source, found });
        }
        refuse_files(folder, entries, "the classes")?;
        let mut files: Vec<(u32, PathBuf, String)> = Vec::new();
        for (label, class) in entries.folders.iter().enumerate() {
            let path = folder.join(class);
            let inside = Entries::of(&path)?;
            if let Some(deeper) = inside.folders.first() {
                let file = path.join(deeper).to_string_lossy().into_owned();
                let hint = format!("put its images into {}, or move it out", path.display());
                return Err(wrong(&file, format!("this folder lies in the folder of the class '{class}'"), hint));
            }
            if inside.files.is_empty() {
                let hint = "put PNG or JPEG files into it, or remove it";
                return Err(wrong(&path.to_string_lossy(), format!("the class '{class}' has no image"), hint));
            }
            files.extend(inside.files.iter().map(|name| (label as u32, path.join(name), format!("{class}/{name}"))));
        }
        let mut set = Set::default();
        let mut labels = Vec::with_capacity(files.len());
        let count = files.len();
        for (label, path, name) in files {
            let file = path.to_string_lossy().into_owned();
            let (picture, hash) = self.picture(&file, count)?;
            set.add(picture);
            labels.push(label);
            self.hashes.push(format!("{name}\n{hash}\n"));
        }
        let (height, width) = self.first.as_ref().map_or((0, 0), |(_, height, width)| (*height, *width));
        let (classes, channels) = (entries.folders.clone(), if set.colour { 3 } else { 1 });
        Ok(Images { source, pixels: set.pixels, labels, classes, rows: count, height, width, channels })
    }

    /// One of `count` files, of the size that all have.
    fn picture(&mut self, file: &str, count: usize) -> Result<(Picture, String)> {
        let mut input = Input::open(file)?;
        let mut bytes = Vec::new();
        input.fill(&mut bytes, MOST_FILE + 1)?;
        if bytes.len() > MOST_FILE {
            return Err(wrong(
                file,
                format!("more than {MOST_FILE} bytes are no picture to learn from"),
                "scale it down",
            ));
        }
        let fits = |height: usize, width: usize| match &self.first {
            Some((first, h, w)) if (*h, *w) != (height, width) => {
                let problem = format!("it has {height} x {width} pixels, but {first} has {h} x {w}");
                Err(wrong(file, problem, "scale all images to one size (lines x columns)"))
            }
            Some(_) => Ok(()),
            None if height.saturating_mul(width).saturating_mul(count) > MOST_BYTES => {
                let problem = format!("{count} images of {height} x {width} pixels are more than {MOST_BYTES} bytes");
                Err(wrong(file, problem, "scale all images down, or take fewer of them"))
            }
            None => Ok(()),
        };
        let picture = decode(file, &bytes, fits)?;
        self.first.get_or_insert_with(|| (file.to_owned(), picture.height, picture.width));
        Ok((picture, input.hash()))
    }
}

/// Pixels of images so far; all become colour with the first that is.
#[derive(Debug, Default)]
struct Set {
    pixels: Vec<u8>,
    colour: bool,
}

impl Set {
    fn add(&mut self, picture: Picture) {
        let plane = picture.height * picture.width;
        if picture.channels == 3 && !self.colour {
            self.pixels =
                self.pixels.chunks(plane.max(1)).flat_map(|grey| [grey, grey, grey]).flatten().copied().collect();
            self.colour = true;
        }
        let times = if self.colour && picture.channels == 1 { 3 } else { 1 };
        (0..times).for_each(|_| self.pixels.extend_from_slice(&picture.pixels));
    }
}
