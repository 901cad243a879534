//! The secret that names a session. Only the browser keeps it.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

/// A hash.
pub type Hash = [u8; 32];

/// What the proof of a form is derived for.
const FORMS: &[u8] = b"slod: forms of a session";

/// A random number of 256 bits.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; 32]);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    /// A new one; none if the system has no randomness.
    pub fn random() -> Option<Self> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).ok()?;
        Some(Self(bytes))
    }

    /// As a cookie holds it: 64 digits.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Self(bytes))
    }

    /// For a cookie.
    pub fn text(&self) -> String {
        hex::encode(self.0)
    }

    /// What is kept of it.
    pub fn hash(&self) -> Hash {
        Sha256::digest(self.0).into()
    }

    /// What the forms of its session carry: whoever cannot read our pages cannot know it.
    pub fn proof(&self) -> String {
        self.mac().map(|mac| hex::encode(mac.finalize().into_bytes())).unwrap_or_default()
    }

    /// Whether a form carries the proof. Compared in constant time.
    pub fn is_proven_by(&self, given: &str) -> bool {
        let Ok(given) = hex::decode(given) else { return false };
        self.mac().is_some_and(|mac| mac.verify_slice(&given).is_ok())
    }

    fn mac(&self) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        mac.update(FORMS);
        Some(mac)
    }
}

/// A random text that is used once.
pub fn once() -> String {
    let mut bytes = [0; 16];
    // Without randomness the form is refused when it comes back: it carries no such text.
    getrandom::fill(&mut bytes).map(|()| hex::encode(bytes)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_survive_the_cookie_and_prove_only_their_own_forms() {
        let (one, other) = (Key::random().unwrap(), Key::random().unwrap());
        assert_eq!(Key::parse(&one.text()), Some(one.clone()));
        assert_eq!(one.text().len(), 64);
        assert!(one.is_proven_by(&one.proof()));
        for forged in [other.proof(), one.text(), hex::encode(one.hash()), one.proof()[..62].to_owned()] {
            assert!(!one.is_proven_by(&forged), "{forged}");
        }
        for text in ["", "zz", &one.text()[..62], &format!("{}00", one.text())] {
            assert_eq!(Key::parse(text), None, "{text}");
            assert!(!one.is_proven_by(text));
        }
        assert!(!format!("{one:?}").contains(&one.text()[..8]));
    }
}
