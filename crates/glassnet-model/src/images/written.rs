//! How fitted preprocessing of images stands in a model file.

use super::{ImagePreprocess, PixelScale};
use crate::augment::Augmentation;
use serde::{Deserialize, Serialize};

/// The keys. Grey images have `mean` and `deviation`, as they always had; those of several channels have `scales`, so that
/// a reader that knows one mean only refuses them and does not predict from wrong numbers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Written {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mean: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deviation: Option<f64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    scales: Vec<PixelScale>,
    height: usize,
    width: usize,
    channels: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    augmentation: Option<Augmentation>,
}

impl From<ImagePreprocess> for Written {
    fn from(images: ImagePreprocess) -> Self {
        let ImagePreprocess { scales, height, width, channels, augmentation } = images;
        let (single, scales) = match scales[..] {
            [single] => (Some(single), Vec::new()),
            _ => (None, scales),
        };
        Written {
            mean: single.map(|scale| scale.mean),
            deviation: single.map(|scale| scale.deviation),
            scales,
            height,
            width,
            channels,
            augmentation,
        }
    }
}

impl TryFrom<Written> for ImagePreprocess {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let Written { mean, deviation, scales, height, width, channels, augmentation } = written;
        let scales = match (mean, deviation) {
            (Some(mean), Some(deviation)) if scales.is_empty() => vec![PixelScale { mean, deviation }],
            (None, None) if scales.len() > 1 && scales.len() == channels => scales,
            _ => {
                return Err(
                    "images have one mean and deviation, or scales with one of them for each channel".to_owned()
                );
            }
        };
        Ok(ImagePreprocess { scales, height, width, channels, augmentation })
    }
}
