//! The signature of a webhook.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// `v1=` and the HMAC-SHA256 of `TIMESTAMP.BODY` in hex.
pub fn signature(secret: &str, timestamp: i64, body: &[u8]) -> String {
    // A key of any length is one.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(format!("{timestamp}.").as_bytes());
    mac.update(body);
    format!("v1={}", hex::encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with `printf '%s' '1792937700.{"a":1}' | openssl dgst -sha256 -hmac secret`.
    #[test]
    fn it_is_what_others_compute() {
        let expected = "v1=5b982852ad154d5412fc9296e4a6f4ed95e940c30891da52788e81cd811e5fec";
        assert_eq!(signature("secret", 1_792_937_700, br#"{"a":1}"#), expected);
    }
}
