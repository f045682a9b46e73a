//! `trace --maps`: what every layer gives for a row, as a picture: a band of maps for each layer, the input first.

use std::path::Path;

use glassnet::data::write_png;
use glassnet::nn::inspect::LayerValues;
use glassnet::nn::inspect::number::significant;
use serde::Serialize;

use crate::drawing::{Canvas, Grid, MOST_PIXELS, Scale, Tile, WIDEST};
use crate::error::CliError;

/// Most maps of a band.
const MOST_MAPS: usize = 256;
/// Lines between bands.
const BETWEEN: usize = 6;
/// A map is enlarged up to about this size.
const LARGEST: usize = 64;

/// What was drawn.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Maps {
    /// The file.
    pub file: String,
    /// The bands from the top.
    pub bands: Vec<Band>,
    /// Lines and columns of the picture.
    pub picture: [usize; 2],
}

/// The maps of one layer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Band {
    /// The layer; `input` is the row.
    pub layer: String,
    /// What it is.
    pub kind: String,
    /// Shape of what it gives.
    pub shape: Vec<usize>,
    /// How many maps are drawn.
    pub maps: usize,
    /// The number that is black, of the whole layer.
    pub black: f64,
    /// The number that is white.
    pub white: f64,
    /// The first line of the picture that it stands on, from 0.
    pub top: usize,
    /// The line behind its last one.
    pub bottom: usize,
}

impl Maps {
    /// A line for each band.
    pub fn words(&self) -> String {
        let mut text = format!("maps: {}, {} bands from the top\n", self.file, self.bands.len());
        let names = self.bands.iter().map(|band| format!("{}: {}", band.layer, band.kind));
        let names: Vec<String> = names.collect();
        let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        for (band, name) in self.bands.iter().zip(&names) {
            let axes: Vec<String> = band.shape.iter().map(usize::to_string).collect();
            let what = match band.shape.len() {
                2 => "time to the right, features down".to_string(),
                _ if band.maps == 1 => "1 map".to_string(),
                _ if band.maps < band.shape[0] => format!("the first {} maps", band.maps),
                _ => format!("{} maps", band.maps),
            };
            let (black, white) = (significant(band.black, 4), significant(band.white, 4));
            text += &format!(
                "  lines {:>4}-{:<4}  {name:width$}  [{}], {what}, black {black}, white {white}\n",
                band.top,
                band.bottom.saturating_sub(1),
                axes.join(", ")
            );
        }
        text
    }
}

/// Draws the layers' values to a file. `image` is the shape of the row, where only the model knows that it is an image.
///
/// # Errors
/// No layer gives an image or a sequence; a place that cannot be written to.
pub fn draw(values: Vec<LayerValues>, image: Option<[usize; 3]>, file: &Path) -> Result<Maps, CliError> {
    let (canvas, mut maps) = picture(values, image)?;
    maps.file = file.display().to_string();
    write_png(file, canvas.height, canvas.width, &canvas.pixels)?;
    Ok(maps)
}

fn picture(mut values: Vec<LayerValues>, image: Option<[usize; 3]>) -> Result<(Canvas, Maps), CliError> {
    if let (Some(input), Some(shape)) = (values.first_mut(), image)
        && shape.iter().product::<usize>() == input.values.len()
    {
        input.shape = shape.to_vec();
    }
    let layers = values.iter().filter(|layer| !layer.values.is_empty());
    let drawn: Vec<(&LayerValues, Grid, Vec<Tile>, Scale)> = layers.filter_map(tiles).collect();
    if drawn.is_empty() {
        return Err(CliError::Usage(
            "--maps: no layer of the network gives an image or a sequence\n  hint: it draws values of the shapes [C, H, W] \
             and [T, F]; reshape 1x8x8 makes an image of 64 numbers"
                .into(),
        ));
    }
    let width = drawn.iter().map(|(_, grid, ..)| grid.size()[1]).max().unwrap_or(0);
    let height = drawn.iter().map(|(_, grid, ..)| grid.size()[0] + BETWEEN).sum::<usize>() - BETWEEN;
    if height.saturating_mul(width) > MOST_PIXELS {
        let what = format!("--maps: the picture would have {height} x {width} pixels");
        return Err(CliError::Usage(format!("{what}\n  hint: the images are too large to draw")));
    }
    let mut canvas = Canvas::new(height, width);
    let (mut top, mut bands) = (0, Vec::new());
    for (layer, grid, tiles, scale) in &drawn {
        grid.draw(&mut canvas, top, tiles);
        let bottom = top + grid.size()[0];
        bands.push(Band {
            layer: layer.name.clone(),
            kind: layer.kind.clone(),
            shape: layer.shape.clone(),
            maps: tiles.len(),
            black: scale.black,
            white: scale.white,
            top,
            bottom,
        });
        top = bottom + BETWEEN;
    }
    Ok((canvas, Maps { file: String::new(), bands, picture: [height, width] }))
}

/// The maps of one layer's values, where they have a shape to draw.
fn tiles(layer: &LayerValues) -> Option<(&LayerValues, Grid, Vec<Tile>, Scale)> {
    let scale = Scale::spanning(&layer.values);
    match *layer.shape.as_slice() {
        [channels, height, width] => {
            let maps = layer.values.chunks_exact((height * width).max(1)).take(MOST_MAPS);
            let tiles: Vec<Tile> = maps.map(|map| Tile::grey(height, width, map, &scale)).collect();
            let side = Grid::new(height, width, 1, None, LARGEST).zoom * width + crate::drawing::GAP;
            let columns = (WIDEST / side.max(1)).clamp(1, channels.clamp(1, MOST_MAPS));
            Some((layer, Grid::new(height, width, tiles.len(), Some(columns), LARGEST), tiles, scale))
        }
        [steps, features] => {
            let place = |feature: usize| (0..steps).map(move |step| step * features + feature);
            let turned: Vec<f64> = (0..features).flat_map(place).map(|place| layer.values[place]).collect();
            let grid = Grid::new(features, steps, 1, Some(1), 4 * LARGEST);
            Some((layer, grid, vec![Tile::grey(features, steps, &turned, &scale)], scale))
        }
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::drawing::GAP_COLOUR;

    fn layer(name: &str, shape: &[usize], values: &[f64]) -> LayerValues {
        LayerValues { name: name.into(), kind: "k".into(), depth: 0, shape: shape.to_vec(), values: values.to_vec() }
    }

    #[test]
    fn each_layer_has_a_band_with_its_own_scale() {
        let values = vec![
            layer("input", &[4], &[0.0, 1.0, 2.0, 3.0]),
            layer("0", &[2, 1, 2], &[10.0, 20.0, 30.0, 20.0]),
            layer("1", &[3], &[1.0, 2.0, 3.0]),
            layer("2", &[2, 3], &[0.0, 1.0, 2.0, 3.0, 4.0, 6.0]),
        ];
        let (canvas, maps) = picture(values, Some([1, 2, 2])).unwrap();
        let names: Vec<&str> = maps.bands.iter().map(|band| band.layer.as_str()).collect();
        assert_eq!(names, ["input", "0", "2"]);
        let tops: Vec<[usize; 2]> = maps.bands.iter().map(|band| [band.top, band.bottom]).collect();
        // 2 x 2 pixels of 16; 1 x 2 pixels of 16; 3 x 2 pixels of 16; gaps of 2 around, 6 between.
        assert_eq!(tops, [[0, 36], [42, 62], [68, 120]]);
        assert_eq!((canvas.height, canvas.width), (120, 2 + 2 * 34));
        let level = |y: usize, x: usize| canvas.at(y, x)[0];
        assert_eq!([level(2, 2), level(2, 18), level(18, 2), level(18, 18)], [0, 85, 170, 255]);
        assert_eq!([level(44, 2), level(44, 18), level(44, 36), level(44, 52)], [0, 128, 255, 128]);
        // A sequence: time to the right, features down.
        assert_eq!([level(70, 2), level(86, 2), level(102, 2), level(70, 18)], [0, 43, 85, 128]);
        assert_eq!(level(102, 18), 255);
        assert_eq!(canvas.at(38, 10), GAP_COLOUR);
        assert_eq!((maps.bands[1].black, maps.bands[1].white), (10.0, 30.0));
        let words = maps.words();
        assert!(words.contains("lines   42-61    0: k      [2, 1, 2], 2 maps, black 10, white 30"), "{words}");
    }

    #[test]
    fn a_network_without_images_is_refused() {
        let refused = picture(vec![layer("input", &[4], &[0.0; 4])], None).unwrap_err().to_string();
        assert!(refused.contains("no layer of the network gives an image or a sequence"), "{refused}");
    }
}
