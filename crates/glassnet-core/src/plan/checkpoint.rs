//! Gradient checkpointing: values are computed a second time, before the backward that reads them, instead of being kept.
//!
//! The list of forward steps is cut into parts at places where little is alive. Forward keeps only what a later part
//! reads; before the backward of a part the rest of its values are computed again, by the same operations on the same
//! bytes with the same draws, so that gradients are the same bytes too. The last part is not computed twice. With n equal
//! layers the memory goes from n values to about the root of 2n of them, for one more forward pass at most (Chen, Xu,
//! Zhang, Guestrin 2016, "Training deep nets with sublinear memory cost", <https://arxiv.org/abs/1604.06174>).
//!
//! Where to cut: forward is walked with a budget for what is alive, the kept values and those of the current part; where
//! it is spent the part ends at the narrowest place of its later half. Later parts become shorter, as more is kept by
//! then. A grid of budgets is tried on drafts, and of the ones with the lowest peak that with the smallest arena is taken.

use super::Request;
use super::analysis::Analysis;
use super::build::placed;
use super::draft::Draft;
use crate::graph::Graph;
use crate::ops::Op;
use crate::shape::DType;

/// Budgets in the grid, from all that is kept without checkpointing down to a hundredth of it, equal ratios apart.
const BUDGETS: i32 = 24;
/// The ratio of one budget to the one before: its 24th power is a hundredth.
const RATIO: f64 = 0.825;
/// Drafts whose buffers are placed; the peak of the others is higher.
const PLACED: usize = 3;

/// The parts of the forward steps, and what is kept between them.
pub(super) struct Parts {
    /// The part of each node, in ascending order.
    pub of: Vec<usize>,
    /// Whether the node's forward step runs again before the backward of its part.
    pub again: Vec<bool>,
    /// Whether the node's value is kept from forward to backward.
    pub kept: Vec<bool>,
    /// Elements of a row that backward reads of each forward step: of its value and what it saves.
    read: Vec<usize>,
}

impl Parts {
    /// Cuts before each of the nodes in `cuts` (ascending); no cut: nothing is computed twice.
    pub(super) fn new(
        graph: &Graph,
        request: &Request,
        analysis: &Analysis,
        computed: &[usize],
        cuts: &[usize],
    ) -> Self {
        let nodes = graph.nodes();
        let count = nodes.len();
        let of: Vec<usize> = (0..count).map(|number| cuts.partition_point(|&cut| cut <= number)).collect();
        // The part of a value is that of the step that writes it.
        let mut value_part = of.clone();
        let mut step = vec![false; count];
        for &number in computed {
            step[number] = true;
            value_part[analysis.target(number)] = of[number];
        }
        let mut kept = vec![false; count];
        for id in request.outputs.iter().chain(&request.backward_from) {
            kept[analysis.resolve[id.0]] = true;
        }
        // Values that the backward of their own part, or the recomputation of another value of it, reads.
        let mut wanted = vec![false; count];
        let mut again = vec![false; count];
        let mut read = vec![0; count];
        let reads = |number: usize, value: usize, wanted: &mut [bool], kept: &mut [bool]| {
            let input = matches!(nodes[value].op, Op::Input(_));
            if input || nodes[value].dtype != DType::Real {
                return;
            }
            let here = value_part[value] == of[number];
            if here { wanted[value] = true } else { kept[value] = true }
        };
        // Who reads a value comes after it: when its own step is reached from behind, all of them are known.
        for number in (0..count).rev() {
            let node = &nodes[number];
            let needs = analysis.needs[number];
            if analysis.attributed[number] {
                if needs.output {
                    reads(number, number, &mut wanted, &mut kept);
                }
                for id in node.inputs.iter().filter(|_| needs.inputs) {
                    reads(number, analysis.resolve[id.0], &mut wanted, &mut kept);
                }
            }
            if !step[number] {
                continue;
            }
            let target = analysis.target(number);
            let saves = analysis.attributed[number] && needs.saved > 0;
            let value = if wanted[target] || kept[target] { node.shape.len() } else { 0 };
            read[number] = value + if saves { needs.saved } else { 0 };
            let last = of[number] == cuts.len();
            if last || node.per_batch || node.op.state(&graph.shapes(&node.inputs)) > 0 {
                kept[target] |= !last && wanted[target];
                continue;
            }
            again[number] = saves || (wanted[target] && !kept[target]);
            if again[number] {
                for id in &node.inputs {
                    reads(number, analysis.resolve[id.0], &mut wanted, &mut kept);
                }
            }
        }
        Parts { of, again, kept, read }
    }
}

/// The draft with the smallest arena, placed: `plain` itself where nothing is gained.
pub(super) fn smallest<'a>(
    graph: &'a Graph,
    request: &'a Request,
    analysis: &'a Analysis,
    computed: &[usize],
    plain: Draft<'a>,
) -> (Draft<'a>, usize) {
    let line = Line::new(graph, request, analysis, computed);
    let total = line.total();
    let mut tried: Vec<Vec<usize>> = Vec::new();
    let mut drafts: Vec<(usize, Draft<'a>)> = Vec::new();
    let mut budget = total as f64;
    for _ in 0..BUDGETS {
        budget *= RATIO;
        let cuts = line.cuts(budget as usize);
        if cuts.is_empty() || tried.contains(&cuts) {
            continue;
        }
        let parts = Parts::new(graph, request, analysis, computed, &cuts);
        let draft = Draft::new(graph, request, analysis, computed, &parts);
        drafts.push((draft.peak(), draft));
        drafts.sort_by_key(|(peak, draft)| (*peak, draft.steps.len()));
        drafts.truncate(PLACED);
        tried.push(cuts);
    }
    let mut best = placed(plain);
    for (_, draft) in drafts {
        let next = placed(draft);
        if next.1 < best.1 {
            best = next;
        }
    }
    best
}

/// The forward steps as a line that can be cut between any two.
struct Line<'a> {
    /// The nodes of the steps.
    steps: &'a [usize],
    /// Elements of a row that backward reads of each step.
    read: Vec<usize>,
    /// The values that are alive over the cut before each step: the steps that wrote them.
    over: Vec<Vec<usize>>,
    /// Elements of a row of each step's value.
    width: Vec<usize>,
}

impl<'a> Line<'a> {
    fn new(graph: &Graph, request: &Request, analysis: &Analysis, steps: &'a [usize]) -> Self {
        let nodes = graph.nodes();
        let whole = Parts::new(graph, request, analysis, steps, &[]);
        let mut writer = vec![None; nodes.len()];
        let mut last_reader: Vec<usize> = (0..steps.len()).collect();
        for (place, &number) in steps.iter().enumerate() {
            for id in &nodes[number].inputs {
                if let Some(writer) = writer[analysis.resolve[id.0]] {
                    last_reader[writer] = place;
                }
            }
            writer[analysis.target(number)] = Some(place);
        }
        let mut over = vec![Vec::new(); steps.len()];
        for (place, &last) in last_reader.iter().enumerate() {
            // A value that is read all along the line (a long skip) is alive over every cut.
            for cut in &mut over[place + 1..=last] {
                cut.push(place);
            }
        }
        Line {
            steps,
            read: steps.iter().map(|&number| whole.read[number]).collect(),
            over,
            width: steps.iter().map(|&number| nodes[number].shape.len()).collect(),
        }
    }

    fn total(&self) -> usize {
        self.read.iter().sum()
    }

    fn crossing(&self, cut: usize) -> usize {
        self.over[cut].iter().map(|&place| self.width[place]).sum()
    }

    /// Where to cut (numbers of nodes) so that about `budget` elements of a row are alive at any time.
    fn cuts(&self, budget: usize) -> Vec<usize> {
        let mut cuts = Vec::new();
        let mut kept = vec![false; self.steps.len()];
        let (mut kept_width, mut begin, mut alive) = (0, 0, 0);
        let mut place = 0;
        while place < self.steps.len() {
            alive += self.read[place];
            place += 1;
            if kept_width + alive <= budget || place == self.steps.len() {
                continue;
            }
            // The narrowest cut of the later half, the latest of equals.
            let mut part = 0;
            let half = (begin + 1..=place).find(|&cut| {
                part += self.read[cut - 1];
                2 * part >= alive
            });
            let cut = (half.unwrap_or(place)..=place).rev().min_by_key(|&cut| self.crossing(cut)).unwrap_or(place);
            cuts.push(self.steps[cut]);
            for &writer in &self.over[cut] {
                if !kept[writer] {
                    kept[writer] = true;
                    kept_width += self.width[writer];
                }
            }
            (begin, alive, place) = (cut, 0, cut);
        }
        cuts
    }
}
