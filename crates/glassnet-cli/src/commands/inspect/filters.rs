//! `inspect --filters`: the weights of the first layer that looks at images, as a picture.

use std::path::Path;

use glassnet::core::Op;
use glassnet::core::graph::NodeId;
use glassnet::core::slots::{Role, Slot};
use glassnet::data::write_png;
use glassnet::nn::inspect::number::significant;
use glassnet::nn::network::Network;
use serde::Serialize;

use crate::drawing::{Canvas, Grid, MOST_PIXELS, Scale, Tile};
use crate::error::CliError;

/// Most filters that are drawn.
const MOST_FILTERS: usize = 1024;
/// Most channels of a filter that are drawn side by side.
const MOST_CHANNELS: usize = 64;

/// What was drawn.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Filters {
    /// The file.
    pub file: String,
    /// The layer.
    pub layer: String,
    /// What it is.
    pub kind: String,
    /// What a filter is: `filter`, or `unit` of a linear layer.
    pub what: &'static str,
    /// How many there are.
    pub count: usize,
    /// How many of them are drawn.
    pub drawn: usize,
    /// Channels, lines and columns of one.
    pub shape: [usize; 3],
    /// Whether three channels are red, green and blue.
    pub coloured: bool,
    /// The weight that is white; its negative is black and 0 the middle grey, of all filters alike.
    pub scale: f64,
    /// Lines and columns of the picture.
    pub picture: [usize; 2],
}

impl Filters {
    /// In words.
    pub fn words(&self) -> String {
        let [channels, height, width] = self.shape;
        let more = if self.drawn < self.count { format!(", the first {} of them", self.drawn) } else { String::new() };
        let how = match (self.coloured, channels) {
            (true, _) => "red, green and blue are the three channels".to_string(),
            (_, 1) => "one channel".to_string(),
            (_, channels) if channels > MOST_CHANNELS => format!("{MOST_CHANNELS} of {channels} channels side by side"),
            (_, channels) => format!("{channels} channels side by side"),
        };
        let white = significant(self.scale, 4);
        format!(
            "filters: {}, {} {}s of layer {} ({}), {height} x {width}{more}; {how}; grey is 0, white {white}, black -{white}, \
             the same for all",
            self.file, self.count, self.what, self.layer, self.kind
        )
    }
}

/// The weights that look at images: layer, slot, and the shape of one filter.
struct First<'a> {
    layer: &'a str,
    kind: &'a str,
    what: &'static str,
    slot: &'a Slot,
    shape: [usize; 3],
}

/// Draws the first layer's weights to a file. `image` is the shape of the model's images, where it has any.
///
/// # Errors
/// A network that does not begin with images, a place that cannot be written to.
pub fn draw(
    network: &Network,
    parameters: &[f64],
    image: Option<[usize; 3]>,
    file: &Path,
) -> Result<Filters, CliError> {
    let first = first(network, image)?;
    let (canvas, mut filters) = picture(&first, parameters.get(first.slot.range()).unwrap_or(&[]))?;
    filters.file = file.display().to_string();
    write_png(file, canvas.height, canvas.width, &canvas.pixels)?;
    Ok(filters)
}

/// The first layer with weights, where it looks at images.
fn first(network: &Network, image: Option<[usize; 3]>) -> Result<First<'_>, CliError> {
    let slots = network.graph.slots();
    let no = |what: String| {
        let hint = "--filters draws a convolution, or a linear layer that reads images, where it comes first";
        Err(CliError::Usage(format!("--filters: {what}\n  hint: {hint}")))
    };
    let weights = network.layers.iter().find_map(|layer| {
        let of = layer.slots.iter().map(|&id| slots.get(id));
        of.into_iter().find(|slot| matches!(slot.role, Role::Weight | Role::Table)).map(|slot| (layer, slot))
    });
    let Some((layer, slot)) = weights else { return no("the network has no weights".into()) };
    let as_first = |what, shape| First { layer: &layer.name, kind: &layer.kind, what, slot, shape };
    match (slot.shape.as_slice(), layer.linear.is_some()) {
        (&[_, channels, height, width], _) => Ok(as_first("filter", [channels, height, width])),
        // A filter along time: a line for each channel.
        (&[_, channels, taps], _) => Ok(as_first("filter", [1, channels, taps])),
        (&[_, inputs], true) => match image_before(network, layer.source).or(image) {
            Some(shape) if shape.iter().product::<usize>() == inputs => Ok(as_first("unit", shape)),
            _ => no(format!(
                "the first layer with weights is {} ({}), and its {inputs} inputs are no image",
                layer.name, layer.kind
            )),
        },
        _ => no(format!("the first layer with weights is {} ({}), which looks at no image", layer.name, layer.kind)),
    }
}

/// The image that a node has the numbers of, line by line.
fn image_before(network: &Network, mut at: NodeId) -> Option<[usize; 3]> {
    loop {
        let node = network.graph.node(at);
        if let [channels, height, width] = *node.shape.0.as_slice() {
            return Some([channels, height, width]);
        }
        match (&node.op, node.inputs.as_slice()) {
            (Op::Flatten(_) | Op::Reshape(_) | Op::Dropout(_), &[before]) => at = before,
            _ => return None,
        }
    }
}

fn picture(first: &First<'_>, weights: &[f64]) -> Result<(Canvas, Filters), CliError> {
    let [channels, height, width] = first.shape;
    let (plane, size) = (height * width, channels * height * width);
    let count = first.slot.shape.first().copied().unwrap_or(0);
    let drawn = count.min(MOST_FILTERS);
    let scale = Scale::symmetric(weights);
    let coloured = channels == 3;
    let filters = weights.chunks_exact(size.max(1)).take(drawn);
    let (tiles, columns): (Vec<Tile>, Option<usize>) = match coloured {
        true => (filters.map(|filter| Tile::rgb(height, width, filter, &scale)).collect(), None),
        false => {
            let side_by_side = channels.min(MOST_CHANNELS);
            let planes = filters.flat_map(|filter| filter.chunks_exact(plane.max(1)).take(side_by_side));
            let tiles = planes.map(|values| Tile::grey(height, width, values, &scale)).collect();
            (tiles, (channels > 1).then_some(side_by_side))
        }
    };
    let grid = Grid::new(height, width, tiles.len(), columns, 64);
    let picture = grid.size();
    if picture[0].saturating_mul(picture[1]) > MOST_PIXELS {
        return Err(CliError::Usage(format!(
            "--filters: the picture would have {} x {} pixels\n  hint: filters of {height} x {width} are too large to draw",
            picture[0], picture[1]
        )));
    }
    let mut canvas = Canvas::new(picture[0], picture[1]);
    grid.draw(&mut canvas, 0, &tiles);
    let (layer, kind) = (first.layer.to_string(), first.kind.to_string());
    let (what, shape, scale) = (first.what, first.shape, scale.white);
    let filters = Filters { file: String::new(), layer, kind, what, count, drawn, shape, coloured, scale, picture };
    Ok((canvas, filters))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::drawing::GAP_COLOUR;

    fn drawn(text: &str, parameters: &[f64], image: Option<[usize; 3]>) -> Result<(Canvas, Filters), CliError> {
        let network = Network::new(&text.parse().unwrap(), None).unwrap();
        let first = first(&network, image)?;
        picture(&first, &parameters[first.slot.range()])
    }

    #[test]
    fn filters_have_their_channels_side_by_side() {
        // Two filters of two channels, 1 x 2; then the biases.
        let parameters = [1.0, -1.0, 0.0, 0.5, -0.5, 0.0, 1.0, 1.0, 9.0, 9.0];
        let (canvas, filters) = drawn("2x1x2 -> conv 2 1x2", &parameters, None).unwrap();
        assert_eq!((filters.count, filters.shape, filters.scale), (2, [2, 1, 2], 1.0));
        assert_eq!((canvas.height, canvas.width), (2 + 2 * 18, 2 + 2 * 34));
        let level = |y: usize, x: usize| canvas.at(y, x)[0];
        // Filter 0: channel 0, a gap, channel 1; below it filter 1.
        assert_eq!([level(2, 2), level(2, 18)], [255, 0]);
        assert_eq!(canvas.at(2, 34), GAP_COLOUR);
        assert_eq!([level(2, 36), level(2, 52)], [128, 191]);
        assert_eq!([level(20, 2), level(20, 18), level(20, 36)], [64, 128, 255]);
        assert!(
            filters.words().contains("2 filters of layer 0 (conv 2 1x2), 1 x 2; 2 channels side by side; grey is 0")
        );
    }

    #[test]
    fn three_channels_are_colours_and_strips_are_lines() {
        let parameters = [1.0, -1.0, 0.0, 0.0];
        let (canvas, filters) = drawn("3x1x1 -> conv 1 1x1", &parameters, None).unwrap();
        assert!(filters.coloured);
        assert_eq!(canvas.at(2, 2), [255, 0, 128]);
        let (canvas, filters) = drawn("3x2 -> conv1d 1 2", &[1.0, -1.0, 0.0, 1.0, 0.0], None).unwrap();
        assert_eq!(filters.shape, [1, 2, 2]);
        let places = [(2, 2), (2, 18), (18, 2), (18, 18)].map(|(y, x)| canvas.at(y, x)[0]);
        assert_eq!(places, [255, 0, 128, 255]);
    }

    #[test]
    fn units_that_read_an_image_are_drawn_as_images() {
        let parameters = [1.0, 0.0, 0.0, -1.0, 0.0];
        for text in ["1x2x2 -> 1", "4 -> reshape 1x2x2 -> flatten -> 1"] {
            let (canvas, filters) = drawn(text, &parameters, None).unwrap();
            assert_eq!((filters.what, filters.shape), ("unit", [1, 2, 2]));
            assert_eq!([canvas.at(2, 2)[0], canvas.at(2, 18)[0], canvas.at(18, 18)[0]], [255, 128, 0]);
        }
        assert_eq!(drawn("4 -> 1", &parameters, Some([1, 2, 2])).unwrap().1.shape, [1, 2, 2]);
        let refused = drawn("4 -> 1", &parameters, None).unwrap_err().to_string();
        assert!(refused.contains("layer with weights is 0 (linear 1), and its 4 inputs are no image"), "{refused}");
        let refused = drawn("tokens 2 vocabulary 2 -> embed 1 -> last", &[0.0; 2], None).unwrap_err().to_string();
        assert!(refused.contains("0 (embed 1), which looks at no image"), "{refused}");
        assert!(drawn("2 -> relu", &[], None).unwrap_err().to_string().contains("no weights"));
    }
}
