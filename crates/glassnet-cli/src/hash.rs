//! A short name for weights: equal hashes, equal bytes.

use sha2::{Digest, Sha256};

/// `sha256:` and the SHA-256 of all parameters, member by member, in the order of the network's slots, each as the 4 bytes of an f32, least
/// significant first; in hexadecimal.
pub fn weights<'a>(members: impl IntoIterator<Item = &'a [f32]>) -> String {
    let mut hasher = Sha256::new();
    let mut bytes = Vec::with_capacity(1 << 16);
    for part in members.into_iter().flat_map(|parameters| parameters.chunks(1 << 14)) {
        bytes.clear();
        bytes.extend(part.iter().flat_map(|value| value.to_le_bytes()));
        hasher.update(&bytes);
    }
    let digest: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{digest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_known_bytes() {
        // `printf '\0\0\200\77\0\0\0\300' | sha256sum`: 1.0 and -2.0.
        assert_eq!(
            weights([&[1.0, -2.0][..]]),
            "sha256:ee4ac73c2bd27756ab82780f27c73a7bc4d3f0bb6acb37e008bc27eccd7e588b"
        );
        assert_ne!(weights([&[0.0][..]]), weights([&[-0.0][..]]));
        let many = vec![0.5f32; (1 << 14) + 3];
        let whole: Vec<u8> = many.iter().flat_map(|value| value.to_le_bytes()).collect();
        let digest: String = Sha256::digest(&whole).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(weights([&many[..]]), format!("sha256:{digest}"));
    }
}
