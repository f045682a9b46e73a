//! Every entry of `golden/worked_examples.json` through the public API, in f64 to 1e-12 and in f32 to 1e-6, each with the
//! strings that it gives. An entry without a test fails, and so does a value of an entry that its test does not look at.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "to fail is to fail the test")]

mod counting;
mod layers;
mod learning;
mod net;
mod neurons;
mod reader;

use std::cell::RefCell;
use std::collections::BTreeSet;

use reader::{Entry, file};

/// Runs a check on its entry, and fails where it leaves a value of the entry unread.
fn check(name: &str, run: fn(&Entry<'_>)) {
    let (file, read) = (file(), RefCell::default());
    let entry = Entry::new(&file, name, &read);
    run(&entry);
    assert_eq!(entry.unread(), Vec::<String>::new(), "values that the test does not look at");
}

/// One test in each type for each entry, and the list of their names.
macro_rules! entries {
    ($($file:ident: $($name:ident)*;)*) => {
        const TESTED: &[&str] = &[$($(stringify!($name),)*)*];
        $($(mod $name {
            #[test]
            fn in_f64() {
                super::check(stringify!($name), crate::$file::$name::<f64>);
            }

            #[test]
            fn in_f32() {
                super::check(stringify!($name), crate::$file::$name::<f32>);
            }
        })*)*
    };
}

entries! {
    neurons: one_neuron one_neuron_quiet one_neuron_bias_minus_6 one_neuron_quiz neuron_relu activations stable_sigmoid
        activation_minima sigmoid_saturates softmax;
    layers: affine_collapse affine_collapse_scalar net_2_2_1 net_2_2_1_batch net_4_3_3 xor feature_scale
        feature_scale_quiz delay_risk_report delay_risk_without_relu;
    learning: gradient_descent baseline_losses blobs_4_16_3;
    counting: parameter_counts counting_without_data;
}

#[test]
fn every_entry_of_the_file_has_its_test() {
    let file = file();
    let entries: BTreeSet<&str> = file.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(entries, TESTED.iter().copied().collect());
}
