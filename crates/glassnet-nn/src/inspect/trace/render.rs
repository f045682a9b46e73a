//! The text of a trace. A network of one neuron is one line; larger ones have a block a layer; gradients and the step
//! follow in the order in which they are computed.

use std::fmt::{self, Display, Formatter, Write as _};

use super::backward::{Chain, LayerGradient};
use super::forward::{LayerTrace, Neuron, Spread, Terms};
use super::{LossTrace, Scores, StepTrace, Trace};
use crate::inspect::number::{score, significant, with_decimal};

/// Digits of every number, forward and backward, so that a line's result follows from the numbers in it; f32 has no more to
/// trust. Scores alone have three decimals.
const DIGITS: usize = 6;

impl Display for Trace {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.forward(f)?;
        self.backward(f)
    }
}

/// One half of a trace's text.
struct Half<'a>(&'a Trace, fn(&Trace, &mut Formatter<'_>) -> fmt::Result);

impl Display for Half<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.1(self.0, f)
    }
}

impl Trace {
    /// The first half of the text: the values, and the scores. Both halves together are the whole text.
    pub fn forward_text(&self) -> String {
        Half(self, Trace::forward).to_string()
    }

    /// The second half, after an empty line: target, loss, gradients and step. Empty without a target.
    pub fn backward_text(&self) -> String {
        Half(self, Trace::backward).to_string()
    }

    fn forward(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let weighted = self.layers.iter().filter(|layer| layer.shown_with.is_none());
        let mut shown = weighted.clone();
        let single = match (shown.next(), shown.next()) {
            (Some(only), None) if only.neurons.len() == 1 && only.neurons[0].step.is_none() => Some(only),
            _ => None,
        };
        match single {
            Some(layer) => writeln!(f, "{}", self.neuron(layer, &layer.neurons[0]))?,
            None => self.blocks(f)?,
        }
        if let Some(scores) = &self.scores {
            // An open last layer has its scores beside its sums.
            let beside = self.layers.last().is_some_and(|last| last.shown_with.is_some() && last.open);
            if !(scores.in_network && beside) {
                scores_lines(f, scores)?;
            }
            writeln!(f, "a score: nothing has checked it as a probability")?;
        }
        Ok(())
    }

    fn backward(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(loss) = &self.loss {
            self.loss_block(f, loss)?;
            for layer in self.layers.iter().rev() {
                self.gradient_block(f, layer)?;
            }
        }
        if let Some(step) = &self.step {
            self.step_block(f, step)?;
        }
        Ok(())
    }

    /// One block a layer; a residual block's sum comes after the layers inside it.
    fn blocks(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut waiting: Vec<&LayerTrace> = Vec::new();
        for layer in &self.layers {
            while let Some(block) = waiting.pop_if(|block| block.depth >= layer.depth) {
                result(f, block)?;
            }
            if layer.shown_with.is_some() {
                continue;
            }
            header(f, layer)?;
            let indent = indent(layer.depth + 1);
            if layer.kind.starts_with("residual") {
                waiting.push(layer);
                continue;
            }
            if self.is_block(layer) {
                continue;
            }
            if let Some(terms) = &layer.terms {
                terms_lines(f, &indent, terms)?;
            }
            for neuron in &layer.neurons {
                let step = neuron.step.map_or(String::new(), |step| format!("step {step}, "));
                writeln!(f, "{indent}{step}unit {}: {}", neuron.unit, self.neuron(layer, neuron))?;
            }
            if layer.neurons.is_empty() {
                let shown = self.curve_of(layer).unwrap_or(layer);
                values(f, &indent, shown)?;
            }
        }
        while let Some(block) = waiting.pop() {
            result(f, block)?;
        }
        Ok(())
    }

    /// The layer of the curve that is shown with a linear layer.
    fn curve_of(&self, layer: &LayerTrace) -> Option<&LayerTrace> {
        self.layers.iter().find(|other| other.shown_with.as_ref() == Some(&layer.name))
    }

    /// Whether other layers stand inside it.
    fn is_block(&self, layer: &LayerTrace) -> bool {
        self.layers.iter().any(|other| other.name.strip_prefix(&layer.name).is_some_and(|rest| rest.starts_with('.')))
    }

    /// `6 x 0.7 = 4.2 | 8 x 0.3 = 2.4 | bias -4.0 | z = 2.6 -> 0.931`
    fn neuron(&self, layer: &LayerTrace, neuron: &Neuron) -> String {
        let mut line = String::new();
        let write = |value| significant(value, DIGITS);
        for product in &neuron.products {
            line.push_str(&format!("{} x {} = {} | ", write(product.x), write(product.w), write(product.product)));
        }
        if let Some(bias) = neuron.bias {
            line.push_str(&format!("bias {} | ", with_decimal(bias, DIGITS)));
        }
        line.push_str(&format!("z = {}", write(neuron.z)));
        if let Some(activation) = neuron.activation {
            let last = self.layers.last().map(|last| &last.name);
            let is_score = self.scores.as_ref().is_some_and(|scores| scores.in_network)
                && self.curve_of(layer).map(|curve| &curve.name) == last;
            let text = if is_score { score(activation) } else { write(activation) };
            line.push_str(&format!(" -> {text}"));
        }
        line
    }

    fn loss_block(&self, f: &mut Formatter<'_>, loss: &LossTrace) -> fmt::Result {
        let target: Vec<String> = loss.target.iter().take(64).map(|&target| significant(target, DIGITS)).collect();
        let more = if loss.target.len() > 64 { ", ..." } else { "" };
        writeln!(f, "\ntarget {}{more}", target.join(", "))?;
        writeln!(f, "loss: {}, {} = {}", loss.name, loss.formula, significant(loss.value, DIGITS))?;
        writeln!(f, "\ngradients, from the loss back")?;
        let shape = shape(&[loss.gradients.len()]);
        writeln!(f, "loss into layer {}: {shape}, {}", loss.layer, loss.derivative)?;
        let open = self.layers.iter().any(|layer| layer.name == loss.layer && layer.open);
        if open || loss.gradients.len() <= super::OPEN_UP_TO {
            return chains(f, "  ", &loss.gradients);
        }
        let gradients: Vec<f64> = loss.gradients.iter().map(|chain| chain.gradient).collect();
        writeln!(f, "  {}", spread(&Spread::of(&gradients), &[]))
    }

    fn gradient_block(&self, f: &mut Formatter<'_>, layer: &LayerTrace) -> fmt::Result {
        let Some(gradient) = &layer.gradient else { return Ok(()) };
        if layer.shown_with.is_some() {
            return Ok(());
        }
        // A closed layer's is said in a few numbers: so one sees what becomes of the gradients from layer to layer.
        let size = gradient.size.filter(|_| !layer.open);
        if gradient.slots.is_empty() && gradient.inputs.is_empty() && size.is_none() && gradient.flows {
            return Ok(());
        }
        let indent = indent(layer.depth + 1);
        writeln!(f, "{}layer {}: {}", &indent[2..], layer.name, described(layer))?;
        if !gradient.flows {
            return writeln!(f, "{indent}no gradient comes here{}", self.why_none(layer));
        }
        if let Some(size) = size {
            let zeros = if size.zeros > 0 { format!(", {} zeros", size.zeros) } else { String::new() };
            let (norm, largest) = (significant(size.norm, DIGITS), significant(size.largest, DIGITS));
            writeln!(f, "{indent}dL/d output {}: length {norm}, largest {largest}{zeros}", shape(&layer.gives))?;
        }
        for slot in &gradient.slots {
            let zeros = if slot.zeros > 0 { format!(", {} zeros", slot.zeros) } else { String::new() };
            writeln!(
                f,
                "{indent}dL/d {} {}: length {}, largest {}{zeros}",
                slot.name,
                shape(&slot.shape),
                significant(slot.norm, DIGITS),
                significant(slot.largest, DIGITS)
            )?;
        }
        let after = self.curve_of(layer).and_then(|curve| curve.gradient.as_ref());
        let own: [(&[Chain], usize); 4] = [
            (after.map_or(&[], |after: &LayerGradient| &after.value), layer.outputs),
            (&gradient.value, layer.outputs),
            (&gradient.parameters, 0),
            (&gradient.inputs, layer.inputs),
        ];
        for (list, width) in own {
            if let (Some(first), true) = (list.first(), width > 0) {
                let name = first.of.split('[').next().unwrap_or_default();
                let axes =
                    if width == layer.inputs && list.len() == layer.inputs { &layer.takes } else { &layer.gives };
                let axes = if axes.iter().product::<usize>() == width { axes.as_slice() } else { &[width] };
                writeln!(f, "{indent}{name} {}", shape(axes))?;
            }
            chains(f, &indent, list)?;
        }
        Ok(())
    }

    /// Why a layer gets no gradient.
    fn why_none(&self, layer: &LayerTrace) -> &'static str {
        let place = |name: &str| self.layers.iter().position(|layer| layer.name == name);
        let (own, read) = (place(&layer.name), self.loss.as_ref().and_then(|loss| place(&loss.layer)));
        let step = |other: &LayerTrace| other.kind == "step";
        let fixed = |layer: &LayerTrace| layer.gradient.as_ref().is_none_or(|gradient| gradient.slots.is_empty());
        match (own, read) {
            (Some(own), Some(read)) if own > read => ": the loss reads the logits before it",
            _ if layer.kind.ends_with("bidirectional") => ": what follows reads each direction by itself",
            (Some(own), _) if self.layers[..=own].iter().all(fixed) => ": nothing up to here learns",
            (Some(own), _) if self.layers[own..].iter().any(step) => ": a step has slope 0 everywhere",
            _ => "",
        }
    }

    fn step_block(&self, f: &mut Formatter<'_>, step: &StepTrace) -> fmt::Result {
        writeln!(f, "\nstep: old - {} x grad = new", significant(step.lr, DIGITS))?;
        for slot in &step.slots {
            for update in &slot.updates {
                writeln!(
                    f,
                    "  {}: {} - {} x {} = {}",
                    update.name,
                    significant(update.old, DIGITS),
                    significant(slot.lr, DIGITS),
                    significant(update.gradient, DIGITS),
                    significant(update.new, DIGITS)
                )?;
            }
            if let Some(change) = &slot.change {
                writeln!(f, "  {} {}: change {}", slot.name, shape(&slot.shape), spread(change, &slot.shape))?;
            }
        }
        writeln!(f, "\nagain, with the new parameters")?;
        match (&self.scores, &step.again.scores) {
            (Some(before), Some(scores)) if scores.width == scores.values.len() => {
                writeln!(f, "  {}; before: {}", scores_line(scores), score_list(before))?
            }
            _ if self.output.len() > super::OPEN_UP_TO => {
                let output = spread(&Spread::of(&step.again.output), &[]);
                writeln!(f, "  gives {output}; before: {}", spread(&Spread::of(&self.output), &[]))?;
            }
            _ => writeln!(f, "  gives {}; before: {}", list(&step.again.output), list(&self.output))?,
        }
        let before = self.loss.as_ref().map_or(f64::NAN, |loss| loss.value);
        writeln!(f, "  loss {}; before: {}", significant(step.again.loss, DIGITS), significant(before, DIGITS))
    }
}

fn chains(f: &mut Formatter<'_>, indent: &str, chains: &[Chain]) -> fmt::Result {
    for chain in chains {
        let mut text = String::new();
        for (place, term) in chain.terms.iter().enumerate() {
            if place > 0 {
                text.push_str(" + ");
            }
            for (place, factor) in term.iter().enumerate() {
                let times = if place > 0 { " x " } else { "" };
                write!(text, "{times}{} (= {})", factor.name, significant(factor.value, DIGITS))?;
            }
        }
        let equals = if text.is_empty() { "" } else { " = " };
        writeln!(f, "{indent}{} = {text}{equals}{}", chain.of, significant(chain.gradient, DIGITS))?;
    }
    Ok(())
}

/// `layer 0: linear 3 -> 4, relu`
fn header(f: &mut Formatter<'_>, layer: &LayerTrace) -> fmt::Result {
    writeln!(f, "{}layer {}: {}", indent(layer.depth), layer.name, described(layer))
}

fn described(layer: &LayerTrace) -> String {
    let kind = match layer.kind.strip_prefix("linear ") {
        Some(rest) => {
            let bias = rest.split_once(' ').map_or("", |(_, bias)| bias);
            let bias = if bias.is_empty() { String::new() } else { format!(", {bias}") };
            format!("linear {} -> {}{bias}", sizes(&layer.takes), sizes(&layer.gives))
        }
        None if layer.takes == layer.gives => format!("{}, {}", layer.kind, sizes(&layer.gives)),
        None => format!("{}, {} -> {}", layer.kind, sizes(&layer.takes), sizes(&layer.gives)),
    };
    let dropout = if layer.kind.starts_with("dropout") { ": off outside training" } else { "" };
    let curve = layer.curve.as_ref().map_or(String::new(), |curve| format!(", {curve}"));
    format!("{kind}{curve}{dropout}")
}

/// What a residual block gives.
fn result(f: &mut Formatter<'_>, block: &LayerTrace) -> fmt::Result {
    let indent = indent(block.depth + 1);
    match &block.terms {
        Some(terms) => terms_lines(f, &indent, terms),
        None => values(f, &indent, block),
    }
}

fn terms_lines(f: &mut Formatter<'_>, indent: &str, terms: &Terms) -> fmt::Result {
    let write = |value| significant(value, DIGITS);
    let elements = terms.elements.iter();
    let elements = elements
        .map(|term| format!("{} {} {} = {}", write(term.left), terms.operator, write(term.right), write(term.result)));
    let elements: Vec<String> = elements.collect();
    writeln!(f, "{indent}{} {} {}: {}", terms.left, terms.operator, terms.right, elements.join(" | "))
}

fn values(f: &mut Formatter<'_>, indent: &str, layer: &LayerTrace) -> fmt::Result {
    match &layer.spread {
        Some(values) => writeln!(f, "{indent}{}", spread(values, &layer.gives)),
        // Line by line along the last axis, each with its place on the others.
        None if layer.gives.len() > 1 => {
            let width = layer.gives.last().copied().unwrap_or(1).max(1);
            for (line, values) in layer.values.chunks(width).enumerate() {
                writeln!(
                    f,
                    "{indent}gives [{}]: {}",
                    place(line, &layer.gives[..layer.gives.len() - 1]),
                    list(values)
                )?;
            }
            Ok(())
        }
        None => writeln!(f, "{indent}gives {}", list(&layer.values)),
    }
}

fn list(values: &[f64]) -> String {
    values.iter().map(|&value| significant(value, DIGITS)).collect::<Vec<_>>().join(" | ")
}

/// A place in a row of that shape: `2, 0, 5`.
fn place(mut at: usize, axes: &[usize]) -> String {
    let mut places = Vec::with_capacity(axes.len());
    for &axis in axes.iter().rev() {
        places.push((at % axis.max(1)).to_string());
        at /= axis.max(1);
    }
    places.reverse();
    places.join(", ")
}

/// Values of that shape in a few numbers; of images and sequences the first as they stand, and places on each axis.
fn spread(spread: &Spread, axes: &[usize]) -> String {
    let write = |value| significant(value, DIGITS);
    let largest: Vec<String> = spread
        .largest
        .iter()
        .map(|&(at, value)| match axes.len() {
            0 | 1 => format!("{} at {at}", write(value)),
            _ => format!("{} at [{}]", write(value), place(at, axes)),
        })
        .collect();
    let first = match axes.len() {
        0 | 1 => String::new(),
        _ => format!(", the first {}", list(&spread.first)),
    };
    let non_finite = if spread.non_finite > 0 { format!(", {} not finite", spread.non_finite) } else { String::new() };
    format!(
        "{} values{first}: min {}, mean {}, max {}, {} zeros{non_finite}; largest {}",
        spread.count,
        write(spread.min),
        write(spread.mean),
        write(spread.max),
        spread.zeros,
        largest.join(", ")
    )
}

/// The scores; of a sequence a line for each of its first time steps.
fn scores_lines(f: &mut Formatter<'_>, scores: &Scores) -> fmt::Result {
    if scores.width == scores.values.len() {
        return writeln!(f, "{}", scores_line(scores));
    }
    let of = if scores.in_network { "" } else { " of the logits" };
    let steps = scores.values.len() / scores.width.max(1);
    writeln!(f, "{}{of} at each of {steps} time steps, the highest", scores.curve)?;
    for (step, values) in scores.values.chunks(scores.width.max(1)).take(super::OPEN_UP_TO).enumerate() {
        writeln!(f, "  step {step}: {}", highest(values, 3))?;
    }
    if steps > super::OPEN_UP_TO {
        writeln!(f, "  ...")?;
    }
    Ok(())
}

/// `0.412 for 3 | 0.3 for 0`: the highest scores with their classes.
fn highest(values: &[f64], most: usize) -> String {
    let mut order: Vec<(usize, f64)> = values.iter().copied().enumerate().collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let highest = order.iter().take(most).map(|&(class, value)| format!("{} for {class}", score(value)));
    highest.collect::<Vec<_>>().join(" | ")
}

/// `softmax of the logits: 0.659 | 0.242 | 0.099`; of many classes the five highest.
fn scores_line(scores: &Scores) -> String {
    let of = if scores.in_network { "" } else { " of the logits" };
    let highest = if scores.values.len() > super::OPEN_UP_TO { ", the highest" } else { "" };
    format!("{}{of}{highest}: {}", scores.curve, score_list(scores))
}

fn score_list(scores: &Scores) -> String {
    if scores.values.len() <= super::OPEN_UP_TO {
        return scores.values.iter().map(|&value| score(value)).collect::<Vec<_>>().join(" | ");
    }
    highest(&scores.values, 5)
}

/// One axis as a number, more as a shape: `12`, `[4, 8, 8]`.
fn sizes(axes: &[usize]) -> String {
    if let [width] = axes { width.to_string() } else { shape(axes) }
}

fn shape(axes: &[usize]) -> String {
    let axes: Vec<String> = axes.iter().map(usize::to_string).collect();
    format!("[{}]", axes.join(", "))
}

fn indent(depth: usize) -> String {
    "  ".repeat(depth)
}
