//! Signatures of calls from outside: HMAC-SHA256 over the body as it came, compared without telling how much was right.

use sha2::{Digest, Sha256};

use crate::config::secret::Secret;

/// The block of SHA-256, in bytes.
const BLOCK: usize = 64;
/// Most signatures of one header that are looked at.
const SIGNATURES_MAX: usize = 10;

/// HMAC-SHA256 (RFC 2104) of the parts, one after the other.
fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut block = [0_u8; BLOCK];
    if key.len() > BLOCK {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let mut inner = Sha256::new();
    inner.update(block.map(|byte| byte ^ 0x36));
    for part in parts {
        inner.update(part);
    }
    let mut outer = Sha256::new();
    outer.update(block.map(|byte| byte ^ 0x5c));
    outer.update(inner.finalize());
    outer.finalize().into()
}

/// Whether two digests are equal; takes as long for equal ones as for any others.
fn equal(one: &[u8; 32], other: &[u8; 32]) -> bool {
    let difference = one.iter().zip(other).fold(0, |sum, (one, other)| sum | (one ^ other));
    std::hint::black_box(difference) == 0
}

/// Whether one of `signatures` (`v1=HEX`, separated by commas) signs the parts. Other versions are left alone. An empty
/// secret signs nothing.
pub fn is_signed(signatures: &str, version: &str, secret: &Secret, parts: &[&[u8]]) -> bool {
    if secret.is_empty() {
        return false;
    }
    let given = signatures.split(',').take(SIGNATURES_MAX).filter_map(|one| digest(one.trim(), version));
    let right = hmac(secret.expose().as_bytes(), parts);
    given.fold(false, |found, one| found | equal(&one, &right))
}

/// The digest of `v1=HEX`, if it is of this version and whole.
fn digest(signature: &str, version: &str) -> Option<[u8; 32]> {
    let hex = signature.strip_prefix(version)?.strip_prefix('=')?;
    hex::decode(hex).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, cases 1, 2, 3 and 6.
    #[test]
    fn the_published_vectors() {
        #[rustfmt::skip]
        let table: [(&[u8], &[u8], &str); 4] = [
            (&[0x0b; 20], b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
            (b"Jefe", b"what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
            (&[0xaa; 20], &[0xdd; 50], "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
            (&[0xaa; 131], b"Test Using Larger Than Block-Size Key - Hash Key First", "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
        ];
        for (key, text, expected) in table {
            assert_eq!(hex::encode(hmac(key, &[text])), expected);
            let (one, other) = text.split_at(3);
            assert_eq!(hex::encode(hmac(key, &[one, other])), expected, "in parts");
        }
    }

    #[test]
    fn which_headers_sign() {
        let secret = Secret::new("Jefe");
        let body = b"what do ya want for nothing?";
        let right = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let wrong = "0".repeat(64);
        let many = format!("{}v1={right}", format!("v1={wrong},").repeat(SIGNATURES_MAX));
        for (header, expected) in [
            (format!("v1={right}"), true),
            (format!("v1={}", right.to_uppercase()), true),
            (format!("v1={wrong}, v1={right}"), true),
            (format!("v1={right},v1={wrong}"), true),
            (format!("v2={wrong},v1={right}"), true),
            (format!("v1={wrong}"), false),
            (format!("v2={right}"), false),
            (right.to_owned(), false),
            (format!("v1={}", &right[..62]), false),
            (format!("v1={right}00"), false),
            (format!("v1={right};"), false),
            (format!("v1=={right}"), false),
            (many, false),
            (String::new(), false),
            ("v1=".to_owned(), false),
            (",,,".to_owned(), false),
        ] {
            assert_eq!(is_signed(&header, "v1", &secret, &[body]), expected, "{header}");
        }
        assert!(!is_signed(&format!("v1={right}"), "v1", &Secret::new("Jeff"), &[body]));
        assert!(!is_signed(&format!("v1={right}"), "v1", &secret, &[&body[1..]]));
        let empty = hex::encode(hmac(b"", &[body]));
        assert!(!is_signed(&format!("v1={empty}"), "v1", &Secret::new(""), &[body]), "an empty secret signs nothing");
    }
}
