//! A table in memory: named columns of numbers or of text, and where each row stood in its file.
//!
//! Readers (`glassnet-data`) make tables, preprocessing reads them. A missing value is `NaN` in a column of numbers
//! and `None` in a column of text; there is no other sign for it.

/// A table: columns of equal length.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    /// What messages call the source: the file's name, or `standard input`.
    pub source: String,
    /// The columns, in the file's order.
    pub columns: Vec<Column>,
    /// Number of rows.
    pub rows: usize,
    /// Number of the first row in the file, counted from 1 without the header (a chunk of a stream starts later).
    pub first_row: u64,
    /// The file's line on which each row starts, counted from 1; empty where the source has no lines (npy, IDX).
    pub lines: Vec<u64>,
}

/// One named column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// The header's name, or `c1`, `c2`, ... where there is no header.
    pub name: String,
    /// Its values.
    pub values: Values,
}

/// The values of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Numbers; `NaN` is a missing value.
    Number(Vec<f64>),
    /// Text as it stood in the file, quotes taken off.
    Text(Text),
}

/// A column of text kept as one string and the ends of its values.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Text {
    bytes: String,
    ends: Vec<usize>,
    missing: Vec<bool>,
}

impl Text {
    /// Adds a value; `None` is a missing one.
    pub fn push(&mut self, value: Option<&str>) {
        self.bytes.push_str(value.unwrap_or(""));
        self.ends.push(self.bytes.len());
        self.missing.push(value.is_none());
    }

    /// The value of row `row` (from 0); `None` where it is missing or there is no such row.
    pub fn get(&self, row: usize) -> Option<&str> {
        if *self.missing.get(row)? {
            return None;
        }
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        self.bytes.get(start..self.ends[row])
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The values in order.
    pub fn iter(&self) -> impl Iterator<Item = Option<&str>> + '_ {
        (0..self.len()).map(|row| self.get(row))
    }
}

impl Table {
    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Adds another table's rows below its own; columns are found by name, in any order, those that it does not know are left out. The lines of
    /// both are kept, so of the added ones the number of a row goes on while the line is that of their own file.
    ///
    /// # Errors
    /// The columns that the other has not, or that hold text there and numbers here.
    pub fn append(&mut self, other: &Table) -> Result<(), Vec<String>> {
        let mut missing = Vec::new();
        for column in &self.columns {
            match (other.column(&column.name).map(|other| &other.values), &column.values) {
                (Some(Values::Number(_)), Values::Number(_)) | (Some(Values::Text(_)), Values::Text(_)) => {}
                _ => missing.push(column.name.clone()),
            }
        }
        if !missing.is_empty() {
            return Err(missing);
        }
        for column in &mut self.columns {
            match (&mut column.values, other.column(&column.name).map(|other| &other.values)) {
                (Values::Number(own), Some(Values::Number(more))) => own.extend_from_slice(more),
                (Values::Text(own), Some(Values::Text(more))) => more.iter().for_each(|value| own.push(value)),
                _ => {}
            }
        }
        if self.lines.len() == self.rows && other.lines.len() == other.rows {
            self.lines.extend_from_slice(&other.lines);
        } else {
            self.lines.clear();
        }
        self.rows += other.rows;
        Ok(())
    }

    /// Where row `row` (from 0) stands, in words: `row 3 (line 4)`.
    pub fn place(&self, row: usize) -> String {
        let number = self.first_row.max(1) + row as u64;
        match self.lines.get(row) {
            Some(line) => format!("row {number} (line {line})"),
            None => format!("row {number}"),
        }
    }
}

impl Values {
    /// Number of values.
    pub fn len(&self) -> usize {
        match self {
            Values::Number(values) => values.len(),
            Values::Text(values) => values.len(),
        }
    }

    /// Whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether row `row` has no value.
    pub fn is_missing(&self, row: usize) -> bool {
        match self {
            Values::Number(values) => values.get(row).is_none_or(|value| value.is_nan()),
            Values::Text(values) => values.get(row).is_none(),
        }
    }
}

/// Images of one size with their labels (an IDX folder, a folder for each class, CIFAR-10).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Images {
    /// What messages call the source.
    pub source: String,
    /// `rows * channels * height * width` bytes, in the order image, channel (red, green, blue), line, column: channels
    /// first, as convolution reads them.
    pub pixels: Vec<u8>,
    /// One label a row; empty where there are none. A label is a number of `classes` where these have names, else it is a
    /// number that names itself (IDX: 0 to 9).
    pub labels: Vec<u32>,
    /// Names of the classes; empty where the labels name themselves.
    pub classes: Vec<String>,
    /// Number of images.
    pub rows: usize,
    /// Lines of pixels of an image.
    pub height: usize,
    /// Pixels of a line.
    pub width: usize,
    /// 1 for grey, 3 for colour.
    pub channels: usize,
}

impl Images {
    /// The name of an image's class (row from 0); `None` where it has no label, or a label that no class has.
    pub fn label(&self, row: usize) -> Option<String> {
        let label = *self.labels.get(row)?;
        if self.classes.is_empty() { Some(label.to_string()) } else { self.classes.get(label as usize).cloned() }
    }

    /// Grey images as colour images of three equal channels; others as they are.
    pub fn in_colour(self) -> Self {
        let plane = self.height * self.width;
        if self.channels != 1 || plane == 0 {
            return self;
        }
        let mut pixels = Vec::with_capacity(self.pixels.len() * 3);
        for image in self.pixels.chunks(plane) {
            (0..3).for_each(|_| pixels.extend_from_slice(image));
        }
        Images { pixels, channels: 3, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(names: &[&str], rows: usize) -> Table {
        let column = |(place, name): (usize, &&str)| {
            let mut text = Text::default();
            (0..rows).for_each(|row| text.push((row % 2 == 0).then_some("a")));
            let values = match place {
                0 => Values::Number((0..rows).map(|row| row as f64).collect()),
                _ => Values::Text(text),
            };
            Column { name: (*name).to_owned(), values }
        };
        let columns = names.iter().enumerate().map(column).collect();
        Table { source: "t".into(), columns, rows, first_row: 1, lines: (2..2 + rows as u64).collect() }
    }

    #[test]
    fn rows_of_another_table_go_below() {
        let mut own = table(&["x", "y"], 2);
        let mut other = table(&["x", "y", "z"], 3);
        other.columns.reverse();
        assert_eq!(own.append(&other), Ok(()));
        assert_eq!((own.rows, own.columns.len(), own.lines.len()), (5, 2, 5));
        assert_eq!(own.columns[0].values, Values::Number(vec![0.0, 1.0, 0.0, 1.0, 2.0]));
        let Values::Text(text) = &own.columns[1].values else { panic!("text") };
        assert_eq!(text.iter().collect::<Vec<_>>(), [Some("a"), None, Some("a"), None, Some("a")]);
        assert_eq!(own.append(&table(&["y", "x"], 1)), Err(vec!["x".to_owned(), "y".to_owned()]));
        assert_eq!(own.rows, 5);
    }
}
