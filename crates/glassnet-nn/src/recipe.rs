//! Networks for tables, as specifications: the recipe of RealMLP (Holzmueller, Grinsztajn & Steinwart 2024, "Better by Default")
//! written in ordinary layers, so that it has a text, a JSON and a TOML form and every inspector knows it. Not theirs: each number is read
//! twice, as waves (their PBLD) and by parts, straight between its quantiles (Gorishniy et al. 2022): waves are good at what bends
//! smoothly, parts at what jumps; why in `docs/decisions/0029-numbers-twice.md`.
//!
//! A row of the network's input is `[numbers, others, codes]`: the scaled numbers; the columns that are used as they are (scaled
//! one-hots, +-1); and one category code for each embedded column. What a table does not have is left out.
//!
//! ```
//! use glassnet_nn::recipe::{TableLayout, tabular};
//!
//! let layout = TableLayout { numbers: 6, others: 10, categories: vec![17, 43] };
//! assert_eq!(
//!     tabular(&layout, 2, false).to_string(),
//!     "18 -> concat(slice 0 6 -> periodic, slice 0 6 -> piecewise 48 4, slice 6 16, slice 16 18 -> categories 17 43) \
//!      -> scale -> ntk 256 -> parametric selu -> dropout 0.15 -> ntk 256 -> parametric selu -> dropout 0.15 \
//!      -> ntk 256 -> parametric selu -> dropout 0.15 -> ntk 2"
//! );
//! ```

use crate::spec::table::{BINS, CATEGORY_WIDTH, FREQUENCIES, PERIODIC_WIDTH, PIECEWISE_WIDTH};
use crate::spec::{Activation, LayerSpec, NetSpec, ReorderLayer, TableLayer};

/// Hidden layers of the recipe.
pub const HIDDEN: [usize; 3] = [256, 256, 256];
/// Share of the hidden units that is dropped while training.
pub const DROPOUT: f64 = 0.15;
/// Numbers that a number's parts give the recipe's network: as many as its waves.
pub const PARTS: usize = PERIODIC_WIDTH;

/// What a row of a table is after its columns were prepared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TableLayout {
    /// True numbers, scaled; they come first.
    pub numbers: usize,
    /// Columns that go in as they are: scaled one-hots, +-1.
    pub others: usize,
    /// Codes of each embedded column, 0 (missing or unseen) included; one code a column, at the end.
    pub categories: Vec<usize>,
}

impl TableLayout {
    /// Numbers of a row.
    pub fn inputs(&self) -> usize {
        self.numbers + self.others + self.categories.len()
    }
}

/// The recipe's network: [`HIDDEN`] layers, `outputs` logits (two for two classes), or one value for a regression. The
/// specification is full: its last layer is the output.
pub fn tabular(layout: &TableLayout, outputs: usize, regression: bool) -> NetSpec {
    tabular_with(layout, outputs, regression, &HIDDEN)
}

/// The same with hidden layers of other sizes; with none it is linear in the embedded columns.
pub fn tabular_with(layout: &TableLayout, outputs: usize, regression: bool, hidden: &[usize]) -> NetSpec {
    let sigma = if regression { Activation::Mish } else { Activation::Selu };
    let waves = TableLayer::Periodic { frequencies: FREQUENCIES, width: PERIODIC_WIDTH };
    let parts = TableLayer::Piecewise { bins: BINS, width: PARTS };
    let mut layers = embedded(layout, &[waves, parts]);
    layers.push(LayerSpec::Scaling);
    for &units in hidden {
        layers.extend([
            LayerSpec::Table(TableLayer::Ntk { units, bias: true }),
            LayerSpec::Table(TableLayer::Parametric { function: sigma }),
            LayerSpec::Dropout { p: DROPOUT },
        ]);
    }
    layers.push(LayerSpec::Table(TableLayer::Ntk { units: outputs, bias: true }));
    let mut spec = NetSpec { layers, ..NetSpec::default() };
    spec.set_input(&[layout.inputs()], None);
    spec
}

/// Hidden layers of TabM.
pub const TABM_LAYERS: usize = 3;
/// Members of TabM, unless said otherwise.
pub const TABM_MEMBERS: usize = 32;
/// Units of a hidden layer of TabM, unless said otherwise.
pub const TABM_WIDTH: usize = 512;
/// Share of TabM's hidden units that is dropped while training.
pub const TABM_DROPOUT: f64 = 0.1;

/// TabM (Gorishniy et al. 2024, arXiv 2410.24210): `members` networks of [`TABM_LAYERS`] hidden layers of `width` units in one, which
/// share their large weights; numbers by parts, `outputs` logits (two for two classes), or one value for a regression. What comes
/// out is the mean of the members' probabilities, or values; with a loss each is trained for itself.
///
/// ```
/// use glassnet_nn::recipe::{TableLayout, tabm};
///
/// let layout = TableLayout { numbers: 6, others: 10, categories: vec![17] };
/// assert_eq!(
///     tabm(&layout, 2, false, 32, 512).to_string(),
///     "17 -> concat(slice 0 6 -> piecewise 48 16, slice 6 16, slice 16 17 -> categories 17) -> members 32 \
///      -> shared 512 -> relu -> dropout 0.1 -> shared 512 -> relu -> dropout 0.1 -> shared 512 -> relu -> dropout 0.1 \
///      -> heads 2 -> average probabilities"
/// );
/// ```
pub fn tabm(layout: &TableLayout, outputs: usize, regression: bool, members: usize, width: usize) -> NetSpec {
    let mut layers = embedded(layout, &[TableLayer::Piecewise { bins: BINS, width: PIECEWISE_WIDTH }]);
    layers.push(LayerSpec::Table(TableLayer::Members { members }));
    for _ in 0..TABM_LAYERS {
        layers.extend([
            LayerSpec::Table(TableLayer::Shared { units: width }),
            LayerSpec::Activation { function: Activation::Relu },
            LayerSpec::Dropout { p: TABM_DROPOUT },
        ]);
    }
    layers.push(LayerSpec::Table(TableLayer::Heads { units: outputs }));
    layers.push(LayerSpec::Table(TableLayer::Average { probabilities: !regression }));
    let mut spec = NetSpec { layers, ..NetSpec::default() };
    spec.set_input(&[layout.inputs()], None);
    spec
}

/// The layers that make one row of the prepared columns; each of `ways` reads the numbers.
fn embedded(layout: &TableLayout, ways: &[TableLayer]) -> Vec<LayerSpec> {
    let TableLayout { numbers, others, categories } = layout;
    let vectors = TableLayer::Categories { sizes: categories.clone(), width: CATEGORY_WIDTH };
    let table = |layer: &TableLayer| Some(LayerSpec::Table(layer.clone()));
    let parts = [
        (*numbers, ways.iter().map(table).collect()),
        (*others, vec![None]),
        (categories.len(), vec![table(&vectors)]),
    ];
    let whole = layout.inputs();
    let mut start = 0;
    let mut branches: Vec<Vec<LayerSpec>> = Vec::new();
    for (columns, layers) in parts.into_iter().filter(|(columns, _)| *columns > 0) {
        // A part that is the whole row is not cut.
        let cut = (columns < whole).then_some(LayerSpec::Reorder(ReorderLayer::Slice { start, end: start + columns }));
        start += columns;
        branches.extend(layers.into_iter().map(|layer| cut.iter().cloned().chain(layer).collect()));
    }
    match branches.len() {
        // Nothing to join.
        0 | 1 => branches.into_iter().flatten().collect(),
        _ => vec![LayerSpec::Concat { branches }],
    }
}
