//! The header of a safetensors file, read into what it may hold and nothing else: a forged one cannot make much of little.

use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::fmt;

/// Most sides of a tensor's shape; a network's have two.
const MAX_SIDES: usize = 8;

/// What a header says: texts, and the tensors.
#[derive(Debug, Default)]
pub struct Header {
    /// `__metadata__`.
    pub metadata: BTreeMap<String, String>,
    /// The tensors by name; the last one where a name is there twice.
    pub tensors: BTreeMap<String, Info>,
}

/// What it says of a tensor.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Info {
    /// `F32`.
    pub dtype: String,
    /// Its sides.
    #[serde(deserialize_with = "sides")]
    pub shape: Vec<usize>,
    /// First byte among the values, and the first one after it.
    pub data_offsets: (usize, usize),
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HeaderVisitor)
    }
}

struct HeaderVisitor;

impl<'de> Visitor<'de> for HeaderVisitor {
    type Value = Header;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object of tensors and __metadata__")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
        let mut header = Header::default();
        while let Some(name) = map.next_key::<String>()? {
            if name == "__metadata__" {
                let read = map.next_value();
                header.metadata = read.map_err(|error| {
                    A::Error::custom(format_args!("__metadata__ does not map texts to texts: {error}"))
                })?;
            } else {
                let read = map.next_value();
                let info = read.map_err(|error| {
                    A::Error::custom(format_args!("the entry of tensor {name:?} cannot be read: {error}"))
                })?;
                header.tensors.insert(name, info);
            }
        }
        Ok(header)
    }
}

fn sides<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<usize>, D::Error> {
    struct Sides;

    impl<'de> Visitor<'de> for Sides {
        type Value = Vec<usize>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "a shape of at most {MAX_SIDES} sides")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<usize>, A::Error> {
            let mut sides = Vec::new();
            while let Some(side) = seq.next_element()? {
                if sides.len() == MAX_SIDES {
                    return Err(A::Error::invalid_length(MAX_SIDES + 1, &self));
                }
                sides.push(side);
            }
            Ok(sides)
        }
    }

    deserializer.deserialize_seq(Sides)
}
