//! Numbers as pictures: tiles of enlarged pixels in a grid, with thin gaps between them.

/// Red, green and blue.
pub type Colour = [u8; 3];

/// What lies between tiles.
pub const GAP_COLOUR: Colour = [40, 44, 72];
/// A number that is not finite.
pub const NOT_FINITE: Colour = [255, 0, 0];
/// Pixels between tiles.
pub const GAP: usize = 2;
/// A picture is about this wide at most.
pub const WIDEST: usize = 1200;
/// Most pixels of a picture.
pub const MOST_PIXELS: usize = 1 << 26;

/// A small picture, not enlarged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tile {
    /// Lines.
    pub height: usize,
    /// Pixels of a line.
    pub width: usize,
    /// Line by line.
    pub colours: Vec<Colour>,
}

impl Tile {
    /// One number a pixel.
    pub fn grey(height: usize, width: usize, values: &[f64], scale: &Scale) -> Tile {
        Tile { height, width, colours: values.iter().map(|&value| scale.grey(value)).collect() }
    }

    /// Three planes of numbers, one after the other: red, green and blue.
    pub fn rgb(height: usize, width: usize, planes: &[f64], scale: &Scale) -> Tile {
        let size = height * width;
        let at = |plane: usize, pixel: usize| planes.get(plane * size + pixel).copied().unwrap_or(0.0);
        let colour = |pixel| {
            let values = [0, 1, 2].map(|plane| at(plane, pixel));
            if values.iter().all(|value| value.is_finite()) {
                values.map(|value| scale.level(value))
            } else {
                NOT_FINITE
            }
        };
        Tile { height, width, colours: (0..size).map(colour).collect() }
    }
}

/// Which number is black and which is white.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// Black.
    pub black: f64,
    /// White.
    pub white: f64,
}

impl Scale {
    /// As far below 0 as above: 0 is the middle grey, 128.
    pub fn symmetric(values: &[f64]) -> Scale {
        let finite = values.iter().filter(|value| value.is_finite());
        let largest = finite.fold(0.0, |largest: f64, value| value.abs().max(largest));
        Scale { black: -largest, white: largest }
    }

    /// From the smallest to the largest.
    pub fn spanning(values: &[f64]) -> Scale {
        let finite = || values.iter().copied().filter(|value| value.is_finite());
        let (least, most) = (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
        if least <= most { Scale { black: least, white: most } } else { Scale { black: 0.0, white: 0.0 } }
    }

    /// 0 for black to 255 for white; 128 everywhere where both are one number.
    pub fn level(&self, value: f64) -> u8 {
        // Halves, so that numbers at the ends of f64 do not overflow.
        let span = 0.5 * self.white - 0.5 * self.black;
        if span <= 0.0 {
            return 128;
        }
        let share = (0.5 * value - 0.5 * self.black) / span;
        (255.0 * share).round().clamp(0.0, 255.0) as u8
    }

    fn grey(&self, value: f64) -> Colour {
        if value.is_finite() { [self.level(value); 3] } else { NOT_FINITE }
    }
}

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canvas {
    /// Lines.
    pub height: usize,
    /// Pixels of a line.
    pub width: usize,
    /// Three bytes a pixel, line by line.
    pub pixels: Vec<u8>,
}

impl Canvas {
    /// All of the colour of gaps.
    pub fn new(height: usize, width: usize) -> Canvas {
        Canvas { height, width, pixels: GAP_COLOUR.repeat(height * width) }
    }

    /// Draws a tile, each of its pixels `zoom` x `zoom`; what does not fit is left out.
    pub fn draw(&mut self, top: usize, left: usize, tile: &Tile, zoom: usize) {
        for (line, y) in (top..(top + tile.height * zoom).min(self.height)).enumerate() {
            for (column, x) in (left..(left + tile.width * zoom).min(self.width)).enumerate() {
                let place = (line / zoom.max(1)) * tile.width + column / zoom.max(1);
                let Some(colour) = tile.colours.get(place) else { continue };
                let start = 3 * (y * self.width + x);
                self.pixels[start..start + 3].copy_from_slice(colour);
            }
        }
    }

    /// The colour at a place.
    #[cfg(test)]
    pub fn at(&self, y: usize, x: usize) -> Colour {
        let start = 3 * (y * self.width + x);
        [self.pixels[start], self.pixels[start + 1], self.pixels[start + 2]]
    }
}

/// Tiles of one size in rows of `columns`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    /// Lines of a tile.
    pub height: usize,
    /// Pixels of a tile's line.
    pub width: usize,
    /// Side of an enlarged pixel.
    pub zoom: usize,
    /// Tiles of a row.
    pub columns: usize,
    /// Tiles.
    pub count: usize,
}

impl Grid {
    /// `count` tiles in about as many columns as rows, or in as many columns as are asked for; enlarged as far as fits.
    pub fn new(height: usize, width: usize, count: usize, columns: Option<usize>, largest: usize) -> Grid {
        let square = (1..=count.max(1)).find(|side| side * side >= count).unwrap_or(1);
        let columns = columns.unwrap_or(square).max(1);
        let room = (WIDEST / columns).saturating_sub(GAP) / width.max(1);
        let zoom = room.min(largest / height.max(width).max(1)).clamp(1, 16);
        Grid { height, width, zoom, columns, count }
    }

    /// Rows of tiles.
    pub fn rows(&self) -> usize {
        self.count.div_ceil(self.columns)
    }

    /// Lines and columns of pixels of all of it, with a gap around.
    pub fn size(&self) -> [usize; 2] {
        let along = |tiles: usize, size: usize| GAP + tiles * (size * self.zoom + GAP);
        [along(self.rows(), self.height), along(self.columns.min(self.count), self.width)]
    }

    /// Draws the tiles, beginning at line `top`.
    pub fn draw(&self, canvas: &mut Canvas, top: usize, tiles: &[Tile]) {
        for (number, tile) in tiles.iter().enumerate() {
            let (row, column) = (number / self.columns, number % self.columns);
            let y = top + GAP + row * (self.height * self.zoom + GAP);
            let x = GAP + column * (self.width * self.zoom + GAP);
            canvas.draw(y, x, tile, self.zoom);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_the_middle_grey_of_a_symmetric_scale() {
        let scale = Scale::symmetric(&[-2.0, 1.0, f64::NAN, f64::INFINITY]);
        assert_eq!(scale, Scale { black: -2.0, white: 2.0 });
        assert_eq!([-2.0, 0.0, 1.0, 2.0].map(|value| scale.level(value)), [0, 128, 191, 255]);
        assert_eq!(scale.grey(f64::NAN), NOT_FINITE);
        assert_eq!(Scale::symmetric(&[0.0]).level(0.0), 128);
    }

    #[test]
    fn a_spanning_scale_goes_from_the_least_to_the_most() {
        let scale = Scale::spanning(&[3.0, 1.0, f64::NEG_INFINITY, 2.0]);
        assert_eq!([1.0, 2.0, 3.0].map(|value| scale.level(value)), [0, 128, 255]);
        assert_eq!(Scale::spanning(&[f64::NAN]).level(5.0), 128);
        let wide = Scale::spanning(&[-f64::MAX, f64::MAX]);
        assert_eq!([-f64::MAX, 0.0, f64::MAX].map(|value| wide.level(value)), [0, 128, 255]);
    }

    #[test]
    fn tiles_are_enlarged_and_set_apart() {
        let scale = Scale { black: 0.0, white: 1.0 };
        let grid = Grid { height: 1, width: 2, zoom: 3, columns: 2, count: 3 };
        let [height, width] = grid.size();
        assert_eq!([height, width], [2 * 5 + 2, 2 * 8 + 2]);
        let mut canvas = Canvas::new(height, width);
        let tiles = [[0.0, 1.0], [1.0, 0.0], [0.5, 0.5]].map(|values| Tile::grey(1, 2, &values, &scale));
        grid.draw(&mut canvas, 0, &tiles);
        let (black, white) = ([0; 3], [255; 3]);
        for (y, x, colour) in [
            (0, 0, GAP_COLOUR),
            (2, 2, black),
            (4, 4, black),
            (2, 5, white),
            (4, 7, white),
            (2, 8, GAP_COLOUR),
            (2, 10, white),
            (2, 13, black),
            (5, 2, GAP_COLOUR),
            (7, 2, [128; 3]),
            (7, 10, GAP_COLOUR),
        ] {
            assert_eq!(canvas.at(y, x), colour, "{y}, {x}");
        }
    }

    #[test]
    fn three_planes_are_one_coloured_tile() {
        let scale = Scale { black: -1.0, white: 1.0 };
        let tile = Tile::rgb(1, 2, &[1.0, -1.0, 0.0, 0.0, -1.0, f64::NAN], &scale);
        assert_eq!(tile.colours, [[255, 128, 0], NOT_FINITE]);
    }

    #[test]
    fn grids_are_about_square_and_not_too_wide() {
        let grid = Grid::new(28, 28, 256, None, 64);
        assert_eq!((grid.columns, grid.rows(), grid.zoom), (16, 16, 2));
        assert!(grid.size()[1] <= WIDEST);
        assert_eq!(Grid::new(3, 3, 8, None, 48).zoom, 16);
        assert_eq!(Grid::new(3, 3, 8, Some(4), 48).columns, 4);
        assert_eq!(Grid::new(500, 500, 9, None, 64).zoom, 1);
    }
}
