//! Models of text: from bytes and to bytes, writing on with a cache and without, scores by hand, forged files.
#![allow(clippy::unwrap_used, clippy::panic)]

use glassnet_core::{Real, Team};
use glassnet_model::file::{Document, Features, Head, Network as NetworkPart};
use glassnet_model::generate::Sampling;
use glassnet_model::schema::Schema;
use glassnet_model::text::TextPreprocess;
use glassnet_model::windows::Windows;
use glassnet_model::{Model, ModelError};
use glassnet_nn::network::Network;
use glassnet_nn::spec::NetSpec;
use glassnet_nn::spec::shapes::RowShape;

const ABC: &str = "abcde\n";

/// A document of a model that reads the letters of [`ABC`], and its network.
fn document(net: &str, context: usize) -> (Document, Network) {
    let text = TextPreprocess::fit(ABC, context);
    let vocabulary = text.vocabulary();
    let spec: NetSpec = net.parse().unwrap();
    let network = Network::for_rows(&spec, &RowShape::tokens(context, vocabulary), vocabulary, None).unwrap();
    let part = NetworkPart {
        spec: network.spec.clone(),
        inputs: network.inputs(),
        outputs: network.outputs(),
        head: Head::Softmax,
        members: 1,
    };
    (Document::new(Schema::default(), Features::Text(text), part), network)
}

/// Untrained, but with weights large enough for scores that differ.
fn model(net: &str, context: usize) -> Model {
    let (document, network) = document(net, context);
    let mut parameters: Vec<f32> = network.initialise(11);
    let draws = glassnet_core::random::Draws::new(2, glassnet_core::random::Purpose::Synthetic, 0, 0);
    for (place, value) in parameters.iter_mut().enumerate() {
        *value += 0.5 * draws.uniform(place as u64) as f32 - 0.25;
    }
    Model::new(document, parameters).unwrap()
}

fn tokens(count: u64) -> Vec<i32> {
    let draws = glassnet_core::random::Draws::new(5, glassnet_core::random::Purpose::Synthetic, 0, 0);
    (0..count).map(|place| draws.below(place, 6) as i32).collect()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

const NETS: [&str; 8] = [
    "gpt 2 layers 2 heads 8",
    "gpt 2 layers 2 heads 8 sinusoidal dropout 0.2",
    "gpt 2 layers 4 heads 2 kv heads 16 rotary swiglu rmsnorm tied no bias",
    "embed 6 -> lstm 7 2 layers",
    "embed 6 -> gru 5 -> layernorm",
    "embed 6 -> rnn 5 relu -> rnn 4",
    "embed 6 -> lstm 8 -> residual(attention 2 heads causal rotary) -> positions",
    "embed 4 -> 6 gelu",
];

/// Logits after each of many tokens, the window rebuilt several times.
#[test]
fn with_a_cache_and_without_every_logit_has_the_same_bytes() {
    for net in NETS {
        for context in [1, 2, 3, 7, 40] {
            let model = model(net, context);
            let mut cached = model.generator(true, Team::single()).unwrap();
            let mut plain = model.generator(false, Team::new(2)).unwrap();
            let steps = 3 * context.min(12) as u64 + 7;
            let mut seen = Vec::new();
            for token in tokens(steps) {
                cached.feed(&[token]);
                plain.feed(&[token]);
                let logits = bits(cached.logits());
                assert_eq!(logits.len(), 6, "{net}");
                assert!(cached.logits().iter().all(|logit| logit.is_finite()), "{net}, context {context}");
                assert_eq!(logits, bits(plain.logits()), "{net}, context {context}, after {} tokens", seen.len() + 1);
                seen.push(logits);
            }
            assert!(seen.windows(2).any(|pair| pair[0] != pair[1]), "{net}: the logits say something");
        }
    }
}

#[test]
fn a_prompt_longer_than_the_context_is_fed_at_once_or_in_pieces() {
    for net in NETS {
        for context in [1, 5, 8] {
            let model = model(net, context);
            let prompt = tokens(3 * context as u64 + 2);
            let mut wanted = None;
            for cached in [true, false] {
                for pieces in [1, 2, prompt.len()] {
                    let mut generator = model.generator(cached, Team::single()).unwrap();
                    for piece in prompt.chunks(prompt.len().div_ceil(pieces)) {
                        generator.feed(piece);
                        generator.logits();
                    }
                    let logits = bits(generator.logits());
                    let wanted = wanted.get_or_insert(logits.clone());
                    assert_eq!(&logits, wanted, "{net}, context {context}, cached {cached}, {pieces} pieces");
                }
            }
        }
    }
}

#[test]
fn one_seed_is_one_text_and_nothing_fed_gives_nothing() {
    let model = model(NETS[0], 6);
    let write = |cached: bool, seed: u64, temperature: f64| {
        let mut generator = model.generator(cached, Team::single()).unwrap();
        let sampling = Sampling { seed, temperature, ..Sampling::default() };
        assert_eq!(generator.next_token(&sampling), None);
        generator.feed(&[0]);
        (0..40).map(|_| generator.next_token(&sampling).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(write(true, 1, 1.0), write(false, 1, 1.0));
    assert_ne!(write(true, 1, 1.0), write(true, 2, 1.0));
    assert_eq!(write(true, 1, 0.0), write(false, 2, 0.0), "the likeliest is no draw");
}

#[test]
fn a_text_model_is_kept_byte_for_byte() {
    for net in NETS {
        let model = model(net, 9);
        let bytes = model.to_bytes().unwrap();
        let read = Model::from_bytes(&bytes).unwrap();
        assert_eq!(read.to_bytes().unwrap(), bytes, "{net}");
        assert_eq!(read.document(), model.document(), "{net}");
        assert_eq!(bits(read.parameters()), bits(model.parameters()), "{net}");
        let text = "abc\nedcba\nabcabcabcddd";
        let team = Team::single();
        assert_eq!(read.evaluate_text(text, &team).unwrap(), model.evaluate_text(text, &team).unwrap());
    }
}

/// Each window begins anew; a character is predicted from those before it in its window.
#[test]
fn scores_are_the_mean_of_minus_ln_p_by_hand() {
    for net in [NETS[0], NETS[2], NETS[3]] {
        let model = model(net, 7);
        let text = "abcde\nabba\ncdecde\nabcdd\nae";
        let tokens = model.text().unwrap().encode(text).unwrap();
        let (mut sum, mut predicted) = (0.0, 0);
        for start in (0..tokens.len() - 1).step_by(7) {
            let mut generator = model.generator(false, Team::single()).unwrap();
            for at in start..(start + 7).min(tokens.len() - 1) {
                generator.feed(&[tokens[at]]);
                let logits: Vec<f64> = generator.logits().iter().map(|&logit| f64::from(logit)).collect();
                let total: f64 = logits.iter().map(|&logit| Real::exp(logit)).sum();
                sum += Real::ln(total) - logits[tokens[at + 1] as usize];
                predicted += 1;
            }
        }
        let found = model.evaluate_text(text, &Team::new(2)).unwrap();
        let mean = sum / f64::from(predicted);
        assert_eq!(found.characters, tokens.len() - 1);
        assert_eq!(found.characters, predicted as usize);
        assert!((found.loss - mean).abs() < 1e-6, "{net}: {} {mean}", found.loss);
        assert!((found.perplexity - Real::exp(mean)).abs() < 1e-5 * found.perplexity);
        assert!((found.bits_per_character - mean / Real::ln(2.0f64)).abs() < 1e-6);
    }
}

#[test]
fn texts_that_cannot_be_evaluated() {
    let model = model(NETS[0], 4);
    let said = |text: &str| model.evaluate_text(text, &Team::single()).unwrap_err().to_string();
    assert!(said("abZ?Zc\u{7}").contains("U+0007, '?', 'Z'"), "{}", said("abZ?Zc\u{7}"));
    for short in ["", "a"] {
        assert!(said(short).contains("none to predict"), "{}", said(short));
    }
    assert_eq!(model.evaluate_text("ab", &Team::single()).unwrap().characters, 1);
}

/// Parts that contradict each other, one at a time. None loads, none panics.
#[test]
fn forged_documents_are_refused() {
    type Change = fn(&mut Document);
    fn text(document: &mut Document) -> &mut TextPreprocess {
        match &mut document.preprocess {
            Features::Text(text) => text,
            _ => panic!("no text"),
        }
    }
    let changes: [(&str, Change); 12] = [
        ("a character too many", |document| text(document).characters.push('z')),
        ("a character too few", |document| text(document).characters = "\nabcd".into()),
        ("characters out of order", |document| text(document).characters = "ba\ncde".into()),
        ("a character twice", |document| text(document).characters = "\naacde".into()),
        ("no characters", |document| text(document).characters.clear()),
        ("another context", |document| text(document).context = 5),
        ("no context", |document| text(document).context = 0),
        ("a vast context", |document| text(document).context = usize::MAX),
        ("another vocabulary", |document| document.network.spec.vocabulary = Some(7)),
        ("no vocabulary", |document| document.network.spec.vocabulary = None),
        ("another head", |document| document.network.head = Head::Value),
        ("other outputs", |document| document.network.outputs += 6),
    ];
    for (what, change) in changes {
        let (mut forged, network) = document(NETS[0], 4);
        change(&mut forged);
        let error = Model::new(forged, network.initialise(1)).unwrap_err();
        assert!(matches!(error, ModelError::File { .. }), "{what}: {error}");
    }
}

/// Networks that go with the text's sizes and yet are no models of text.
#[test]
fn networks_that_are_no_models_of_text_are_refused() {
    type Change = fn(&mut NetSpec);
    let changes: [(&str, Change); 5] = [
        ("lengths", |spec| spec.lengths = true),
        ("one vector for the whole row", |spec| {
            *spec = "tokens 4 vocabulary 6 -> embed 6 -> last -> 24".parse().unwrap()
        }),
        ("a look ahead", |spec| *spec = "tokens 4 vocabulary 6 -> embed 6 -> attention 2 heads -> 6".parse().unwrap()),
        ("both directions", |spec| {
            *spec = "tokens 4 vocabulary 6 -> embed 6 -> gru 3 bidirectional -> 6".parse().unwrap()
        }),
        ("no embedding", |spec| *spec = "tokens 4 vocabulary 6 -> relu".parse().unwrap()),
    ];
    for (what, change) in changes {
        let (mut forged, _) = document("embed 6", 4);
        change(&mut forged.network.spec);
        let parameters = Network::new(&forged.network.spec, None).map_or(Vec::new(), |network| network.initialise(1));
        let error = Model::new(forged, parameters).unwrap_err();
        assert!(matches!(error, ModelError::File { .. }), "{what}: {error}");
    }
}

#[test]
fn a_model_of_a_text_reads_nothing_else() {
    let model = model(NETS[3], 4);
    let table = glassnet_model::table::Table { source: "t".into(), ..Default::default() };
    let said = model.encode_table(&table, false).unwrap_err().to_string();
    assert!(said.contains("trained on text"), "{said}");
    assert_eq!(model.columns(), Vec::<&str>::new());
    let mut scratch = model.scratch();
    assert!(model.predict_into(&[], &mut scratch, &mut [0.0]).is_err());
}

/// The plan that reads many rows of a text keeps losses and no logits: scores would be made of nothing.
#[test]
fn rows_of_a_text_have_no_scores() {
    let model = model(NETS[0], 8);
    let windows = Windows::side_by_side(tokens(20).into(), 8);
    let error = model.scores(&mut model.runner(Team::single()), &windows, &[0]).unwrap_err();
    assert!(matches!(error, ModelError::Unfit { .. }), "{error}");
}
